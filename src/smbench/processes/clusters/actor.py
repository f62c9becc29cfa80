"""A worker's process on Ray's side."""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

import anyio

from smbench.processes.channel import Channel, PipeChannel
from smbench.processes.child import as_failed
from smbench.processes.clusters.outliving import OutlivingChannel
from smbench.processes.messages import WorkerOrder, Workplace
from smbench.version import __version__

_MET_S = 10.0
_UNMET_S = 120.0  # an actor that is placed is met within seconds, or its parent has died
_IDLE_S, _ASK_S, _ASKS = 40, 20, 4  # a parent whose machine vanished without a word counts as lost after two minutes


@dataclass(frozen=True, slots=True)
class RunsFolder:
    """The results folder of a run, as a machine finds it: a copy of it is another."""

    path: Path
    inode: int

    @classmethod
    def of(cls, path: Path) -> "RunsFolder":
        """As it is now; raises OSError where there is none."""
        return cls(path.resolve(), path.stat().st_ino)


class Actor:
    """One worker.

    Args:
        outlives: It goes on when its parent is lost, and ends its process itself.
    """

    def __init__(self, *, outlives: bool = False) -> None:
        self._outlives, self._is_met = outlives, threading.Event()
        self._channel: OutlivingChannel | None = None
        self._folder: RunsFolder | None = None
        if outlives:
            threading.Thread(target=self._end_unmet, daemon=True).start()

    def unsuitable(self, version: str, workplace: Workplace) -> str:
        """Why this machine cannot take part; empty: it can."""
        if version != __version__:
            return f"{socket.gethostname()} has smbench {__version__}, and the run is of smbench {version}"
        if not workplace.run_dir.is_dir():
            return f"{socket.gethostname()} does not see the results folder {workplace.run_dir}"
        self._folder = RunsFolder.of(workplace.run_dir)
        return ""

    def meet(self, address: tuple[str, int], key: bytes) -> None:
        """Open the line to the parent."""
        self._line = _line_to(address, key)
        self._is_met.set()

    def work(self, main: Callable[..., None], arguments: tuple[WorkerOrder, Workplace]) -> None:
        """Run the worker to its end; then, of one that outlives its parent, end the process once none is there."""
        self._is_met.wait(_MET_S)  # calls of one that outlives its parent may overtake each other
        if not self._outlives:
            _work(self._line, main, arguments)
            self._line.close()
            return
        order, workplace = arguments
        self._channel = OutlivingChannel(self._line, order, workplace.run_dir)
        _work(self._channel, main, arguments)
        anyio.run(self._channel.parted)
        self._channel.close()
        end_process()

    def engaged(self, version: str, folder: RunsFolder) -> str:
        """Why no other parent may lead the worker; empty: one may."""
        if version != __version__:
            return f"is of smbench {__version__}, not {version}"
        if self._folder != folder:
            return "writes into another folder: this is a copy"
        return "has a parent that lives, or that was lost less than two minutes ago" if self._is_led() else ""

    def meet_another(self, address: tuple[str, int], key: bytes) -> None:
        """Open a line to another parent, where there is none; else it closes at once."""
        line = _line_to(address, key)
        if self._channel is None or not self._channel.take_line(line):
            line.close()

    def _is_led(self) -> bool:
        return self._channel is None or self._channel.is_led()

    def _end_unmet(self) -> None:
        if not self._is_met.wait(_UNMET_S):
            os._exit(0)


def _work(channel: Channel, main: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    try:
        main(channel, *arguments)
    except BaseException as error:  # noqa: BLE001  # the last line of a worker: the parent must know, whatever it is
        channel.send(as_failed(error))


def end_process() -> None:
    """End this actor as Ray expects it."""
    import ray

    exit_actor: Callable[[], None] = ray.actor.exit_actor  # without types where Ray is installed
    exit_actor()


def _line_to(address: tuple[str, int], key: bytes) -> PipeChannel:
    connection = Client(address, authkey=key)
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", _IDLE_S), ("TCP_KEEPINTVL", _ASK_S), ("TCP_KEEPCNT", _ASKS)):
            if hasattr(socket, option):  # not every system names them
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, (_IDLE_S + _ASK_S * _ASKS) * 1000)
    return PipeChannel(connection)


def met(own_address: str, meet: Callable[[tuple[str, int], bytes], object]) -> Connection:
    """The parent's end of the line that an actor opens when `meet` is called with where to and the key.

    Raises:
        OSError, EOFError, AuthenticationError: it did not come, or a stranger did.
    """
    key = secrets.token_bytes(32)
    with socket.create_server((own_address, 0)) as server:
        server.settimeout(_MET_S)
        meet(server.getsockname(), key)
        accepted, _ = server.accept()
    connection = Connection(accepted.detach())
    deliver_challenge(connection, key)
    answer_challenge(connection, key)
    return connection
