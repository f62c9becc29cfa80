"""Goal: whoever waits for an instant by the kernel's timer is called at or after it, and no other's wait is disturbed.

Method: real time, a few milliseconds, on asyncio's loop and on uvloop.
"""

import asyncio
import gc
import os
import sys
import time
from pathlib import Path

import anyio
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench import clock
from smbench.clock import MonotonicClock, real_ns
from smbench.kernel_timer import KernelTimer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has timerfd")
MS = 1_000_000


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@settings(max_examples=15)
@given(
    after_us=st.lists(st.integers(-2000, 8000), min_size=1, max_size=30),
    cancelled=st.sets(st.integers(0, 29)),
    on_uvloop=st.booleans(),
)
def test_all_who_are_not_cancelled_are_called_in_order_and_never_early(
    after_us: list[int], cancelled: set[int], on_uvloop: bool
) -> None:
    async def main() -> dict[int, tuple[int, int]]:
        timer, ends = KernelTimer(), dict[int, tuple[int, int]]()
        begin_ns = time.monotonic_ns() + 2 * MS
        async with anyio.create_task_group() as waiting:
            for index, after in enumerate(after_us):
                scope = anyio.CancelScope()

                async def wait(index: int, due_ns: int, scope: anyio.CancelScope) -> None:
                    with scope:
                        await timer.reached(due_ns)
                        ends[index] = due_ns, time.monotonic_ns()

                waiting.start_soon(wait, index, begin_ns + after * 1000, scope)
                if index in cancelled:
                    scope.cancel()
        return ends

    factory = uvloop.new_event_loop if on_uvloop else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        ends = runner.run(main())
    # One that is cancelled when its instant has come, as on a slow machine, may have been called.
    assert set(range(len(after_us))) - cancelled <= ends.keys()
    assert all(due_ns <= at_ns for due_ns, at_ns in ends.values())
    later = [due_ns for due_ns, _ in ends.values() if due_ns > min(at_ns for _, at_ns in ends.values())]
    assert later == sorted(later)


async def wait(timer: KernelTimer, until_ns: int) -> None:
    await timer.reached(until_ns)


async def test_a_wait_for_an_earlier_instant_does_not_wait_for_the_later_one() -> None:
    timer, now_ns = KernelTimer(), time.monotonic_ns()
    async with anyio.create_task_group() as waiting:
        waiting.start_soon(wait, timer, now_ns + 60_000 * MS)
        await anyio.sleep(0.001)
        with anyio.fail_after(30):
            await timer.reached(now_ns + 5 * MS)
        waiting.cancel_scope.cancel()


@pytest.mark.slow
def test_one_timer_serves_one_loop_after_another_and_then_is_closed() -> None:
    timer = KernelTimer()
    for _ in range(2):
        anyio.run(wait, timer, time.monotonic_ns() + MS)
    descriptor = Path(f"/proc/self/fd/{timer._timer}")
    assert descriptor.is_symlink()
    del timer
    gc.collect()
    assert not descriptor.is_symlink() or "timerfd" not in os.readlink(descriptor)


@pytest.mark.parametrize("has_timer", [True, False])
async def test_the_clock_never_wakes_early_with_the_timer_or_without(
    monkeypatch: pytest.MonkeyPatch, has_timer: bool
) -> None:
    if not has_timer:
        monkeypatch.setattr(clock, "kernel_timer", lambda: None)
    fast = MonotonicClock(real_ns(), 0, scale=10.0)
    for due_ms in (3, 3, 10, 11, 47):
        await fast.sleep_until_ns(due_ms * MS)
        assert fast.now_ns() >= due_ms * MS
