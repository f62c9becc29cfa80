"""Goal: without notices a run knows the same ends as with them, as late as it looks, and never asks S3 more often.

Method: one fake endpoint in virtual time, on asyncio and on trio, its ends received through a queue or looked for.
"""

from bisect import bisect_left
from typing import Any

import anyio
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles import PAGE, SECOND, World, world
from smbench.clock import WarpLoop
from smbench.ports import LIST_IN_HEADS
from smbench.records import FolderPage, Unacknowledged

FAST = {"look_every_s": 5.0, "looks_hz": 20.0}


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


def watched(n: int = 30, **settings: Any) -> World:
    return world(n, tracking="s3", **{"looks": FAST, "copies": lambda _n: 0, **settings})


def n_heads(run: World) -> int:
    return sum(not what.endswith("/") for _, what in run.endpoint.asked)


@pytest.mark.slow
@pytest.mark.parametrize("n_older", [0, 35])
@pytest.mark.parametrize("drain_s", [600.0, 20.0])
async def test_the_same_requests_end_the_same_way_however_their_ends_become_known(drain_s: float, n_older: int) -> None:
    story: dict[str, Any] = {
        "drain_s": drain_s,
        "service_s": 25.0,
        "fails": lambda n: n % 4 == 1,
        "verdict": lambda n: Unacknowledged("connection reset") if n == 7 else None,
        "n_older": n_older,
    }
    told = world(60, **story)
    await told.runner.run()
    looked = watched(60, **story)  # its time begins now
    await looked.runner.run()
    by_notice, by_look = (run.requests.latest()["outcome"].to_list() for run in (told, looked))
    # Where the answer was lost no location is known: only a notice could prove that it was accepted.
    assert (by_notice[7], by_look[7]) == ("completed", "transport_error")
    assert by_notice[:7] + by_notice[8:] == by_look[:7] + by_look[8:]
    assert "failed" in by_look
    assert ("pending" in by_look) == (drain_s < 25.0)
    assert looked.runner.tracker.violations() == []
    assert looked.runner.collector.counts.n_messages == 0


async def test_an_end_is_seen_within_a_round_of_looks_and_known_to_its_second() -> None:
    run = watched(service_s=2.3)
    start_ns = run.clock.now_ns()
    await run.runner.run()
    rows = run.requests.latest()
    done_s, seen_s = ((rows[name].dt.timestamp("ns") / SECOND).to_list() for name in ("done", "seen"))
    for number, (done, seen) in enumerate(zip(done_s, seen_s, strict=True)):
        ended = run.endpoint.ended[run.endpoint.submitted[number][1]] / SECOND
        assert done == pytest.approx(int(ended + 1e-9))
        assert ended - 1e-6 <= seen <= ended + 5 + 2 * 30 / 20
    assert rows["end_from"].unique().to_list() == ["output"]
    assert run.clock.now_ns() - start_ns < 45 * SECOND


@pytest.mark.slow
@pytest.mark.parametrize("n_older", [0, 300])
async def test_never_are_more_calls_made_in_a_second_than_allowed(n_older: int) -> None:
    run = watched(200, every_ns=SECOND // 50, service_s=40.0, n_older=n_older)
    await run.runner.run()
    assert run.outcomes() == {"completed": 200}
    at_ns = sorted(at for at, _ in run.endpoint.asked)
    busiest = max(bisect_left(at_ns, at + SECOND) - place for place, at in enumerate(at_ns))
    assert 15 < busiest <= 20
    counted = run.runner.looks
    assert counted is not None
    assert counted.counts.n_heads + counted.counts.n_lists == len(at_ns)


@pytest.mark.slow
async def test_a_folder_is_listed_where_that_costs_less_and_asked_one_by_one_where_it_holds_too_much() -> None:
    for n_older, is_listed in ((0, True), (20 * PAGE, False)):
        run = watched(200, every_ns=SECOND // 50, service_s=40.0, n_older=n_older)
        await run.runner.run()
        cost = n_heads(run) + LIST_IN_HEADS * (len(run.endpoint.asked) - n_heads(run))
        one_by_one = watched(200, every_ns=SECOND // 50, service_s=40.0, n_older=n_older)
        one_by_one.endpoint.page = _refused  # type: ignore[method-assign]
        await one_by_one.runner.run()
        assert one_by_one.outcomes() == run.outcomes() == {"completed": 200}
        assert (cost < 0.7 * n_heads(one_by_one)) == is_listed
        assert cost < 1.6 * n_heads(one_by_one)


async def _refused(location: str, after: str | None) -> FolderPage:
    raise Unacknowledged("AccessDenied")


async def test_a_closed_loop_sends_at_the_ends_that_it_sees() -> None:
    run = watched(12, outstanding=3, service_s=8.0)
    await run.runner.run()
    assert run.outcomes() == {"completed": 12}
    sends = sorted((run.requests.latest()["send"].dt.timestamp("ns") / SECOND).to_list())
    gaps = [later - earlier for earlier, later in zip(sends[::3], sends[3::3], strict=False)]
    assert all(8.0 <= gap <= 8.0 + 5.0 + 1.0 for gap in gaps)


async def test_calls_are_counted_in_the_readings_and_what_a_queue_has_is_not() -> None:
    run = watched()
    await run.runner.run()
    readings = pl.concat(run.readings.frames)
    assert readings.filter(pl.col("name") == "look_heads")["value"].max() == n_heads(run)
    assert "receivers" not in readings["name"].to_list()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    service_s=st.floats(0.1, 100.0),
    failing=st.sets(st.integers(0, 29)),
    n_older=st.integers(0, 5 * PAGE),
    every_ns=st.sampled_from([SECOND // 20, SECOND]),
    drain_s=st.floats(0.0, 120.0),
)
def test_whatever_the_load_the_ledger_adds_up_and_ends_are_those_of_the_endpoint(
    service_s: float, failing: set[int], n_older: int, every_ns: int, drain_s: float
) -> None:
    async def story() -> tuple[World, int]:
        run = watched(
            30,
            every_ns=every_ns,
            service_s=service_s,
            fails=failing.__contains__,
            n_older=n_older,
            drain_s=drain_s,
        )
        await run.runner.run()
        return run, run.clock.now_ns()

    run, end_ns = anyio.run(story, backend_options={"loop_factory": WarpLoop})
    assert run.runner.tracker.violations() == []
    for number, outcome in enumerate(run.requests.latest()["outcome"].to_list()):
        done_ns = run.endpoint.ended[run.endpoint.submitted[number][1]]
        if outcome == "pending":
            assert done_ns > end_ns - 5 * SECOND
        else:
            assert outcome == ("failed" if number in failing else "completed")
            assert done_ns <= end_ns
