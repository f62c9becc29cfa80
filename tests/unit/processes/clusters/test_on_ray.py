"""Goal: a worker that Ray places is a worker as any other: its words, its end and its death arrive as a process's do.

Method: Ray's few calls on threads of this process; Ray itself where it is installed, which no other test needs.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing import AuthenticationError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from smbench.errors import ExitCode, SmbenchError, TargetError, UsageError
from smbench.generator.shares import Share
from smbench.processes.child import Child, worker_main
from smbench.processes.clusters import actor, on_ray
from smbench.processes.messages import Failed, Preparing, Stop, WorkerOrder, Workplace
from smbench.records import NotSent
from smbench.targets.base import AwsAccess

ORDER = WorkerOrder("{}", Share("r", 1, 2), "digest", AwsAccess(), 0)


class RayError(Exception):
    pass


class Ray:
    """As far as Ray is used: an actor is an object, each call of it a thread, one after the other."""

    def __init__(self) -> None:
        self.exceptions, self.killed = SimpleNamespace(RayError=RayError), 0
        self.util = SimpleNamespace(get_node_ip_address=lambda: "127.0.0.1")

    def remote(self, **_options: Any) -> Callable[[type], Any]:
        return lambda of: SimpleNamespace(remote=lambda **arguments: self._handle(of(**arguments)))

    def _handle(self, actor: Any) -> Any:
        in_turn = threading.Lock()

        def call(name: str) -> Any:
            return SimpleNamespace(remote=lambda *arguments: self._started(getattr(actor, name), arguments, in_turn))

        return SimpleNamespace(**{name: call(name) for name in ("unsuitable", "meet", "work")})

    def _started(
        self, method: Callable[..., Any], arguments: tuple[Any, ...], in_turn: threading.Lock
    ) -> "Future[Any]":
        future: Future[Any] = Future()

        def run() -> None:
            with in_turn:
                try:
                    future.set_result(method(*arguments))
                except RayError as error:
                    future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future

    def get(self, future: "Future[Any]", timeout: float | None = None) -> Any:
        return future.result(timeout)

    def wait(self, futures: "list[Future[Any]]", timeout: float | None = None) -> tuple[list[Any], list[Any]]:
        try:
            futures[0].exception(timeout)
        except TimeoutError:
            return [], futures
        return futures, []

    def kill(self, _actor: Any) -> None:
        self.killed += 1


@pytest.fixture
def ray() -> Ray:
    return Ray()


def started(ray: Ray, run_dir: Path, main: Callable[..., None]) -> Child:
    child, _ = on_ray._actor(ray, "worker 1", main, (ORDER, Workplace(run_dir, run_dir)), outlives=False)
    return child


async def test_what_parent_and_actor_say_arrives_and_its_end_is_seen(ray: Ray, tmp_path: Path) -> None:
    def main(channel: Any, order: WorkerOrder, workplace: Workplace) -> None:
        assert (order, workplace.run_dir) == (ORDER, tmp_path.resolve())
        channel.send(Preparing("looking"))
        assert anyio.run(channel.receive) == Stop(NotSent.STOPPED, "enough")

    child = started(ray, tmp_path, main)
    with anyio.fail_after(5):
        assert await child.receive() == Preparing("looking")
        child.tell(Stop(NotSent.STOPPED, "enough"))
        assert await child.receive() is None
    assert child.how_it_ended() == "worker 1 ended with exit code 0"


async def test_an_error_of_the_worker_reaches_the_parent_with_whose_fault_it_is(ray: Ray, tmp_path: Path) -> None:
    def main(_channel: Any, _order: WorkerOrder, _workplace: Workplace) -> None:
        raise TargetError("there is no endpoint mine")

    with anyio.fail_after(5):
        message = await started(ray, tmp_path, main).receive()
    assert isinstance(message, Failed)
    assert (message.message, message.exit_code) == ("there is no endpoint mine", ExitCode.TARGET)


@pytest.mark.parametrize(
    ("version", "folder", "words"),
    [("0.0.1", ".", "and the run is of smbench 0.0.1"), (None, "nowhere", "does not see the results folder")],
)
def test_a_machine_that_cannot_take_part_is_refused_before_anything_is_sent(
    ray: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, folder: str, words: str
) -> None:
    suits = actor.Actor.unsuitable
    monkeypatch.setattr(actor.Actor, "unsuitable", lambda self, ours, place: suits(self, version or ours, place))
    with pytest.raises(TargetError, match=words):
        started(ray, tmp_path / folder, lambda *_: None)
    assert ray.killed == 1


@pytest.mark.parametrize("error", [EOFError, AuthenticationError, TimeoutError])
def test_a_stranger_at_the_line_is_refused_and_the_actor_is_not_left_behind(
    ray: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def strange(_connection: Any, _key: bytes) -> None:
        raise error

    monkeypatch.setattr(actor, "deliver_challenge", strange)
    monkeypatch.setattr(actor.Actor, "meet", lambda _self, address, _key: socket.create_connection(address).close())
    with pytest.raises(TargetError, match=f"worker 1 did not begin as a Ray actor: {error.__name__}"):
        started(ray, tmp_path, lambda *_: None)
    assert ray.killed == 1


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError) as refused, on_ray.workers_on("ray"):
        pass
    assert "pip install 'smbench[ray]'" in refused.value.advice


def test_no_other_place_is_known_and_local_needs_no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with on_ray.workers_on("local") as placement:
        assert placement == on_ray.Placement()
    with pytest.raises(UsageError, match="is not a place for workers") as refused, on_ray.workers_on("mars"):
        pass
    assert "processing" in refused.value.advice


@pytest.mark.parametrize(("theirs", "begun_with"), [(None, "0"), ("5", "5")])
def test_workers_of_a_cluster_that_begins_here_have_the_priority_of_any_process(
    monkeypatch: pytest.MonkeyPatch, theirs: str | None, begun_with: str
) -> None:
    """Ray's own default is the lowest but four: lag p99 was up to five times that of local workers."""
    seen: list[str | None] = []
    name = "RAY_worker_niceness"
    context = lambda: SimpleNamespace(gcs_address="127.0.0.1:1")  # noqa: E731
    cluster = SimpleNamespace(init=lambda **_: seen.append(os.environ.get(name)), shutdown=lambda: None)
    cluster.get_runtime_context = context
    monkeypatch.setitem(sys.modules, "ray", cluster)
    monkeypatch.delenv(name, raising=False)
    if theirs is not None:
        monkeypatch.setenv(name, theirs)
    with on_ray.workers_on("ray"):
        assert os.environ.get(name) == theirs
    assert seen == [begun_with]


