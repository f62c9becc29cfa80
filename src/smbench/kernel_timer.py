"""Waiting for an instant by the kernel's own timer: Linux's timerfd.

Timers of event loops have whole milliseconds, and uvloop's may be called early, so a task that waits by them is up to
a millisecond late or asks again and again. A timerfd becomes readable when its instant has come, to some ten
microseconds.
"""

import asyncio
import ctypes
import os
import sys
import time
import weakref
from heapq import heappop, heappush
from itertools import count

_MONOTONIC, _ABSOLUTE = 1, 1  # CLOCK_MONOTONIC; TFD_TIMER_ABSTIME (linux/time.h, sys/timerfd.h)
_SECOND_NS = 1_000_000_000


# Two pairs of seconds and nanoseconds: between two expiries, which stays 0, and at the first. An array, because each
# field of a structure within a structure is an object made anew.
_Itimerspec = ctypes.c_long * 4
_AT_S, _AT_NS = 2, 3


class KernelTimer:
    """One descriptor for all tasks of a loop that wait; it is watched by that loop until the loop is closed.

    Raises:
        OSError: this system has no timerfd, or no descriptor left.
    """

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux has timerfd")
        libc = ctypes.PyDLL(None, use_errno=True)  # neither call waits, so both keep the interpreter's lock
        self._settime = libc.timerfd_settime
        self._timer = int(libc.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        weakref.finalize(self, os.close, self._timer)  # the loop that watches it keeps it alive
        self._spec = _Itimerspec()
        self._spec_at = ctypes.byref(self._spec)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap, by instant
        self._order = count()
        self._armed_ns = 0  # 0: for nothing
        self._is_settling = False  # it has expired in this turn, and is set again at the turn's end

    def reached(self, monotonic_ns: int) -> asyncio.Future[None]:
        """To be awaited by a task of the running loop: done when `time.monotonic_ns()` has reached this.

        A future, for another coroutine would cost as much again.
        """
        loop = self._loop
        if loop is None or loop.is_closed():
            loop = self._watched()
        woken = loop.create_future()
        heappush(self._waiting, (monotonic_ns, next(self._order), woken))
        if not self._is_settling and (not self._armed_ns or monotonic_ns < self._armed_ns):
            self._arm(max(1, monotonic_ns))
        return woken

    def _watched(self) -> asyncio.AbstractEventLoop:
        """The running loop, which from now on watches the descriptor until it is closed."""
        self._loop = loop = asyncio.get_running_loop()
        loop.add_reader(self._timer, self._expired)
        self._waiting, self._armed_ns, self._is_settling = [], 0, False
        return loop

    def _expired(self) -> None:
        # A wait that was cancelled is dropped when its turn comes.
        now_ns = time.monotonic_ns()
        while self._waiting and (self._waiting[0][0] <= now_ns or self._waiting[0][2].done()):
            woken = heappop(self._waiting)[2]
            if not woken.done():
                woken.set_result(None)
        if not self._is_settling:  # who is woken mostly waits again at once: one system call for both
            self._is_settling = True
            assert self._loop is not None, "it watches"
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        self._is_settling = False
        self._arm(max(1, self._waiting[0][0]) if self._waiting else 0)

    def _arm(self, monotonic_ns: int) -> None:
        """Set the timer, which makes it unreadable until then; 0: for ever."""
        self._armed_ns = monotonic_ns
        self._spec[_AT_S], self._spec[_AT_NS] = divmod(monotonic_ns, _SECOND_NS)
        if self._settime(self._timer, _ABSOLUTE, self._spec_at, None) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def kernel_timer() -> KernelTimer | None:
    """A timer, or None where the system has none or no descriptor left for it."""
    try:
        return KernelTimer()
    except (OSError, AttributeError):  # the latter: a C library without the function
        return None
