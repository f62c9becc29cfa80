"""Goal: the end of a child is named in words, and one that closes its channel and lives on delays nothing.

Method: a process in memory; the other end of the pipe is closed.
"""

import os
import signal
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import anyio
import pytest

from busy import says_region, with_tables
from smbench.errors import DiskError, ExitCode, UsageError
from smbench.processes.channel import PipeChannel
from smbench.processes.child import Child, StartChild, as_failed, leave_all, start_child, start_forked
from smbench.processes.messages import Acknowledged, Preparing


@dataclass
class Process:
    """As far as a child is asked for it. Kept: how long it was waited for, and whether it was ended."""

    exitcode: int | None
    waited_s: list[float | None] = field(default_factory=list)
    is_killed: bool = False

    def join(self, timeout_s: float | None = None) -> None:
        self.waited_s.append(timeout_s)

    def is_alive(self) -> bool:
        return self.exitcode is None and not self.is_killed

    def kill(self) -> None:
        self.is_killed = True


def child(process: Process, name: str = "worker 1") -> Child:
    ours, theirs = Pipe()
    theirs.close()
    return Child(name, process, PipeChannel(ours))


def ours(of: Child) -> Connection:
    assert isinstance(of.channel, PipeChannel)
    return of.channel.connection


@pytest.mark.parametrize("start", [start_child, start_forked])
def test_a_process_that_cannot_be_started_leaves_no_pipe_open(
    start: StartChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: BaseProcess) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(BaseProcess, "start", refuse)
    with pytest.raises(BlockingIOError):
        start("worker", says_region)  # the first may start what watches over all
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(BlockingIOError) as refused:
        start("worker", says_region)
    assert set(os.listdir("/dev/fd")) == before, refused.tb


def test_of_several_errors_at_once_a_bug_is_told_before_our_own_sentences_and_else_the_first() -> None:
    disk, usage, bug = DiskError("the disk is full"), UsageError("no"), KeyError("bug")
    told = as_failed(BaseExceptionGroup("", [ExceptionGroup("", [disk, usage]), usage]))
    assert (told.message, told.exit_code) == ("the disk is full", ExitCode.DISK)
    told = as_failed(ExceptionGroup("", [disk, ExceptionGroup("", [usage, bug])]))
    assert (told.message, told.exit_code) == ("KeyError: 'bug'", ExitCode.BUG)
    assert "the disk is full" in told.traceback


@pytest.mark.parametrize(
    ("name", "exitcode", "words"),
    [
        ("worker 1", -9, "worker 1 was killed by signal SIGKILL"),
        ("emulator", -15, "the emulator was killed by signal SIGTERM"),
        ("worker 1", -40, "worker 1 was killed by signal 40"),
        ("worker", 3, "the worker ended with exit code 3"),
        ("worker 0", None, "worker 0 closed its channel without a word, and still runs"),
    ],
)
async def test_how_a_child_ended_is_said_with_its_name_within_a_second(
    name: str, exitcode: int | None, words: str
) -> None:
    process = Process(exitcode)
    gone = child(process, name)
    assert await gone.receive() is None
    assert gone.how_it_ended() == words
    assert process.waited_s == [1.0]


def test_all_channels_close_before_the_first_child_is_waited_for_and_one_that_stays_is_killed() -> None:
    stubborn, good = Process(None), Process(0)
    children = [child(stubborn), child(good)]
    closed = []
    stubborn.join = lambda timeout_s=None: closed.append([ours(one).closed for one in children])  # type: ignore[method-assign]
    leave_all(children)
    assert closed[0] == [True, True]
    assert (stubborn.is_killed, good.is_killed) == (True, False)


@pytest.mark.slow  # a process that imports all it needs
@pytest.mark.parametrize("start", [start_child, start_forked])
async def test_ctrl_c_in_a_terminal_which_every_process_receives_disturbs_no_child_amid_its_tables(
    start: StartChild,
) -> None:
    busy = start("worker", with_tables)
    try:
        assert await busy.receive() == Acknowledged()
        assert isinstance(busy.process, BaseProcess)
        assert busy.process.pid is not None
        for _ in range(15):
            await anyio.sleep(0.05)
            os.kill(busy.process.pid, signal.SIGINT)
        assert await busy.receive() == Acknowledged()
    finally:
        busy.leave()


@pytest.mark.slow  # processes that import all they need
@pytest.mark.parametrize("start", [start_child, start_forked])
async def test_a_child_has_the_environment_of_the_moment_in_which_it_is_started(
    start: StartChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    for region in ("eu-west-1", "eu-north-1"):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        child = start("worker", says_region)
        try:
            assert await child.receive() == Preparing(region)
        finally:
            child.leave()
