"""Goal: a run without notices says how well its ends are known, in each latency and in a check of its own.

Method: rows by hand, stamped to the second as S3 stamps them; the clocks and the load made wrong, one at a time.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import Request, frames_of, reading, span, sure
from smbench.analysis.latency.breakdown import latency
from smbench.analysis.numbers.bounds import Bounded, Distribution
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.analysis.verdict.thresholds import evaluate
from smbench.findings import Finding, Verdict
from smbench.records import Unknown

S3 = {"tracking": "s3"}
NAME = "ends looked for"


def looked_for(ends_s: list[float], ahead_s: float = 0.0, every_s: float = 5.0) -> list[Request]:
    """Requests due at a second's half, whose ends S3 stamps by a clock that is so far ahead of ours."""
    rows = []
    for number, end_s in enumerate(ends_s):
        seen_s = (end_s // every_s + 1) * every_s
        stamp_s = float((end_s + ahead_s) // 1)
        rows.append(Request(number + 0.5, done=stamp_s, seen=seen_s, end_from="output", notices=0))
    return rows


def finding(rows: list[Request], name: str = NAME, **run: Any) -> Finding:
    frames = frames_of(rows, target=S3, **{"clock": "real", **run})
    (found,) = (one for one in check(frames, summarise(frames)) if one.name == name)
    return found


def served_by_one(service_s: float, n: int = 60, every_s: float = 1.0) -> tuple[list[Request], dict[str, Any]]:
    """Requests that come evenly and find one instance idle, and the readings and the scenario of such a run."""
    ends_s = [number * every_s + 0.3 + service_s for number in range(n)]
    rows = [
        Request(number * every_s + 0.3, done=float(end_s // 1), seen=(end_s // 5 + 1) * 5.0, end_from="output")
        for number, end_s in enumerate(ends_s)
    ]
    counts = [
        reading(name, 1.0, at) for at in (0.0, n * every_s) for name in ("instances_current", "instances_desired")
    ]
    emulated = {"instances": {"concurrency": 50}}
    return rows, {"readings": counts, "scenario": {"target": {"emulated": emulated}}}


def test_a_latency_is_a_bound_one_second_wide_or_as_wide_as_we_saw_it_sooner() -> None:
    rows = [
        Request(0.5, done=10.0, seen=12.0, end_from="output"),
        Request(0.5, done=20.0, seen=20.25, end_from="output"),
    ]
    frames = frames_of(rows, target=S3)
    summary = summarise(frames)
    assert summary.sojourn == sojourn(frames)
    assert (summary.sojourn.p50, summary.sojourn.max) == (Bounded(low=9.5, high=10.5), Bounded(low=19.5, high=19.75))
    assert summary.backlog.drain == Bounded(low=19.5, high=19.75)


def sojourn(frames: Frames) -> Distribution:
    """As `summarise` has it: the test before shows that, and an example needs nothing else of the summary."""
    return latency(frames.measured, "sojourn_ns", "age_ns")


@pytest.mark.slow  # the polars frames of a hundred examples
@given(st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.6, 50.0)), min_size=1, max_size=40))
def test_every_percentile_that_would_be_known_with_notices_lies_within_the_bounds_without(
    requests: list[tuple[float, float]],
) -> None:
    requests = [(due, round(due + takes, 3)) for due, takes in requests]
    exact = sojourn(frames_of([Request(due, done=end) for due, end in requests]))
    rows = [
        Request(due, done=float(end // 1), seen=(end // 5 + 1) * 5.0, end_from="output", notices=0)
        for due, end in requests
    ]
    bounds = sojourn(frames_of(rows, target=S3))
    for name in ("p50", "p90", "p99", "max"):
        known, bound = exact.percentile(name), bounds.percentile(name)
        assert known is not None
        assert bound is not None
        assert bound.high is not None
        assert bound.low - 1e-6 <= known.low <= bound.high + 1e-6
        assert bound.high - bound.low <= 1.0 + 1e-6


@pytest.mark.parametrize(("limit", "holds"), [("9s", False), ("10s", None), ("11s", True)])
def test_a_threshold_within_the_doubt_is_not_decided(limit: str, holds: bool | None) -> None:
    rows = [Request(0.5, done=10.0, seen=12.0, end_from="output")] * 20
    for metric in ("sojourn_p50", "sojourn_max"):
        frames = frames_of(rows, target=S3, scenario={"thresholds": [f"{metric} < {limit}"]})
        (judged,) = evaluate([f"{metric} < {limit}"], frames, summarise(frames))
        assert judged.passed is holds


def test_how_late_ends_were_seen_and_what_the_looks_cost_is_said() -> None:
    calls = [
        reading("look_heads", 1_000_000.0, 60.0, source="generator"),
        reading("look_lists", 100.0, 60.0, source="generator"),
    ]
    found = finding(looked_for([12.2, 13.7, 26.0]), readings=calls)
    assert found.verdict is Verdict.VALID
    assert "every 5.00 s" in found.expected
    for words in ("3 ends", "bounds 1 s wide", "99 % seen within 4.00 s", "1,000,000 HEAD and 100 LIST calls, 0.4 USD"):
        assert words in found.seen


@pytest.mark.parametrize("clock", ["real", "warp"])
@pytest.mark.parametrize(("ahead_s", "verdict"), [(0.0, Verdict.VALID), (-0.4, Verdict.VALID), (3.0, Verdict.UNKNOWN)])
def test_a_clock_of_ours_that_s3_contradicts_is_noticed(ahead_s: float, verdict: Verdict, clock: str) -> None:
    ends = [number + 0.5 + 4.3 + number * 0.13 for number in range(100)]
    assert finding(looked_for(ends, ahead_s), spans=[span(100, end_s=200.0)], clock=clock).verdict is verdict


@pytest.mark.parametrize("ahead_s", [3.0, -3.0])
def test_a_clock_that_is_contradicted_decides_nothing_that_send_and_sight_leave_open(ahead_s: float) -> None:
    ends = [number + 0.5 + 1.2 + number * 0.007 for number in range(100)]  # 1.2 s to 1.9 s
    rows = looked_for(ends, ahead_s)
    frames = frames_of(rows, target=S3, spans=[span(100, end_s=200.0)])
    summary = summarise(frames)
    assert summary.notices.is_stamp_wrong
    asked = ["p50 < 1s", "p50 < 2s", "p50 < 10s", "within(2s) >= 90%", "first_completion > 1500ms", "drain < 1s"]
    assert [one.passed for one in evaluate(asked, frames, summary)] == [None, None, True, None, None, None]


def test_an_end_seen_at_the_instant_of_its_stamp_contradicts_no_clock() -> None:
    rows = [
        Request(number * 5.0, done=number * 5.0 + 5.0, seen=number * 5.0 + 5.0, end_from="output")
        for number in range(20)
    ]
    assert finding(rows, clock="warp").verdict is Verdict.VALID


def test_of_a_service_too_short_for_whole_seconds_nothing_is_derived() -> None:
    rows, run = served_by_one(0.2)
    summary = summarise(frames_of(rows, target=S3, **run))
    (service,) = (one for one in summary.stages if one.name == "service")
    assert service.n == 0
    assert "S3's stamps leave open" in service.reason
    elasticity = sure(summary.elasticity)
    assert isinstance(elasticity.utilisation, Unknown)
    assert isinstance(elasticity.provisioning, Unknown)
    assert isinstance(sure(summary.cost).useful_s, Unknown)
    assert isinstance(summary.sizing.service_s, Unknown)


def test_a_service_of_many_seconds_has_bounds_and_its_mean_lies_between_them() -> None:
    rows, run = served_by_one(20.3, every_s=1.1)
    summary = summarise(frames_of(rows, target=S3, **run))
    (service,) = (one for one in summary.stages if one.name == "service")
    median = service.spread.p50
    assert median is not None
    assert median.high is not None
    assert median.low <= 20.3 <= median.high
    assert median.high - median.low <= 1.0 + 1e-9
    assert sure(summary.sizing.service_s) == pytest.approx(20.3, abs=0.1)
    assert sure(sure(summary.cost).useful_s) == pytest.approx(60 * 20.3 / 50, rel=0.05)


@pytest.mark.parametrize("asked", ["backlog < 2", "backlog <= 1 for 100ms"])
def test_a_backlog_within_the_doubt_is_not_decided(asked: str) -> None:
    rows, run = served_by_one(0.1, every_s=0.5)  # one at a time, in truth
    frames = frames_of(rows, target=S3, **run)
    summary = summarise(frames)
    assert summary.backlog.peak_at_least == 1 < summary.backlog.peak
    assert summary.backlog.oldest_age_s == 0.0  # stamped before it was due
    (judged,) = evaluate([asked], frames, summary)
    assert judged.passed is None
    (missed,) = evaluate(["backlog < 1"], frames, summary)
    assert missed.passed is False


@pytest.mark.parametrize(("share", "verdict"), [(1.0, Verdict.VALID), (0.3, Verdict.UNKNOWN), (1.8, Verdict.UNKNOWN)])
def test_a_backlog_of_aws_within_the_doubt_contradicts_nothing(share: float, verdict: Verdict) -> None:
    rows, run = served_by_one(1.5, n=600, every_s=0.5)  # three at a time, by stamps between 2 and 4
    points = [
        reading("ApproximateBacklogSize", 3.0 * share, 60.0 * minute, source="cloudwatch", stat="average")
        for minute in range(5)
    ]
    found = finding(rows, "little's law", readings=[*run["readings"], *points])
    assert found.verdict is verdict


@pytest.mark.slow
def test_a_closed_loop_needs_ends_that_are_seen_at_once() -> None:
    rows = looked_for([number + 0.5 + 4.3 for number in range(100)])
    closed = [replace(span(100, end_s=200.0), outstanding=3)]
    assert finding(rows, spans=closed).verdict is Verdict.INVALID
    at_once = looked_for([number + 0.5 + 4.3 for number in range(100)], every_s=0.25)
    assert finding(at_once, spans=closed, scenario={"collector": {"look_every": 0.25}}).verdict is not Verdict.INVALID


def test_a_run_with_notices_has_no_such_check() -> None:
    frames = frames_of([Request(0.0, done=1.0)])
    assert NAME not in [one.name for one in check(frames, summarise(frames))]
