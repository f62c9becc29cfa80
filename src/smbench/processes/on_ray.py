"""Workers as Ray actors: the same entry over the same kind of channel, on whichever machine Ray places them.

Ray is imported when a run asks for it, never before. An actor opens one connection back to the parent, which closes
with its process, whatever ends it: so its end is seen as soon as that of a process on this machine.
"""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from typing import Any

from smbench.errors import TargetError, UsageError
from smbench.processes.channel import PipeChannel
from smbench.processes.child import Child, StartChild, as_failed, start_child, worker_main
from smbench.processes.messages import WorkerOrder, Workplace
from smbench.version import __version__

_PLACED_S = 60.0  # for a cluster that must first find room for an actor
_MET_S = 10.0
_NICENESS = "RAY_worker_niceness"  # 15 by default: a worker would wait for all else on its machine, and send late


class _Actor:
    """A worker's process on Ray's side."""

    def unsuitable(self, version: str, workplace: Workplace) -> str:
        """Why this machine cannot take part; empty: it can."""
        if version != __version__:
            return f"{socket.gethostname()} has smbench {__version__}, and the run is of smbench {version}"
        if not workplace.run_dir.is_dir():
            return f"{socket.gethostname()} does not see the results folder {workplace.run_dir}"
        return ""

    def meet(self, address: tuple[str, int], key: bytes) -> None:
        """Open the line to the parent."""
        self.channel = PipeChannel(Client(address, authkey=key))

    def work(self, main: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Run the worker to its end."""
        try:
            main(self.channel, *arguments)
        except BaseException as error:  # noqa: BLE001  # the last line of a worker: the parent must know, whatever it is
            self.channel.send(as_failed(error))
        finally:
            self.channel.close()


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


@contextmanager
def workers_on(place: str) -> Iterator[StartChild | None]:
    """What starts the processes of a run, while the block lasts; None: nothing but what a run alone uses.

    Args:
        place: `local`, this machine; `ray`, the cluster that RAY_ADDRESS names, or one on this machine for the block
            alone; `ray://HOST:PORT`, that cluster. All but workers are processes of this machine.

    Raises:
        UsageError: another place, or Ray is not installed.
        TargetError: the cluster cannot be reached.
    """
    check_place(place)
    if place == "local":
        yield None
        return
    with _on_ray(None if place == "ray" else place) as start:
        yield start


def check_place(place: str) -> None:
    """Raises UsageError: workers cannot run there, by its name."""
    if place not in ("local", "ray") and not place.startswith("ray://"):
        is_job = place == "processing"
        other = "from Python a processing job is `smbench.run_job`" if is_job else "on the command line also processing"
        raise UsageError(
            f"--on {place} is not a place for workers", f"there is local, ray and ray://HOST:PORT; {other}"
        )


@contextmanager
def _on_ray(address: str | None) -> Iterator[StartChild]:
    try:
        import ray
    except ImportError:
        raise UsageError("--on ray needs Ray, which is not installed", "pip install 'smbench[ray]'") from None
    is_theirs = _NICENESS in os.environ
    os.environ.setdefault(_NICENESS, "0")  # for a cluster that begins here; another has what it began with
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise TargetError(f"Ray cannot be reached: {error}", "see `ray status`") from error
    finally:
        if not is_theirs:
            del os.environ[_NICENESS]

    def start(name: str, main: Callable[..., None], *arguments: Any) -> Child:
        return _actor(ray, name, main, arguments) if main is worker_main else start_child(name, main, *arguments)

    try:
        yield start
    finally:
        ray.shutdown()


def _actor(ray: Any, name: str, main: Callable[..., None], arguments: tuple[WorkerOrder, Workplace]) -> Child:
    order, workplace = arguments
    there = Workplace(workplace.base_dir.resolve(), workplace.run_dir.resolve())
    actor = ray.remote(num_cpus=1, max_restarts=0)(_Actor).remote()
    try:
        connection = _met(ray, actor, name, there)
    except (ray.exceptions.RayError, OSError, EOFError, AuthenticationError) as error:
        ray.kill(actor)
        raise TargetError(f"{name} did not begin as a Ray actor: {type(error).__name__}", "see `ray status`") from error
    except TargetError:
        ray.kill(actor)
        raise
    return Child(name, ActorProcess(ray, actor, actor.work.remote(main, (order, there))), PipeChannel(connection))


def _met(ray: Any, actor: Any, name: str, there: Workplace) -> Connection:
    """Our end of the line that the actor opens, once its machine can take part."""
    if why := ray.get(actor.unsuitable.remote(__version__, there), timeout=_PLACED_S):
        raise TargetError(f"{name} cannot begin: {why}", "every machine needs the same smbench, and the folder")
    key = secrets.token_bytes(32)
    with socket.create_server((ray.util.get_node_ip_address(), 0)) as server:
        server.settimeout(_MET_S)
        actor.meet.remote(server.getsockname(), key)
        accepted, _ = server.accept()
    connection = Connection(accepted.detach())
    deliver_challenge(connection, key)
    answer_challenge(connection, key)
    return connection
