"""Goal: a run is watched and stopped by others, and none of them can hold it up, end it by accident or see it unasked.

Method: the server around a stand-in for a run, callers over its real socket.
"""

import datetime
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

import live_story
from smbench.errors import ResultsError, TargetError
from smbench.lifecycle.background import following, serving
from smbench.lifecycle.background.registry import Known
from smbench.lifecycle.background.serving import LENGTH_BYTES, NO_ROOM, VERSION, Server
from smbench.processes.interrupts import Interrupts
from smbench.view.live.frame import state_from
from smbench.view.live.state import LiveState


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "run")


@asynccontextmanager
async def served(path: str, state: LiveState, interrupts: Interrupts | None = None) -> AsyncIterator[anyio.Event]:
    """A run that goes on until the event is set, or the block ends."""
    over = anyio.Event()

    async def live() -> None:
        async with Server(state, interrupts or Interrupts()).at(path):
            await over.wait()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(live)
            await (await connected(path)).aclose()
            yield over
            over.set()


async def connected(path: str) -> anyio.abc.SocketStream:
    while True:
        try:
            return await anyio.connect_unix(path)
        except OSError:  # it does not listen yet; there is no event to wait for
            await anyio.sleep(0.005)


async def caller(path: str, what: bytes) -> anyio.abc.SocketStream:
    stream = await connected(path)
    await stream.send(what)
    return stream


async def all_from(stream: anyio.abc.SocketStream) -> bytes:
    text = b""
    async with stream:
        try:
            while True:
                text += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return text


def pictures(text: bytes) -> list[LiveState]:
    version, _, rest = text.partition(b"\n")
    assert version == VERSION
    found = []
    while rest:
        length = int.from_bytes(rest[:LENGTH_BYTES], "big")
        found.append(state_from(rest[LENGTH_BYTES : LENGTH_BYTES + length], "x"))
        rest = rest[LENGTH_BYTES + length :]
    return found


@pytest.mark.slow
async def test_every_viewer_sees_what_there_is_when_it_comes_and_the_last_of_it(path: str) -> None:
    state, texts = live_story.state_at(5), []

    async def view() -> None:
        texts.append(await all_from(await caller(path, b"watch\n")))

    async with anyio.create_task_group() as viewers, served(path, state) as over:
        for _ in range(3):
            viewers.start_soon(view)
        await anyio.sleep(0.1)
        state.preparing("the last word")
        over.set()
    assert len(texts) == 3
    for text in texts:
        first, *_, last = pictures(text)
        assert first.header.n_scheduled == state.header.n_scheduled
        assert (first.note, last.note) == ("", "the last word")


@pytest.mark.slow
async def test_a_viewer_that_takes_nothing_or_is_killed_holds_nobody_up(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LAST_S", 0.1)
    state = live_story.state_at(800)
    state.note = "x" * 2_000_000  # more than a socket holds
    async with served(path, state):
        slow, killed = await caller(path, b"watch\n"), await caller(path, b"watch\n")
        await anyio.sleep(0.05)
        await killed.aclose()
        brisk = await caller(path, b"watch\n")
        assert (await brisk.receive())[: len(VERSION)] == VERSION
        await brisk.aclose()
    await slow.aclose()  # the run was over before it had taken one picture


@pytest.mark.slow
@pytest.mark.parametrize("what", [b"", b"\n", b"dance\n", b"\xff" * 500, b"watch"])
async def test_a_caller_who_makes_no_sense_is_left_alone(
    path: str, what: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_ASK_S", 0.05)
    interrupts = Interrupts()
    async with served(path, live_story.state_at(5), interrupts):
        stream = await connected(path)
        if what:
            await stream.send(what)
        assert await all_from(stream) in (b"", VERSION + b"\n")
    assert interrupts.names == []


@pytest.mark.slow
async def test_to_stop_twice_is_to_stop_once_and_to_stop_now_is_more(path: str) -> None:
    interrupts = Interrupts()
    async with served(path, live_story.state_at(5), interrupts):
        for what, said in ((b"stop", b"no more is sent"), (b"stop", b"already"), (b"stop now", b"at once")):
            assert said in await all_from(await caller(path, what + b"\n"))
    assert [interrupts.at_once(number) for number in (1, 2)] == [False, True]
    assert len(interrupts.names) == 2


@pytest.mark.slow
async def test_more_viewers_than_there_is_room_for_are_sent_away(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_VIEWERS_MAX", 1)
    async with served(path, live_story.state_at(5)):
        first = await caller(path, b"watch\n")
        await first.receive()
        assert await all_from(await caller(path, b"watch\n")) == VERSION + b"\n" + NO_ROOM
        await first.aclose()


@pytest.mark.slow
async def test_only_its_user_may_open_the_socket(path: str) -> None:
    async with served(path, live_story.state_at(5)):
        assert stat.S_IMODE((await anyio.Path(path).stat()).st_mode) == 0o600


@pytest.mark.slow
async def test_what_ends_the_run_ends_it_as_it_would_without_a_server(path: str) -> None:
    failure = TargetError("no such endpoint")
    with pytest.raises(TargetError) as raised:
        async with Server(live_story.state_at(5), Interrupts()).at(path):
            raise failure
    assert raised.value is failure


@pytest.mark.slow
async def test_a_run_that_cannot_be_served_is_a_run_all_the_same(tmp_path: Path) -> None:
    async with Server(live_story.state_at(5), Interrupts()).at(str(tmp_path / "missing" / "run")):
        await anyio.lowlevel.checkpoint()
    with pytest.raises(TargetError):
        async with Server(live_story.state_at(5), Interrupts()).at(str(tmp_path / "missing" / "run")):
            raise TargetError("no such endpoint")


@pytest.mark.slow
async def test_a_caller_for_whom_no_descriptor_is_left_does_not_end_the_run(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_refused = 0

    async def full(_listener: object, _handler: object, _viewers: object) -> None:
        nonlocal n_refused
        n_refused += 1
        if n_refused == 3:
            again.set()
        raise anyio.BrokenResourceError

    again = anyio.Event()
    monkeypatch.setattr(serving, "_AGAIN_S", 0.001)
    async with await anyio.create_unix_listener(f"{path}-other") as other:
        monkeypatch.setattr(type(other), "serve", full)
    with anyio.fail_after(20):
        async with Server(live_story.state_at(5), Interrupts()).at(path):
            await again.wait()
    assert n_refused >= 3


def test_a_run_that_does_not_answer_is_named_with_the_way_to_end_it(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_ANSWER_S", 0.01)
    began = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    known = Known(Path("results/x"), "x", began, 4711, path, is_alive=True, exit_status=None)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        with pytest.raises(ResultsError, match=r"results/x has not answered within .* s") as refused:
            following.ask_to_stop(known, at_once=False)
    assert "kill -TERM 4711" in refused.value.advice
