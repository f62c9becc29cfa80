"""Worker processes that outlive a run and take the next: many short runs pay for starts and imports once.

A process is lent to one run at a time. What a run leaves in it is freed when it ends, and what it learnt of AWS's API
stays; one that fails or hangs is ended as any child is, and is not lent again.
"""

import gc
import multiprocessing
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import Any

from smbench.processes.channel import Channel, PipeChannel
from smbench.processes.child import Child, answer_for, start_child, start_forked

_ENDED_S = 1.0


class WarmWorkers(AbstractContextManager["WarmWorkers"]):
    """Starts children in processes that are kept until the block ends; a `StartChild` by its `start`.

    Where the system knows no fork, each child is a process of its own, as by `start_child`.
    """

    def __init__(self) -> None:
        self._idle: list[_Warm] = []
        self._lock = Lock()

    def __exit__(self, *exit_details: object) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for warm in idle:
            warm.child.leave()

    def start(self, name: str, main: Callable[..., None], *arguments: Any) -> Child:
        """See `StartChild`."""
        if "forkserver" not in multiprocessing.get_all_start_methods():
            return start_child(name, main, *arguments)
        warm = self._taken() or _Warm(start_forked("warm worker", _serve))
        ours, theirs = multiprocessing.Pipe()
        warm.lend((main, arguments), theirs)
        return Child(name, _Lent(warm, self._take_back), PipeChannel(ours))

    def _taken(self) -> "_Warm | None":
        """An idle process; one that was killed while it waited is left behind."""
        while True:
            with self._lock:
                warm = self._idle.pop() if self._idle else None
            if warm is None or warm.child.process.is_alive():
                return warm
            warm.child.leave()

    def _take_back(self, warm: "_Warm") -> None:
        with self._lock:
            self._idle.append(warm)


class _Warm:
    """A process that serves one run after another."""

    def __init__(self, child: Child) -> None:
        self.child = child
        assert isinstance(child.channel, PipeChannel), "it runs on this machine"
        self._orders: Connection = child.channel.connection

    @property
    def process(self) -> BaseProcess:
        process = self.child.process
        assert isinstance(process, BaseProcess), "it runs on this machine"
        return process

    def lend(self, what: tuple[Callable[..., None], tuple[Any, ...]], channel: Connection) -> None:
        """Have it serve a run at the other end of a channel, whose own end here is closed."""
        with channel:
            self._orders.send(what)
            reduction.send_handle(self._orders, channel.fileno(), self.process.pid)

    def is_free(self, within_s: float | None) -> bool:
        """Whether the run that it serves is over, waiting so long for it; False too where the process has ended."""
        try:
            return self._orders.poll(within_s) and self._orders.recv()
        except (EOFError, OSError):
            self.process.join(_ENDED_S)  # it has closed its end: what is left takes milliseconds
            return False


class _Lent:
    """A warm process while it serves one run: as a `Process`, its end is the end of that run."""

    def __init__(self, warm: _Warm, take_back: Callable[[_Warm], None]) -> None:
        self._warm, self._take_back = warm, take_back
        self._is_over = False

    @property
    def exitcode(self) -> int | None:
        """0 once its run is over; else of the process."""
        return 0 if self._is_over else self._warm.process.exitcode

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the run."""
        if not self._is_over and self._warm.is_free(timeout):
            self._is_over = True
            self._take_back(self._warm)

    def is_alive(self) -> bool:
        """Whether the run goes on."""
        return not self._is_over and self._warm.process.is_alive()

    def kill(self) -> None:
        """End the process; it is not lent again."""
        if not self._is_over:
            self._warm.process.kill()


def _serve(orders: Channel) -> None:
    """Serve runs until the parent closes its end or has ended."""
    assert isinstance(orders, PipeChannel), "it runs on this machine"
    while True:
        try:
            main, arguments = orders.connection.recv()
            handle = reduction.recv_handle(orders.connection)
        except (EOFError, OSError):
            return
        channel = PipeChannel(Connection(handle))
        is_sound = answer_for(channel, main, arguments)
        channel.close()
        del main, arguments, channel
        gc.unfreeze()  # a run froze what there was at its begin
        gc.collect()
        if not is_sound:
            return
        orders.connection.send(True)
