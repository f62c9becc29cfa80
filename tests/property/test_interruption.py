"""Interrupted at any instant in any way, a run leaves a ledger that is closed and adds up, and sends nothing more.

Method: hypothesis picks the instant, the way (stop, cancel, kill) and the habits of the endpoint; in virtual time.
"""

import anyio
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles import SECOND, World, first_of, world
from smbench.clock import WarpLoop
from smbench.records import NotSent, Rejected, Unacknowledged


@settings(max_examples=60, deadline=None)
@given(
    instant_ms=st.integers(0, 60_000),
    way=st.sampled_from(["stop", "cancel", "kill", "stop, then cancel"]),
    ack_s=st.sampled_from([0.0, 0.5, 20.0]),
    lossy=st.booleans(),
)
@pytest.mark.slow
def test_interrupted_at_any_instant_the_ledger_is_closed_adds_up_and_nothing_is_sent_after(
    instant_ms: int, way: str, ack_s: float, lossy: bool
) -> None:
    refusals = [None, Rejected(500, "InternalFailure"), None, Unacknowledged("read timeout"), None]

    async def interrupted() -> tuple[World, int]:
        run = world(
            ack_s=ack_s,
            service_s=8.0,
            drain_s=40.0,
            verdict=lambda n: refusals[n % 5] if lossy else None,
            copies=lambda n: n % 3 if lossy else 1,
        )
        at_ns = instant_ms * 1_000_000
        if way == "kill":
            await first_of(run.runner.run, lambda: run.clock.sleep_until_ns(at_ns))
            return run, at_ns
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run.runner.run)
            await run.clock.sleep_until_ns(at_ns)
            if way.startswith("stop"):
                run.runner.control.stop(NotSent.STOPPED, way)
            if way == "stop, then cancel":
                await run.clock.sleep_until_ns(at_ns + 3 * SECOND)
            if way.endswith("cancel"):
                run.runner.control.cancel(NotSent.STOPPED, way)
        return run, at_ns

    run, at_ns = anyio.run(interrupted, backend_options={"loop_factory": WarpLoop})
    rows = run.requests.latest()
    assert rows.height == 30
    assert run.runner.tracker.violations() == []
    assert run.runner.stage == "done"
    is_sent = rows.filter(~pl.col("outcome").is_in(["not_sent"]))
    assert is_sent["send"].null_count() == 0
    assert is_sent.height == len(run.endpoint.submitted)
    assert all(sent_ns <= at_ns for sent_ns, _ in run.endpoint.submitted)
