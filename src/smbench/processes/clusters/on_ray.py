"""Workers as Ray actors: the same entry over the same kind of channel, on whichever machine Ray places them.

Ray is imported when a run asks for it, never before. An actor opens one connection back to the parent, which closes
with its process, whatever ends it: so its end is seen as soon as that of a process on this machine. On a cluster that
was there before the run an actor outlives a parent that is lost, and another parent finds it by its name.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import Any

from smbench.clock import real_ns
from smbench.errors import TargetError, UsageError
from smbench.generator.shares import Share
from smbench.processes.channel import PipeChannel
from smbench.processes.child import Child, StartChild, start_child, worker_main
from smbench.processes.clusters.actor import Actor, RunsFolder, met
from smbench.processes.messages import Leave, WorkerOrder, Workplace
from smbench.results.marks import InUseError
from smbench.version import __version__

_PLACED_S = 60.0  # for a cluster that must first find room for an actor
_ASKED_S = 20.0
_REACHED_S = 5.0
_NICENESS = "RAY_worker_niceness"  # 15 by default: a worker would wait for all else on its machine, and send late
_ADDRESS = "RAY_ADDRESS"
_NAMESPACE = "smbench"
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the workers of a run are.

    Args:
        start: What starts its processes; None: nothing but what a run alone uses.
        cluster: Address of the Ray cluster on which its workers outlive this process; empty: none do.
        note: What a person should know of that before the run; empty: nothing.
    """

    start: StartChild | None = None
    cluster: str = ""
    note: str = ""


class ActorProcess:
    """An actor as `processes.child.Process`."""

    def __init__(self, ray: Any, actor: Any, work: Any) -> None:
        self._ray, self._actor, self._work = ray, actor, work

    @property
    def exitcode(self) -> int | None:
        """None while it works; 0 when its work was done; 1 when the actor died."""
        if self.is_alive():
            return None
        try:
            self._ray.get(self._work)
        except self._ray.exceptions.RayError:
            return 1
        return 0

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, so many seconds at most."""
        self._ray.wait([self._work], timeout=timeout)

    def is_alive(self) -> bool:
        """Whether it still works."""
        ready, _ = self._ray.wait([self._work], timeout=0)
        return not ready

    def kill(self) -> None:
        """End it at once."""
        self._ray.kill(self._actor)


class LedChannel(PipeChannel):
    """The parent's end of a line to a worker that outlives a lost parent: this one says that it is not lost."""

    def close(self) -> None:
        """Say so, and close."""
        if not self.connection.closed:
            self.send(Leave())
        super().close()


@contextmanager
def workers_on(place: str, *, outlive: bool = False) -> Iterator[Placement]:
    """What starts the processes of a run, while the block lasts.

    Args:
        place: `local`, this machine; `ray`, the cluster that RAY_ADDRESS names or that runs on this machine, else one
            for the block alone; `ray://HOST:PORT`, that cluster. All but workers are processes of this machine.
        outlive: What the workers measure outlives this process, so they may.

    Raises:
        UsageError: another place, or Ray is not installed.
        TargetError: the cluster cannot be reached.
    """
    check_place(place)
    if place == "local":
        yield Placement()
        return
    with _on_ray(None if place == "ray" else place, outlive=outlive) as placement:
        yield placement


def check_place(place: str) -> None:
    """Raises UsageError: workers cannot run there, by its name."""
    if place not in ("local", "ray") and not place.startswith("ray://"):
        is_job = place == "processing"
        other = "from Python a processing job is `smbench.run_job`" if is_job else "on the command line also processing"
        raise UsageError(
            f"--on {place} is not a place for workers", f"there is local, ray and ray://HOST:PORT; {other}"
        )


@contextmanager
def _on_ray(address: str | None, *, outlive: bool) -> Iterator[Placement]:
    with connected(address) as (ray, cluster):
        actors: dict[str, Any] = {}
        ends_with = "the cluster ends" if not cluster else "the emulated endpoint ends"
        outlive = outlive and bool(cluster)

        def start(name: str, main: Callable[..., None], *arguments: Any) -> Child:
            if main is not worker_main:
                return start_child(name, main, *arguments)
            child, actor = _actor(ray, name, main, arguments, outlives=outlive)
            actors[name_of(arguments[0].share)] = actor
            return child

        try:
            if outlive:
                note = "if this process is killed, its workers go on, and `smbench collect RUN` brings the run home"
            else:
                note = f"if this process is killed, {ends_with} and so do its workers"
            yield Placement(start, cluster if outlive else "", note)
        finally:
            if outlive:
                end_actors(ray, actors, cluster)


