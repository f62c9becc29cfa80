"""A run whose collector cannot keep up says so in its verdict, and one whose collector can does not.

Method: a whole run in virtual time against a queue whose receives take a while; then its own files, judged.
"""

from collections.abc import Sequence
from typing import Any

import anyio
import numpy as np
import polars as pl
import pytest

from doubles import SECOND, FakeEndpoint, KeptParts, invocation_of, ledger, span
from runs import manifest_of
from smbench import records
from smbench.analysis.rows.frames import derive
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict.checks import check
from smbench.clock import LoopClock
from smbench.findings import Finding, Verdict
from smbench.generator.control import Control
from smbench.generator.engine import Load
from smbench.generator.runner import Bounds, Outside, Runner
from smbench.generator.tracking.journal import Journal, events_frame
from smbench.records import Delivery, NotSent
from smbench.scenario.model import Limits
from smbench.scenario.values.request import Retry


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


class DistantQueue:
    """An endpoint's notices, half a second away: a receiver brings at most twenty a second."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self.endpoint = endpoint
        self._turn = anyio.Lock()  # who has waited longest is served first

    async def receive(self) -> list[Delivery]:
        async with self._turn:
            batch = await self.endpoint.receive()
        await self.endpoint.clock.sleep_until_ns(self.endpoint.clock.now_ns() + SECOND // 2)
        return batch

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        return await self.endpoint.delete(receipts)


async def judged(
    receivers_max: int, limits: Limits | None = None, ack_s: float = 0.01
) -> tuple[Runner, Summary, dict[str, Finding]]:
    """Ten seconds of a hundred requests a second, to their ends."""
    clock, n = LoopClock(), 1000
    rows = ledger([index * SECOND // 100 for index in range(n)])
    endpoint, phases = FakeEndpoint(clock, ack_s=ack_s), (span(n, end_ns=10 * SECOND),)
    requests, readings, events = KeptParts(), KeptParts(), KeptParts()
    runner = Runner(
        rows,
        Load(phases, invocation_of(rows), limits or Limits(), Retry(), np.random.default_rng(0), 600),
        Outside(endpoint, DistantQueue(endpoint), endpoint, None),
        Bounds(600.0, 7200.0, 10.0, receivers_max),
        clock=clock,
        control=Control(),
        journal=Journal(rows, requests, readings, events, 0),
    )
    await runner.run()
    assert sorted(endpoint.deleted) == sorted(f"{number}/0" for number in range(len(endpoint.submitted)))
    manifest = manifest_of(phases).model_copy(update={"clock": manifest_of().clock.model_copy(update={"epoch_ns": 0})})
    frames = derive(
        manifest,
        requests.latest(),
        pl.concat(readings.frames),
        pl.concat(events.frames) if events.frames else events_frame([], 0),
    )
    summary = summarise(frames)
    return runner, summary, {finding.name: finding for finding in check(frames, summary)}


@pytest.mark.slow
async def test_no_verdict_depends_on_how_a_reason_is_worded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_NOT_SENT_TEXTS", dict.fromkeys(NotSent, "words of a later version"))
    _, summary, findings = await judged(16, Limits(in_flight=5), ack_s=3.0)
    assert summary.generator.n_dropped == 980  # five every three seconds and a bit
    assert findings["nothing dropped"].verdict is Verdict.INVALID


@pytest.mark.slow
async def test_a_saturated_collector_is_said_so_in_the_verdict() -> None:
    # Two of them hear 40/s of 100/s: ends come until 11 s, the last is heard after 26 s.
    runner, summary, findings = await judged(receivers_max=2)
    assert summary.counts.completed == 1000
    assert findings["collector kept up"].verdict.value == "unknown"
    assert "raise `collector.receivers`" in findings["collector kept up"].advice
    assert 20 < (summary.generator.receivers_saturated_s or 0) < 26
    assert runner.snapshot().receivers == runner.snapshot().receivers_max == 2


@pytest.mark.slow
async def test_with_receivers_enough_the_same_run_is_heard_in_time() -> None:
    _, summary, findings = await judged(receivers_max=16)
    assert findings["collector kept up"].verdict.value == "valid"
    assert summary.observer_lag.max is not None
    assert summary.observer_lag.max.low < 3.0  # while they became more
    assert 5 <= (summary.generator.receivers_peak or 0) <= 16
    assert summary.generator.n_received == 1000
