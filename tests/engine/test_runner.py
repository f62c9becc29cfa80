"""A run is one task tree: whatever interrupts it, the ledger is closed, adds up and is on disk.

Method: virtual time on asyncio and on trio, parts kept in memory; property/test_interruption.py picks any instant.
"""

from typing import Any

import anyio
import polars as pl
import pytest

from doubles import SECOND, KeptParts, TickingClock, world
from smbench.errors import ResultsError
from smbench.generator.vitals import Vitals
from smbench.records import NotSent, Unacknowledged


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


@pytest.mark.slow
async def test_a_run_ends_when_its_last_request_has_ended_not_when_the_drain_window_does() -> None:
    run = world(service_s=45.0)
    await run.runner.run()
    assert run.outcomes() == {"completed": 30}
    # The last is due at 29 s, ends at 74 s, and the drain looks ten times a second.
    assert 74 * SECOND <= run.clock.now_ns() <= 75 * SECOND
    assert len(run.endpoint.deleted) == 30


@pytest.mark.slow
async def test_a_drain_ends_on_a_clock_that_moves_between_two_readings() -> None:
    run = world(service_s=45.0, clock=TickingClock())
    await run.runner.run()
    assert run.outcomes() == {"completed": 30}
    assert run.clock.now_ns() <= 75 * SECOND


@pytest.mark.slow
async def test_lost_notices_are_found_in_s3_after_the_drain() -> None:
    run = world(drain_s=100.0, copies=lambda n: 0 if n % 3 == 0 else 1)
    await run.runner.run()
    rows = run.requests.latest()
    assert run.outcomes() == {"completed": 30}
    assert rows.filter(pl.col("end_from") == "output")["seq"].to_list() == list(range(0, 30, 3))


@pytest.mark.slow
async def test_what_has_not_ended_when_the_drain_is_over_is_pending() -> None:
    run = world(drain_s=50.0, service_s=60.0)
    await run.runner.run()
    # Sending ends at 29.01 s, the drain 50 s later at 79.01 s: those sent up to 19 s have ended by then.
    assert run.outcomes() == {"completed": 20, "pending": 10}


@pytest.mark.slow
async def test_requests_whose_answer_was_lost_are_waited_for_and_proved_by_their_notices() -> None:
    run = world(service_s=100.0, verdict=lambda n: Unacknowledged("connection reset") if n == 29 else None)
    await run.runner.run()
    # The last answer is lost though the request was not; when the backlog is empty its notice is still to come.
    assert run.outcomes() == {"completed": 30}
    assert run.requests.latest()["status_code"].null_count() == 1


@pytest.mark.slow
async def test_duplicates_late_and_early_news_leave_one_outcome_each() -> None:
    run = world(ack_s=3.0, service_s=1.0, copies=lambda n: 1 + n % 3, delay_s=lambda n: 7.0 * (n % 2))
    await run.runner.run()
    assert run.outcomes() == {"completed": 30}
    assert run.requests.latest()["notices"].min() == 1
    assert run.runner.tracker.n_duplicates > 0


@pytest.mark.slow
async def test_a_stop_drains_and_a_cancel_does_not_wait() -> None:
    run = world(service_s=45.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.runner.run)
        await run.clock.sleep_until_ns(10 * SECOND + 1)
        run.runner.control.stop(NotSent.STOPPED, "Ctrl-C")
    assert run.outcomes() == {"completed": 11, "not_sent": 19}
    (stop,) = pl.concat(run.events.frames).filter(pl.col("kind") == "stop").to_dicts()
    assert stop["at"].timestamp() == pytest.approx(10)  # not when the run was closed, 45 s later

    run = world(service_s=45.0)
    start_ns = run.clock.now_ns()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.runner.run)
        await run.clock.sleep_until_ns(start_ns + 10 * SECOND + 1)
        run.runner.control.cancel(NotSent.STOPPED, "Ctrl-C twice")
    # The one sent a nanosecond before has no answer yet.
    assert run.outcomes() == {"pending": 10, "transport_error": 1, "not_sent": 19}
    assert run.events.frames[-1]["kind"].to_list()[-1] == "stop"


@pytest.mark.parametrize(("is_gone", "takes_s"), [(False, 15.0), (True, 0.0)])
async def test_nothing_more_is_asked_of_an_endpoint_that_is_gone(is_gone: bool, takes_s: float) -> None:
    run = world(service_s=5.0)

    async def never(_receipts: object) -> list[str]:
        await anyio.sleep_forever()
        return []

    run.endpoint.delete = never  # type: ignore[method-assign, assignment]
    start_ns = run.clock.now_ns()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.runner.run)
        await run.clock.sleep_until_ns(start_ns + 10 * SECOND)
        run.runner.control.is_target_gone = is_gone
        run.runner.control.cancel(NotSent.STOPPED, "the parent process has ended")
    assert (run.clock.now_ns() - start_ns) / SECOND == pytest.approx(10 + takes_s, abs=0.1)
    assert run.runner.stage == "done"


async def test_the_ledger_is_gauged_four_times_a_second() -> None:
    run = world(n=10, service_s=5.0)
    await run.runner.run()
    backlog = pl.concat(run.readings.frames).filter(pl.col("name") == "backlog_seen").sort("at")
    gaps_s = backlog["at"].diff().drop_nulls().dt.total_nanoseconds() / 1e9
    assert gaps_s.max() <= 0.26  # type: ignore[operator]  # a number: the frame is not empty
    assert backlog["value"].max() == 5  # one a second, five seconds each


@pytest.mark.slow
async def test_in_warp_time_the_generator_looks_at_itself_at_once_and_then_by_real_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for age_s, n_looks in ((0.0, 1), (1.0, 75)):
        monkeypatch.setattr(Vitals, "age_s", age_s)
        run = world(service_s=45.0)
        await run.runner.run()
        looks = pl.concat(run.readings.frames).filter(pl.col("name") == "rss_bytes")
        assert n_looks - 1 <= len(looks) <= n_looks, "a run of 75 s of scenario time, which takes no real time"
        assert looks["value"].min() > 0  # type: ignore[operator]  # a number: there is a row


async def test_a_ledger_that_does_not_add_up_is_never_written() -> None:
    run = world()
    run.runner.tracker.n_accepted += 1
    with pytest.raises(AssertionError, match="does not add up: accepted rows = accepted counter"):
        await run.runner.run()
    assert len(run.requests.frames) == 1


class FullDisk(KeptParts):
    """A disk that is full after the first parts."""

    def write(self, frame: pl.DataFrame) -> None:
        if self.frames:
            raise ResultsError("no space left on device")
        super().write(frame)


async def test_a_full_disk_ends_the_run_with_its_own_error() -> None:
    run = world(requests=FullDisk())
    with pytest.raises(ResultsError, match="no space left"):
        await run.runner.run()
    assert run.requests.latest().height == 30
