"""Goal: a run against a serverless or a real-time endpoint shows what theory says it must, and adds up.

Method: whole runs in virtual time through the Python API, their rows beside `truth.parquet` and beside the model alone,
which `unit/model/test_realtime.py` holds against the closed forms of M/M/c.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import smbench
from smbench.findings import Verdict
from smbench.model.endpoints.endpoint import Job
from smbench.model.event_queue import EventQueue
from smbench.model.world import EMBEDDED, World
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan
from theory import ddc_burst_sojourns_s

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def ran(folder: Path, kind: str, emulated: dict[str, Any], load: list[dict[str, Any]], **own: Any) -> smbench.Run:
    target = {"kind": kind, "emulated": {"time": "warp"} | emulated}
    return smbench.run({"name": "synchronous", "target": target, "load": load} | own, progress="none", results=folder)


def latencies_s(run: smbench.Run, phase: str | None = None) -> list[float]:
    """From due to answer, of the completed, in order of the schedule."""
    rows = run.requests.filter(pl.col("outcome") == "completed").sort("seq").collect()
    if phase is not None:
        rows = rows.filter(pl.col("phase") == phase)
    took: list[float] = ((rows["done"] - rows["sched"]).dt.total_microseconds() / 1e6).to_list()
    return took


def test_a_serverless_endpoint_throttles_beyond_its_maximum_and_starts_cold_beyond_what_is_warm(tmp_path: Path) -> None:
    run = ran(
        tmp_path,
        "serverless",
        {"serverless": {"max_concurrency": 150, "provisioned": 5, "cold_start": "3s"}, "service": "500ms"},
        [
            {"burst": {"requests": 10, "name": "few"}},
            {"pause": {"for": "1m"}},
            {"burst": {"requests": 100, "name": "more"}},
            {"pause": {"for": "10m"}},
            {"closed": {"outstanding": 160, "requests": 160, "name": "users"}},
        ],
    )
    counts = run.summary.counts
    assert (counts.scheduled, counts.completed, counts.rejected) == (270, 260, 10)
    assert run.verdict is Verdict.VALID
    (cause,) = run.summary.causes
    assert (cause.error, cause.status_code, cause.n) == ("ThrottlingException", 400, 10)
    assert sorted(latencies_s(run, "few")) == [0.5] * 5 + [3.5] * 5  # five are always warm
    assert sorted(latencies_s(run, "more")) == [0.5] * 10 + [3.5] * 90
    assert sorted(latencies_s(run, "users")) == [0.5] * 5 + [3.5] * 145  # after ten minutes the others are cold
    assert run.truth is not None
    truth = run.truth.collect()
    assert truth["accepted"].sum() == 260
    assert truth.filter(~pl.col("accepted"))["status_code"].to_list() == [400] * 10


def test_standard_retries_hide_throttles_and_the_report_says_what_they_hid(tmp_path: Path) -> None:
    run = ran(
        tmp_path,
        "serverless",
        {"serverless": {"max_concurrency": 150, "provisioned": 150}, "service": "100ms"},
        [{"closed": {"outstanding": 160, "requests": 160}}],
        request={"retry": {"mode": "standard"}},
    )
    assert (run.summary.counts.completed, run.summary.causes) == (160, ())
    found = run.summary.retries
    assert found is not None
    assert (found.n_requests, found.n_accepted) == (10, 10)
    assert [(one.state, one.cause, one.n) for one in found.refused] == [
        ("throttled", "ThrottlingException", found.n_added)
    ]
    requests = run.requests.collect()
    assert found.n_added == requests["attempts"].sum() - 160
    assert found.waited.max is not None
    assert found.waited.max.low == pytest.approx(max(latencies_s(run)) - 0.1, abs=1e-5)
    assert f"Retries   {found.n_added} calls more" in str(run)


def test_a_burst_at_a_real_time_endpoint_is_answered_in_rounds_and_times_out_after_a_minute(tmp_path: Path) -> None:
    run = ran(
        tmp_path,
        "realtime",
        {"instances": {"min": 2, "max": 2, "concurrency": 3}, "service": "7s"},
        [{"burst": {"requests": 60}}],
        thresholds=["p50 < 40s", "p95 < 10s"],
    )
    expected_s = [round_s for round_s in ddc_burst_sojourns_s(60, 6, 7.0) if round_s <= 60]
    assert sorted(latencies_s(run)) == expected_s
    counts = run.summary.counts
    assert (counts.accepted, counts.completed, counts.failed) == (60, 48, 12)
    assert run.summary.sojourn.p99 is not None
    assert run.summary.sojourn.p99.text() == "> 60.0 s"  # not fast: nobody knows how long they would have taken
    assert [result.passed for result in run.thresholds] == [True, False]
    assert run.summary.causes[0].error.startswith("ModelError 0: Received server error (0) from primary")
    assert set(run.requests.collect()["end_from"].to_list()) == {"answer"}


@pytest.mark.parametrize("transport", ["wire", "sdk"])
def test_wrong_answers_are_failures_with_a_reason_of_their_own_and_bodies_have_sizes(
    tmp_path: Path, transport: str
) -> None:
    run = ran(
        tmp_path,
        "realtime",
        {"instances": {"min": 2, "max": 2, "concurrency": 1}, "service": "1s"},
        [{"burst": {"requests": 10}}],
        transport=transport,
        request={"expect": {"content_type": "application/json", "json_path": "instance", "equals": 0}},
    )
    counts = run.summary.counts
    assert (counts.accepted, counts.completed, counts.failed, run.summary.violations) == (10, 5, 5, ())
    (cause,) = run.summary.causes
    assert (cause.outcome, cause.status_code, cause.error) == ("failed", 200, "wrong answer: instance is not 0")
    rows = run.requests.collect()
    assert rows.filter(pl.col("wrong_answer") == "json")["outcome"].to_list() == ["failed"] * 5
    found = run.summary.bodies
    assert found is not None
    assert (found.sent.total_bytes, found.answered.n, found.n_wrong) == (10 * 1024, 10, 5)
    assert found.answered.total_bytes == rows["answer_size_in_bytes"].sum() > 0
    assert "5 of 10 answers were wrong and count as failed: 5 had other content." in str(run)
    assert "container failures" not in str(run)
    assert run.summary.as_json()["bodies"]["wrong"] == {"json": 5}


def test_a_run_has_the_latencies_of_the_model_alone(tmp_path: Path) -> None:
    emulated = {"instances": {"min": 1, "concurrency": 4}, "service": {"exponential": {"mean": "1s"}}}
    load = [{"poisson": {"rate": "3.2/s", "for": "3m"}}]
    run = ran(tmp_path, "realtime", emulated, load, seed=5)
    target = {"kind": "realtime", "emulated": emulated}
    alone = Scenario.model_validate({"name": "alone", "seed": 5, "target": target, "load": load})
    expected_s = _modelled_s(alone)
    assert len(expected_s) == run.summary.counts.completed > 500
    assert latencies_s(run) == pytest.approx(expected_s, abs=2e-6)


def _modelled_s(scenario: Scenario) -> list[float]:
    """Latencies of the schedule's requests when the model alone takes them."""
    event_queue = EventQueue()
    endpoint = World.of(event_queue, 0, scenario, None).endpoints[EMBEDDED]
    ends: dict[int, int] = {}
    endpoint.on_end.append(lambda ended: ends.update({ended.job.index: ended.done_ns - ended.job.recv_ns}))
    for index, due_ns in enumerate(plan(scenario, Path(), [1.0]).sched_ns.tolist()):
        event_queue.advance(due_ns)
        endpoint.arrive(Job(index, str(index), "inline", 60.0, 60.0, due_ns, is_awaited=True))
    event_queue.advance(event_queue.now_ns + 100_000_000_000)
    return [ends[index] / 1e9 for index in sorted(ends)]
