"""The one clock of the whole product: integer nanoseconds since the run began.

Three kinds (docs/decisions/0007-three-kinds-of-time.md): `real`; `scaled`, which runs faster by a factor;
`warp`, whose loop jumps to the next timer when nothing is ready. Results speak scenario time in all three.
"""

import asyncio
import math
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from enum import StrEnum
from typing import Any, Protocol, Self, TypeVar, TypeVarTuple, Unpack

import anyio

from smbench.kernel_timer import kernel_timer

_Args = TypeVarTuple("_Args")
_Result = TypeVar("_Result")


class TimeKind(StrEnum):
    """How scenario time relates to real time."""

    REAL = "real"
    SCALED = "scaled"
    WARP = "warp"


class Clock(Protocol):
    """Scenario time. Zero is the instant the schedule begins; before it `now_ns` is negative."""

    @property
    def kind(self) -> TimeKind:
        """Real, scaled or warp."""

    @property
    def scale(self) -> float:
        """Scenario seconds per real second; 1.0 in warp time, where no real second is waited for."""

    @property
    def epoch_ns(self) -> int:
        """UTC nanoseconds since 1970 at scenario time zero."""

    def now_ns(self) -> int:
        """Scenario time: nanoseconds since the run began, negative before."""

    async def sleep_until_ns(self, due_ns: int) -> None:
        """Return at or after `due_ns`, never before; at once, without yielding, when it has passed."""

    async def settle(self) -> None:
        """In warp time: return when nothing more happens at this instant; in any other time at once."""


class MonotonicClock:
    """The machine's monotonic clock, anchored once; every process of a run on this machine shares the anchor.

    Args:
        anchor_ns: `time.monotonic_ns()` at scenario time zero; may lie in the future.
        epoch_ns: UTC nanoseconds at that instant.
        scale: Scenario seconds per real second.
    """

    def __init__(self, anchor_ns: int, epoch_ns: int, scale: float = 1.0) -> None:
        self.anchor_ns, self.epoch_ns, self.scale = anchor_ns, epoch_ns, scale
        self._timer = kernel_timer()

    @classmethod
    def beginning(cls, begins_utc_ns: int, epoch_ns: int, scale: float = 1.0) -> Self:
        """A clock whose scenario time zero is when the machine's wall clock shows `begins_utc_ns`."""
        return cls(_monotonic_at(begins_utc_ns), epoch_ns, scale)

    @property
    def kind(self) -> TimeKind:
        """Real at scale 1, else scaled."""
        return TimeKind.REAL if self.scale == 1.0 else TimeKind.SCALED

    def now_ns(self) -> int:
        """See `Clock`; from the monotonic clock, so a correction of the wall clock does not move it."""
        elapsed_ns = time.monotonic_ns() - self.anchor_ns
        return elapsed_ns if self.scale == 1.0 else round(elapsed_ns * self.scale)

    async def sleep_until_ns(self, due_ns: int) -> None:
        """See `Clock`; never wakes early."""
        timer = self._timer
        if timer is not None and self.scale == 1.0:  # a thousand times a second: no more clock readings than needed
            if time.monotonic_ns() < (at_ns := self.anchor_ns + due_ns):
                await timer.reached(at_ns)
            return
        # A loop, not one sleep: where there is no timer of the kernel, uvloop's may be early (MagicStack/uvloop#739).
        while (left_ns := due_ns - self.now_ns()) > 0:
            if timer is None:
                await anyio.sleep(left_ns / self.scale / 1e9)
            else:
                await timer.reached(self.anchor_ns + math.ceil(due_ns / self.scale))

    async def settle(self) -> None:
        """See `Clock`; time goes on by itself."""