@pytest.mark.parametrize(
    ("address", "is_there", "outlive", "cluster", "words"),
    [
        ("ray://me:secret@head:10001", True, True, "ray://head:10001", "its workers go on"),
        ("ray://head:10001", True, False, "", "the emulated endpoint ends and so do its workers"),
        (None, True, True, "127.0.0.1:1", "its workers go on"),
        (None, False, True, "", "the cluster ends and so do its workers"),
    ],
)
def test_what_becomes_of_the_workers_is_said_and_an_address_is_kept_without_its_credentials(
    monkeypatch: pytest.MonkeyPatch, address: str | None, is_there: bool, outlive: bool, cluster: str, words: str
) -> None:
    begun: list[str] = []

    def init(address: str, **_: object) -> None:
        begun.append(address)
        if not is_there and address != "local":
            raise ConnectionError("no cluster")

    context = SimpleNamespace(gcs_address="127.0.0.1:1")
    ray = SimpleNamespace(init=init, shutdown=lambda: None, get_runtime_context=lambda: context)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with on_ray.workers_on(address or "ray", outlive=outlive) as placement:
        assert placement.cluster == cluster
        assert words in placement.note
    assert begun == [address or "auto", *([] if is_there else ["local"])]


@pytest.mark.slow  # a cluster starts and ends
async def test_an_actor_that_is_killed_is_named_at_once(tmp_path: Path) -> None:
    cluster = pytest.importorskip("ray")
    with on_ray.workers_on("ray") as placement:
        assert placement.start is not None
        child = placement.start("worker 1", worker_main, ORDER, Workplace(tmp_path, tmp_path))
        with anyio.fail_after(60):
            message = await child.receive()
        assert isinstance(message, Failed), "an order without a scenario"
        child.kill()
        with anyio.fail_after(5):
            assert await child.receive() is None
    assert isinstance(message.error(), SmbenchError)
    assert not cluster.is_initialized()