@contextmanager
def connected(address: str | None) -> Iterator[tuple[Any, str]]:
    """Ray, connected while the block lasts, and the cluster's address; empty: it ends with the block.

    Args:
        address: None: the cluster that RAY_ADDRESS names or that runs on this machine, else a new one.

    Raises:
        UsageError: Ray is not installed.
        TargetError: the cluster cannot be reached.
    """
    try:
        import ray
    except ImportError:
        raise UsageError("--on ray needs Ray, which is not installed", "pip install 'smbench[ray]'") from None
    is_theirs = _NICENESS in os.environ
    os.environ.setdefault(_NICENESS, "0")  # for a cluster that begins here; another has what it began with
    try:
        cluster = _joined(ray, address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise TargetError(f"Ray cannot be reached: {error}", "see `ray status`") from error
    finally:
        if not is_theirs:
            del os.environ[_NICENESS]
    try:
        yield ray, cluster
    finally:
        ray.shutdown()


def _joined(ray: Any, address: str | None) -> str:
    """Connect; returns the address by which another process can, or nothing for a cluster that begins here."""
    quietly = {"log_to_driver": False, "configure_logging": False, "include_dashboard": False}
    named = address or os.environ.get(_ADDRESS, "auto")
    try:
        ray.init(address=named, **quietly)
    except ConnectionError:
        if named != "auto":
            raise
        ray.init(address="local", **quietly)
        return ""
    if "://" in named:
        scheme, _, rest = named.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"  # what may be before it is a password's place
    return "" if named == "local" else str(ray.get_runtime_context().gcs_address)


def is_reachable(address: str) -> bool:
    """Whether anything answers there at all: Ray itself takes minutes to find out."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_S).close()
    except (OSError, ValueError):
        return False
    return True


def name_of(share: Share) -> str:
    """Of the actor that works on a share."""
    return f"{share.run_id}-{share.worker}"


def _actor(
    ray: Any, name: str, main: Callable[..., None], arguments: tuple[WorkerOrder, Workplace], *, outlives: bool
) -> tuple[Child, Any]:
    order, workplace = arguments
    there = Workplace(workplace.base_dir.resolve(), workplace.run_dir.resolve())
    known = {"name": name_of(order.share), "namespace": _NAMESPACE, "lifetime": "detached", "max_concurrency": 2}
    actor = ray.remote(num_cpus=1, max_restarts=0, **(known if outlives else {}))(Actor).remote(outlives=outlives)
    try:
        _require_suitable(ray, actor, name, there)
        connection = met(ray.util.get_node_ip_address(), actor.meet.remote)
    except (ray.exceptions.RayError, OSError, EOFError, AuthenticationError) as error:
        ray.kill(actor)
        raise TargetError(f"{name} did not begin as a Ray actor: {type(error).__name__}", "see `ray status`") from error
    except BaseException:  # also Ctrl-C: nothing else knows of it yet; the error goes on up
        ray.kill(actor)
        raise
    channel = (LedChannel if outlives else PipeChannel)(connection)
    return Child(name, ActorProcess(ray, actor, actor.work.remote(main, (order, there))), channel), actor


def _require_suitable(ray: Any, actor: Any, name: str, there: Workplace) -> None:
    if why := ray.get(actor.unsuitable.remote(__version__, there), timeout=_PLACED_S):
        raise TargetError(f"{name} cannot begin: {why}", "every machine needs the same smbench, and the folder")


def end_actors(ray: Any, actors: dict[str, Any], cluster: str) -> None:
    """End those that have not ended by themselves; of one that cannot be ended a person reads its name."""
    for name, actor in actors.items():
        try:
            ray.kill(actor)
        except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
            print(  # noqa: T201  # nobody else says it
                f"smbench: the actor {name} on Ray at {cluster} may live on ({error}); it ends with its share, or by\n"
                f"  python -c \"import ray; ray.init('{cluster}'); ray.kill(ray.get_actor('{name}', '{_NAMESPACE}'))\"",
                file=sys.stderr,
            )


def still_there(ray: Any, shares: Sequence[Share]) -> dict[str, Any]:
    """Actors of a run that Ray knows, by their names."""
    found = {}
    for name in map(name_of, shares):
        with suppress(ValueError):
            found[name] = ray.get_actor(name, namespace=_NAMESPACE)
    return found


class FoundProcess:
    """An actor that another process started, as `processes.child.Process`."""

    def __init__(self, ray: Any, name: str, actor: Any) -> None:
        self._ray, self._name, self._actor = ray, name, actor

    @property
    def exitcode(self) -> int | None:
        """None while Ray knows it; how it ended is not known."""
        return None if self.is_alive() else 1

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, so many seconds at most."""
        give_up_ns = real_ns() + round(1e9 * (3600.0 if timeout is None else timeout))
        while self.is_alive() and real_ns() < give_up_ns:
            time.sleep(_LOOK_S)

    def is_alive(self) -> bool:
        """Whether Ray knows it."""
        try:
            self._ray.get_actor(self._name, namespace=_NAMESPACE)
        except ValueError:
            return False
        return True

    def kill(self) -> None:
        """End it at once."""
        self._ray.kill(self._actor)


def adopted(ray: Any, share: Share, run_dir: Path) -> Child | None:
    """A worker that lost its parent, led from here on; None: Ray knows none that works.

    When its channel closes, it goes on alone again, or ends if its work is done.

    Raises:
        TargetError: it has a parent, works into another folder, or does not answer.
    """
    name, worker = name_of(share), "worker" if share.of == 1 else f"worker {share.worker}"
    try:
        actor = ray.get_actor(name, namespace=_NAMESPACE)
        if why := ray.get(actor.engaged.remote(__version__, RunsFolder.of(run_dir)), timeout=_ASKED_S):
            raise InUseError(f"{worker} of the run in {run_dir} is at work on Ray, and {why}", "try again after that")
        connection = met(ray.util.get_node_ip_address(), actor.meet_another.remote)
    except ray.exceptions.GetTimeoutError:
        raise TargetError(f"{worker} is on Ray and does not answer", "try again; see `ray status`") from None
    except (ValueError, ray.exceptions.RayError, EOFError):  # no such name; it has ended, or ends just now
        return None
    return Child(worker, FoundProcess(ray, name, actor), PipeChannel(connection))