class LoopClock:
    """The running loop's own time: virtual on a `WarpLoop`, and on the loops the tests use.

    Args:
        epoch_ns: UTC nanoseconds at the moment of construction, which is scenario time zero.
        late_ns: Sleeps end this much after they should, as on a busy loop. For tests.
    """

    kind = TimeKind.WARP
    scale = 1.0

    def __init__(self, epoch_ns: int = 0, late_ns: int = 0) -> None:
        self.epoch_ns, self.late_ns = epoch_ns, late_ns
        self._time = _loops_time()
        self.start_s = self._time()

    def now_ns(self) -> int:
        """See `Clock`; from the event loop's own time."""
        return round((self._time() - self.start_s) * 1e9)

    async def sleep_until_ns(self, due_ns: int) -> None:
        """See `Clock`; late by `late_ns` in tests."""
        while (left_ns := due_ns - self.now_ns()) > 0:  # noqa: ASYNC110  # as above
            await anyio.sleep((left_ns + self.late_ns) / 1e9)

    async def settle(self) -> None:
        """See `Clock`."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another backend of anyio's, whose clock jumps in tests
            await anyio.wait_all_tasks_blocked()
        else:
            assert isinstance(loop, WarpLoop), "only such a loop stops its clock"
            await loop.quiet()


def _loops_time() -> Callable[[], float]:
    """The running loop's clock; anyio's own looks for the loop again at each call, which is several times a request."""
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:  # another backend of anyio's
        return anyio.current_time


def wall_ns() -> int:
    """UTC nanoseconds since 1970: for the clock's anchor and the manifest, once a run, and for what signatures say."""
    return time.time_ns()


def real_ns() -> int:
    """The machine's monotonic nanoseconds: for measuring ourselves, whatever time the scenario keeps."""
    return time.monotonic_ns()


def _monotonic_at(utc_ns: int) -> int:
    """What the monotonic clock shows when the wall clock shows this, by the closest of a few readings of both."""
    closest = None
    for _ in range(5):
        before_ns, wall, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if closest is None or after_ns - before_ns < closest[0]:
            closest = after_ns - before_ns, (before_ns + after_ns) // 2 - wall
    assert closest is not None
    return utc_ns + closest[1]


def process_cpu_ns() -> int:
    """CPU nanoseconds this process has used, user and system."""
    return time.process_time_ns()


class WarpLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose clock stops while anything is ready and else jumps to the next timer.

    Safe for sockets of this process on loopback: what one end has sent is readable at the other end at once, so
    "nothing is ready" means that nothing can arrive (measured: 0 of 400,000 sends were not). Jobs given to
    `run_in_executor` hold the clock. Not for sockets to elsewhere, nor for threads started another way.

    Args:
        beat: Called on the loop about every `beat_s` real seconds, for a watcher outside.
    """

    def __init__(self, beat: Callable[[], None] | None = None, beat_s: float = 0.25) -> None:
        self.virtual_s = 0.0
        self.jobs_running = 0
        self.awaiting_quiet: list[asyncio.Future[None]] = []
        self.beat, self.beat_s = beat, beat_s
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Virtual seconds; they jump when nothing is ready."""
        return self.virtual_s

    async def quiet(self) -> None:
        """Return when nothing is ready, before time jumps."""
        waited: asyncio.Future[None] = self.create_future()
        self.awaiting_quiet.append(waited)
        await waited

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Args]], _Result], *args: *_Args
    ) -> asyncio.Future[_Result]:
        """As asyncio's; time does not jump while a thread works."""
        self.jobs_running += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._job_ended)
        return future

    def _job_ended(self, _future: object) -> None:
        self.jobs_running -= 1


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: WarpLoop) -> None:
        super().__init__()
        self._loop = loop
        self._next_beat = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        loop = self._loop
        if loop.beat is not None and (now := time.monotonic()) >= self._next_beat:
            self._next_beat = now + loop.beat_s
            loop.beat()
        ready: list[Any] = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if loop.jobs_running:
            return super().select(0.01 if timeout is None else min(timeout, 0.01))
        if loop.awaiting_quiet:
            for waited in loop.awaiting_quiet:
                if not waited.done():  # cancelled
                    waited.set_result(None)
            loop.awaiting_quiet.clear()
            return ready
        if timeout is None:
            return super().select(0.05)  # only another process can wake us: wait for it in real time
        loop.virtual_s += timeout
        return []
