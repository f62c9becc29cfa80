"""Requests to end a run early: from a signal or a thread, counted from before the run starts until it is closed.

The first asks for no more to be sent and for what was sent to be followed; the second asks to stop at once. SIGINT,
SIGTERM and SIGHUP mean the same. A signal that the process was started to ignore (`nohup`) stays ignored.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import anyio

_SLICE_S = 0.2  # in which a thread that pauses sees an interrupt
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupts:
    """What was asked so far. `give` may be called from any thread and from a signal handler.

    Args:
        takes_hang_up: SIGHUP is one of the signals; False: somebody else takes it.

    Attributes:
        names: Who asked, in order: names of signals, or what a caller passed to `give`.
    """

    def __init__(self, *, takes_hang_up: bool = True) -> None:
        self.names: list[str] = []
        self._at_once: list[bool | None] = []
        self._signals = _SIGNALS if takes_hang_up else tuple(one for one in _SIGNALS if one.name != "SIGHUP")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._given: anyio.Event | None = None

    def give(self, name: str, *, at_once: bool | None = None) -> None:
        """Ask once more.

        Args:
            at_once: To stop at once, or not to, however often it was asked before; None: as the number of it says.
        """
        self._at_once.append(at_once)
        self.names.append(name)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    async def wait(self, number: int) -> str:
        """Who asked for the `number`-th time (from 1), waiting for it. One loop at a time may wait."""
        self._loop = asyncio.get_running_loop()
        try:
            while len(self.names) < number:
                self._given = given = anyio.Event()
                if len(self.names) < number:  # given from another thread meanwhile
                    await given.wait()
        finally:
            self._loop = self._given = None
        return self.names[number - 1]

    def pause(self, wait_s: float, n_asked: int) -> None:
        """Hold up this thread for so long, or until it was asked more than `n_asked` times."""
        never = threading.Event()
        for _ in range(max(1, round(wait_s / _SLICE_S))):
            if len(self.names) > n_asked:
                return
            never.wait(_SLICE_S)

    def at_once(self, number: int) -> bool | None:
        """Whether the `number`-th (from 1) asked to stop at once; None: where something is stopping already."""
        return self._at_once[number - 1]

    def _wake(self) -> None:
        if self._given is not None:
            self._given.set()

    @contextmanager
    def from_signals(self) -> Iterator[None]:
        """Take the process's signals while the block lasts. In any thread but the main one it takes none."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        let_polars_in()
        before = {number: signal.getsignal(number) for number in self._signals}
        taken = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
        try:
            for number in taken:
                signal.signal(number, self._received)
            yield
        finally:
            for number in taken:
                signal.signal(number, before[number])

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self.give(signal.Signals(number).name)


def let_polars_in() -> None:
    """Import polars, and be the one who decides on SIGINT again; call it before handlers are set.

    Its import puts a handler before the one there is. From then on a SIGINT raises KeyboardInterrupt in every thread
    that is inside polars, also where the program takes SIGINT by itself or ignores it.
    """
    decided = signal.getsignal(signal.SIGINT)
    import polars  # noqa: F401

    if decided is not None:
        signal.signal(signal.SIGINT, decided)
