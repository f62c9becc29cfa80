"""Goal: a run that misleads is told from one that does not; a run is not blamed for what its endpoint did.

Method: a good run, and for each check the smallest change that it must notice. The bad news must arrive.
"""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from runs import Request, frames_of, reading, shared, span, summary_of
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import summarise
from smbench.analysis.verdict import checks
from smbench.analysis.verdict.checks import CHECKS, check
from smbench.analysis.verdict.judged_run import Run
from smbench.analysis.verdict.thresholds import evaluate
from smbench.findings import Finding, Verdict, verdict
from smbench.records import Ending, Event, NotSent, Outcome, Reading
from smbench.results.manifest import EmulatorEffort, ShardFacts
from smbench.schedule.base import PhaseSpan


def good(n: int = 200) -> list[Request]:
    return [Request(k * 0.05, ack=k * 0.05 + 0.02, recv=k * 0.05 + 0.01, done=k * 0.05 + 1.0) for k in range(n)]


def health(loop_lag_s: float = 0.01, cpu: float = 0.2) -> list[Reading]:
    return [
        reading("loop_lag_max_s", loop_lag_s, 1.0, source="generator"),
        reading("cpu_share", cpu, 1.0, source="generator"),
    ]


def findings_of(rows: list[Request], **run: Any) -> dict[str, Finding]:
    run = {"clock": "real", "readings": health(), **run}
    frames = shared(rows, **run)
    return {finding.name: finding for finding in check(frames, summary_of(frames))}


def verdict_of(name: str, rows: list[Request], **run: Any) -> str:
    return findings_of(rows, **run)[name].verdict.value


def test_a_good_run_is_valid_and_says_what_was_expected_and_seen() -> None:
    findings = findings_of(good())
    assert verdict(findings.values()) is Verdict.VALID
    assert all(finding.expected and finding.seen and not finding.advice for finding in findings.values())
    assert {"conservation", "schedule kept", "generator healthy", "clocks agree", "little's law"} <= findings.keys()


def test_the_verdict_is_the_worst() -> None:
    def finding(one: Verdict) -> Finding:
        return Finding(name="x", verdict=one, expected="", seen="")

    valid, unknown, invalid = (finding(one) for one in (Verdict.VALID, Verdict.UNKNOWN, Verdict.INVALID))
    assert verdict([valid, unknown, valid]) is Verdict.UNKNOWN
    assert verdict([unknown, invalid, valid]) is Verdict.INVALID
    assert verdict([]) is Verdict.UNKNOWN


def test_a_check_that_crashes_is_unknown_and_leaves_the_others_alone() -> None:
    def steady_state(_run: Run) -> Finding:
        raise ZeroDivisionError("no phases")

    frames = frames_of(good())
    found = check(frames, summarise(frames), [steady_state, checks.conservation])
    assert [(one.name, one.verdict) for one in found] == [
        ("steady state", Verdict.UNKNOWN),
        ("conservation", Verdict.VALID),
    ]
    assert "ZeroDivisionError: no phases" in found[0].seen


@pytest.mark.parametrize("one", CHECKS, ids=lambda one: one.__name__)
def test_every_check_lives_through_an_empty_run(one: Callable[[Run], Finding | None]) -> None:
    frames = shared([], spans=[])
    finding = one(Run(frames, summary_of(frames)))
    assert finding is None or finding.verdict is not Verdict.INVALID


@pytest.mark.slow
def test_a_run_that_measured_nothing_is_unknown() -> None:
    assert verdict(findings_of([], spans=[]).values()) is Verdict.UNKNOWN
    refused = [Request(0.0, Outcome.REJECTED, error="ValidationException")]
    assert "ValidationException" in findings_of(refused)["something measured"].advice
    warm = [Request(0.0, done=1.0, warmup=True)]
    assert "warm-up" in findings_of(warm)["something measured"].advice


def test_a_run_that_was_cut_short_is_unknown_and_says_how_much_of_it_took_place() -> None:
    rest = [Request(10.0 + k, Outcome.NOT_SENT, phase="later", why_not_sent=NotSent.STOPPED) for k in range(200)]
    spans = [span(200, end_s=10), span(200, name="later", start_s=10, end_s=210)]
    finding = findings_of([*good(), *rest], spans=spans, ending=Ending.STOPPED)["ended by itself"]
    assert finding.verdict is Verdict.UNKNOWN
    assert "200 of 400 requests were sent (50.0 %), none of 'later'" in finding.seen


@pytest.mark.parametrize("why", NotSent)
def test_limits_and_certain_verdicts_end_a_run_and_cut_nothing_short(why: NotSent) -> None:
    rows = [*good(), Request(9.0, Outcome.NOT_SENT, why_not_sent=why)]
    expected = "unknown" if why in (NotSent.STOPPED, NotSent.ERROR_LIMIT, NotSent.RUN_ENDED) else "valid"
    assert verdict_of("ended by itself", rows) == expected


@pytest.mark.slow
def test_a_missing_request_breaks_conservation() -> None:
    assert verdict_of("conservation", good(), spans=[span(200)]) == "valid"
    assert verdict_of("conservation", good(), spans=[span(201)]) == "invalid"
    broken = good()
    broken[7].changes = {"accepted": False}
    assert verdict_of("conservation", broken) == "invalid"


@pytest.mark.slow
def test_a_late_generator_invalidates_real_and_scaled_time_and_virtual_time_cannot_be_late() -> None:
    late = [Request(row.sched, send=(row.sched or 0) + 0.11, done=row.done) for row in good()]
    assert verdict_of("schedule kept", late) == "invalid"
    assert verdict_of("schedule kept", late, clock="scaled", scale=20.0) == "invalid"
    assert "scale of time, 20" in findings_of(late, clock="scaled", scale=20.0)["schedule kept"].advice
    assert "schedule kept" not in findings_of(late, clock="warp")


@pytest.mark.parametrize(("niceness", "is_said"), [({"0": -10, "1": 0}, True), ({"0": -10}, False), ({}, False)])
def test_a_late_worker_of_ordinary_priority_is_said_to_be_one(niceness: dict[str, int], is_said: bool) -> None:
    late = [Request(row.sched, send=(row.sched or 0) + 0.11, done=row.done) for row in good()]
    advice = findings_of(late, niceness=niceness)["schedule kept"].advice
    assert ("permit a higher priority" in advice) is is_said


def test_lateness_is_judged_against_the_latency_that_is_measured() -> None:
    # 110 ms late where the median is 20 s: below 1 % of it.
    late = [Request(float(k), send=k + 0.11, ack=k + 0.12, done=k + 20.0) for k in range(100)]
    assert verdict_of("schedule kept", late, spans=[span(100, end_s=100)]) == "valid"


def test_a_fast_endpoint_is_judged_by_a_tenth_of_its_latency() -> None:
    # 16 ms late where the median is 100 ms: latency is a sixth too long.
    late = [Request(k * 0.1, send=k * 0.1 + 0.016, ack=k * 0.1 + 0.02, done=k * 0.1 + 0.116) for k in range(100)]
    assert verdict_of("schedule kept", late) == "invalid"


STALLED_S = 1.4


def stalled_once() -> list[Request]:
    """20 requests a second for 200 s, 100 ms each; the generator stood still for 1.4 s at 100 s."""
    rows = []
    for k in range(4000):
        due = k * 0.05
        send = max(due, 100 + STALLED_S) if 100 <= due < 100 + STALLED_S else due
        rows.append(Request(due, send=send, ack=send + 0.01, recv=send + 0.005, done=send + 0.1))
    return rows


@pytest.mark.slow
def test_a_rare_stall_of_the_generator_makes_what_it_reaches_unknown_and_nothing_else() -> None:
    frames = frames_of(stalled_once(), spans=[span(4000, end_s=200)], clock="real", readings=health())
    summary = summarise(frames)
    found = {finding.name: finding for finding in check(frames, summary)}["schedule kept"]
    assert found.verdict is Verdict.UNKNOWN
    assert "max is 100 ms instead of 1.50 s" in found.seen
    assert "p99 is" not in found.seen  # 28 of 4,000 were late: fewer than lie above p99
    judged = {one.text: one.passed for one in evaluate(["max < 1s", "max < 2s", "p95 < 200ms"], frames, summary)}
    assert judged == {"max < 1s": None, "max < 2s": True, "p95 < 200ms": True}


def test_an_outcome_that_the_endpoint_does_not_publish_is_unknown_and_decides_no_threshold() -> None:
    reason = "the endpoint has neither ErrorTopic nor S3FailurePath: failures and expiries cannot be known"
    frames = frames_of([*good(), *[Request(9.0, Outcome.LOST)] * 12])
    target = {"unobservable": {"failed": reason, "expired": reason}}
    told = replace(frames, manifest=frames.manifest.model_copy(update={"target": target}))
    summary = summarise(told)
    finding = {one.name: one for one in check(told, summary)}["ends observable"]
    assert finding.verdict is Verdict.UNKNOWN
    assert reason in finding.seen
    (result,) = evaluate(["failed == 0"], told, summary)
    assert result.passed is None
    assert reason in result.note


@pytest.mark.slow
def test_an_emulated_endpoint_that_stood_still_leaves_the_run_unknown() -> None:
    def verdict_with(lag_s: float | None) -> str:
        frames = frames_of(good(), clock="real", readings=health())
        effort = EmulatorEffort(cpu_s=1.0, elapsed_s=10.0, loop_lag_max_s=lag_s)
        told = replace(frames, manifest=frames.manifest.model_copy(update={"emulator": effort}))
        return {one.name: one.verdict.value for one in check(told, summarise(told))}["emulator kept up"]

    assert [verdict_with(lag_s) for lag_s in (None, 0.02, 1.4)] == ["valid", "valid", "unknown"]


def test_a_request_dropped_at_our_limit_invalidates_and_one_the_run_never_reached_does_not() -> None:
    def verdict_with(why: NotSent) -> str:
        return verdict_of("nothing dropped", [*good(), Request(9.0, Outcome.NOT_SENT, why_not_sent=why)])

    assert {why for why in NotSent if verdict_with(why) == "invalid"} == {NotSent.IN_FLIGHT_LIMIT}


@pytest.mark.parametrize(("asked", "n_left", "expected"), [(None, 1, "valid"), (None, 0, "unknown"), (200, 0, "valid")])
def test_users_for_whom_no_request_is_left_are_doubted_unless_the_scenario_says_how_many_there_are(
    asked: int | None, n_left: int, expected: str
) -> None:
    unsent = Request(None, Outcome.NOT_SENT, why_not_sent=NotSent.PHASE_ENDED)
    rows = [*good(), *[unsent] * n_left]
    users = {"initial": 4, "for": 10.0, "requests": asked}
    crowd = replace(span(len(rows)), kind="users", outstanding=4)
    assert verdict_of("users kept sending", rows, spans=[crowd], scenario={"load": [{"users": users}]}) == expected


@pytest.mark.slow
def test_a_loop_that_hung_or_a_core_always_busy_is_not_healthy() -> None:
    assert verdict_of("generator healthy", good(), readings=health(loop_lag_s=0.6)) == "unknown"
    assert verdict_of("generator healthy", good(), readings=health(cpu=0.97)) == "unknown"
    assert "generator healthy" not in findings_of(good(), clock="warp")


def receivers(saturated_s: float, **counts: float) -> list[Reading]:
    values = {"receivers": 16.0, "receivers_max": 16.0, "receivers_saturated_s": saturated_s, **counts}
    return [*health(), *(reading(name, value, 1.0, source="generator") for name, value in values.items())]


OPEN, CLOSED = span(200), replace(span(200), kind="closed", outstanding=10)


@pytest.mark.parametrize(
    ("saturated_s", "phase", "expected"),
    [(0.0, OPEN, "valid"), (5.0, CLOSED, "valid"), (5.5, OPEN, "unknown"), (5.5, CLOSED, "invalid")],
)
def test_a_collector_that_was_always_full_leaves_open_loops_unknown_and_sets_the_pace_of_closed_ones(
    saturated_s: float, phase: PhaseSpan, expected: str
) -> None:
    finding = findings_of(good(), readings=receivers(saturated_s), spans=[phase])["collector kept up"]
    assert finding.verdict.value == expected
    assert "16 of 16 receivers" in finding.seen
    assert ("`collector.receivers`" in finding.advice) is (expected != "valid")


@pytest.mark.parametrize(
    ("lag_s", "phase", "expected"),
    [(10.0, OPEN, "valid"), (10.1, OPEN, "unknown"), (1.0, CLOSED, "valid"), (1.1, CLOSED, "invalid")],
)
def test_ends_heard_late_harm_a_closed_loop_sooner_than_an_open_one(
    lag_s: float, phase: PhaseSpan, expected: str
) -> None:
    late = [replace(row, seen=(row.done or 0) + lag_s) for row in good()]
    finding = findings_of(late, spans=[phase])["collector kept up"]
    assert finding.verdict.value == expected
    assert finding.seen.startswith("p99 ")


@pytest.mark.parametrize(
    ("n_unheard", "places", "end_s", "expected"),
    [(1, 4, 10.0, "invalid"), (1, 100, 10.0, None), (2, 100, 10.0, "invalid"), (1, 4, 0.5, None), (0, 4, 10.0, None)],
)
def test_a_closed_loop_whose_places_stayed_taken_for_want_of_notices_did_not_send_its_load(
    n_unheard: int, places: int, end_s: float, expected: str | None
) -> None:
    rows = [replace(row, end_from="output", seen=30.0) for row in good(n_unheard)] + good()
    phase = replace(span(len(rows), end_s=end_s), kind="users", outstanding=places)
    found = findings_of(rows, spans=[phase]).get("places freed")
    assert (found and found.verdict.value) == expected


@pytest.mark.parametrize(
    ("every", "late_s", "end_s", "expected"),
    [(10, 5.0, 20.0, "invalid"), (10, 0.9, 20.0, None), (1000, 1.1, 20.0, None), (10, 5.0, None, "invalid")],
)
def test_a_closed_loop_whose_notices_came_late_did_not_send_its_load(
    every: int, late_s: float, end_s: float | None, expected: str | None
) -> None:
    # Ten places; what lasts 0.5 s in the endpoint is heard 0.1 s later, and every so many `late_s` later.
    rows = [
        Request(
            0.06 * k, done=0.06 * k + 0.5, seen=0.06 * k + (0.5 + late_s if k % every == 5 else 0.6), pub=0.06 * k + 0.5
        )
        for k in range(200)
    ]
    phase = replace(span(len(rows), end_s=end_s), kind="closed", outstanding=10)
    found = findings_of(rows, spans=[phase]).get("places freed")
    assert (found and found.verdict.value) == expected
    if found is not None:
        assert "notices came late" in found.seen


def test_a_notice_that_is_late_when_all_was_sent_kept_no_place_from_the_load() -> None:
    rows = [Request(0.06 * k, done=0.06 * k + 0.5) for k in range(200)]
    rows[-1] = replace(rows[-1], seen=500.0)
    assert "places freed" not in findings_of(rows, spans=[replace(span(200, end_s=600.0), outstanding=10)])


@pytest.mark.slow
def test_in_a_slow_closed_loop_our_lag_may_be_a_tenth_of_the_latency() -> None:
    for lag_s, expected in ((6.0, "valid"), (6.1, "invalid")):
        slow = [Request(k * 0.05, done=k * 0.05 + 60.0, seen=k * 0.05 + 60.0 + lag_s) for k in range(200)]
        assert verdict_of("collector kept up", slow, spans=[CLOSED]) == expected


def test_one_notice_in_two_hundred_that_was_heard_late_is_no_slow_collector() -> None:
    rows = good()
    rows[7] = replace(rows[7], seen=60.0)
    assert verdict_of("collector kept up", rows) == "valid"


@pytest.mark.slow
def test_why_ends_were_heard_late_decides_what_to_do() -> None:
    late = [replace(row, seen=(row.done or 0) + 11.0) for row in good()]
    for readings, advice in (
        (receivers(9.0), "raise `collector.receivers`"),
        (receivers(9.0, waits_for_deletion=3.0), "deletes were behind"),
        (receivers(0.0, receive_errors=12.0), "the queue gave no answer 12 times"),
        (receivers(0.0), "this machine was slow"),
    ):
        assert advice in findings_of(late, readings=readings)["collector kept up"].advice


def test_without_a_word_of_the_collector_nothing_is_said_of_it() -> None:
    raw = [replace(row, changes={"pub": None}) for row in good()]
    assert "collector kept up" not in findings_of(raw)


@pytest.mark.slow
def test_requests_without_an_end_leave_the_run_unknown_and_lost_ones_are_told() -> None:
    assert verdict_of("drained", [*good(), Request(1.0, Outcome.PENDING)]) == "unknown"
    lost = findings_of([*good(), Request(1.0, Outcome.LOST)])["drained"]
    assert lost.verdict is Verdict.VALID
    assert "1 are lost" in lost.seen


@pytest.mark.slow
def test_duplicates_are_expected_and_strangers_are_not() -> None:
    twice = [*good(), Request(1.0, done=2.0, notices=2)]
    assert verdict_of("notices ours", twice) == "valid"
    strangers = [*health(), reading("foreign_messages", 1.0, 1.0, source="generator")]
    assert verdict_of("notices ours", good(), readings=strangers) == "unknown"


@pytest.mark.slow
def test_a_constant_offset_of_the_clocks_is_told_and_a_wandering_one_is_doubted() -> None:
    ahead = [Request(k, ack=k + 0.02, recv=k + 2.01, done=k + 3.0) for k in range(50)]
    finding = findings_of(ahead)["clocks agree"]
    assert finding.verdict is Verdict.VALID
    assert "2.00 s ahead of ours, always; latencies are corrected" in finding.seen
    wandering = [Request(k, ack=k + 0.02, recv=k + k * 0.1, done=k + 9.0) for k in range(50)]
    assert verdict_of("clocks agree", wandering) == "unknown"


@pytest.mark.parametrize(("n_throttled", "expected"), [(0, "valid"), (20, "valid"), (40, "unknown")])
def test_throttles_are_outcomes_until_they_change_the_load(n_throttled: int, expected: str) -> None:
    throttled = [Request(1.0, Outcome.REJECTED, error="ThrottlingException") for _ in range(n_throttled)]
    assert verdict_of("not throttled", good() + throttled) == expected


def test_a_server_error_is_no_throttle() -> None:
    errors = [Request(1.0, Outcome.REJECTED, error="InternalServerException") for _ in range(100)]
    assert verdict_of("not throttled", good() + errors) == "valid"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("outcome", "kind", "expected"),
    [
        (Outcome.REJECTED, "async", "unknown"),
        (Outcome.TRANSPORT_ERROR, "async", "unknown"),
        (Outcome.REJECTED, "realtime", "unknown"),
        (Outcome.TRANSPORT_ERROR, "realtime", "valid"),  # the endpoint may have had all the work
    ],
)
def test_survivors_of_a_load_that_was_not_taken_allow_no_conclusion(outcome: Outcome, kind: str, expected: str) -> None:
    rows = good(180)
    bad = [Request(1.0, outcome, error="ValidationError", ack=1.5) for _ in range(21)]
    target = {"target": {"kind": kind}}
    assert verdict_of("load taken", rows + bad, **target) == expected
    assert verdict_of("load taken", rows + bad[:20], **target) == "valid"


@pytest.mark.parametrize(("n_gaps", "expected"), [(1, "valid"), (2, "unknown")])
def test_gauges_with_holes_leave_the_timeline_unknown(n_gaps: int, expected: str) -> None:
    looks = [reading("instances_current", 1.0, float(k)) for k in range(11)]
    gaps = [reading("GetMetricData", None, float(k), detail="AccessDenied", source="cloudwatch") for k in range(n_gaps)]
    finding = findings_of(good(), readings=[*health(), *looks, *gaps])["gauges read"]
    assert finding.verdict.value == expected
    assert "AccessDenied" in finding.seen


@pytest.mark.parametrize(("n_silent", "expected"), [(0, "valid"), (2, "valid"), (3, "unknown"), (24, "unknown")])
def test_minutes_of_load_that_cloudwatch_left_out_leave_the_timeline_unknown(n_silent: int, expected: str) -> None:
    """Half an hour from a whole minute on, of whose last five minutes nothing was due."""
    always = [Request(0.0, done=1800.0)]
    looks = [reading("instances_current", 1.0, float(k)) for k in range(0, 1800, 10)]
    told = [(20.0 + 60 * k, 1.0) for k in range(n_silent, 24)]
    points = [reading("ApproximateBacklogSize", one, at, source="cloudwatch", stat="average") for at, one in told]
    found = findings_of(always, spans=[span(1, end_s=1800)], readings=[*health(), *looks, *points])
    assert found["gauges read"].verdict.value == expected
    words = {0: "0 of", 24: "in any of 24 minutes with load"}.get(n_silent, f"in {n_silent} of 24 minutes with load")
    assert words in found["gauges read"].seen
    assert ("AWS's own backlog is not known" in found["little's law"].seen) == (n_silent == 24)


def test_minutes_without_load_and_those_still_on_their_way_are_no_silence() -> None:
    looks = [reading("instances_current", 1.0, float(k)) for k in range(0, 900, 10)]
    late = [Request(600.0, done=900.0)]
    assert "minutes" not in findings_of(late, spans=[span(1, end_s=900)], readings=looks)["gauges read"].seen


@pytest.mark.parametrize("kind", ["serverless", "realtime"])
def test_of_a_synchronous_endpoint_minutes_without_a_call_are_no_silence(kind: str) -> None:
    calls = [Request(20.0 + 60 * k, done=21.0 + 60 * k) for k in range(0, 24, 4)]
    looks = [reading("instances_current", 1.0, float(k)) for k in range(0, 1800, 10)]
    points = [reading("Invocations", 1.0, 20.0 + 60 * k, source="cloudwatch", stat="sum") for k in range(0, 24, 4)]
    run: dict[str, Any] = {"spans": [span(6, end_s=1800)], "scenario": {"target": {"kind": kind}}}
    assert findings_of(calls, readings=[*looks, *points], **run)["gauges read"].verdict is Verdict.VALID
    finding = findings_of(calls, readings=looks, **run)["gauges read"]
    assert finding.verdict is Verdict.UNKNOWN
    assert "no Invocations in any of 6 minutes with load" in finding.seen


def reported(share: float, minutes: int = 5) -> list[Reading]:
    return [
        reading("ApproximateBacklogSize", 10 * share, 60.0 * k, source="cloudwatch", stat="average")
        for k in range(minutes)
    ]


@pytest.mark.parametrize(("share", "expected"), [(1.0, "valid"), (0.95, "valid"), (0.5, "unknown"), (1.2, "unknown")])
def test_a_backlog_that_aws_sees_otherwise_is_doubted(share: float, expected: str) -> None:
    ten_always = [Request(0.0, done=300.0) for _ in range(10)]
    finding = findings_of(ten_always, readings=[*health(), *reported(share)])["little's law"]
    assert finding.verdict.value == expected
    assert f"{share:.2f} times ours over 5 minutes" in finding.seen


def test_too_few_minutes_or_too_little_backlog_are_no_ground_for_doubt() -> None:
    ten_always = [Request(0.0, done=300.0) for _ in range(10)]
    assert verdict_of("little's law", ten_always, readings=[*health(), *reported(0.5, minutes=2)]) == "valid"
    one_briefly = [Request(0.0, done=1.0), Request(299.0, done=300.0)]
    assert verdict_of("little's law", one_briefly, readings=[*health(), *reported(0.5)]) == "valid"


def test_bookkeeping_that_breaks_littles_law_invalidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "time_in_system_ns", lambda *_: 1)
    assert verdict_of("little's law", good()) == "invalid"


@pytest.mark.slow
def test_a_percentile_that_a_threshold_names_needs_requests_above_it() -> None:
    named = {"thresholds": ["sojourn_p99 < 8m", "sojourn_p50 < 1m", "expired == 0"]}
    finding = findings_of(good(200), scenario=named)["enough requests"]
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.advice == "sojourn_p99 needs 1,000 requests"
    assert verdict_of("enough requests", good(200), scenario={"thresholds": ["sojourn_p95 < 8m"]}) == "valid"
    assert verdict_of("enough requests", good(200)) == "valid"
    frames = frames_of(good(200))
    (asked,) = check(frames, summarise(frames), [checks.enough_requests], asked=["p99 < 8m"])  # of `report --assert`
    assert asked.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("finished", "valid"),
        ("stopped", "valid"),
        ("cancelled", "unknown"),
        ("failed", "unknown"),
        ("running", "unknown"),
    ],
)
def test_a_run_cut_off_is_unknown(ending: str, expected: str) -> None:
    assert verdict_of("ended by itself", good(), ending=Ending(ending)) == expected


def test_why_sending_stopped_is_told() -> None:
    events = [Event("stop", "error limit: 60 of 100 answers were errors", 1, 1)]
    assert "error limit: 60 of 100" in findings_of(good(), events=events)["ended by itself"].seen


def test_bad_ends_of_requests_are_no_fault_of_the_run() -> None:
    bad = [Request(1.0, Outcome.FAILED, done=2.0), Request(1.0, Outcome.EXPIRED, done=2.0), Request(1.0, Outcome.LOST)]
    bad.append(Request(1.0, Outcome.TRANSPORT_ERROR, error="connection reset"))
    assert verdict(findings_of(good() + bad).values()) is Verdict.VALID


def test_frames_are_not_changed_by_being_checked() -> None:
    frames: Frames = frames_of(good())
    before = frames.requests.clone()
    check(frames, summarise(frames))
    assert frames.requests.equals(before)
    assert isinstance(before, pl.DataFrame)


def test_a_check_that_means_nothing_for_the_target_is_left_out() -> None:
    every = findings_of(good())
    left_out = findings_of(good(), inapplicable=("little's law", "notices ours"))
    assert set(left_out) == set(every) - {"little's law", "notices ours"} < set(every)


@pytest.mark.slow
def test_a_stage_that_the_target_does_not_have_is_left_out() -> None:
    every = [stage.name for stage in summarise(frames_of(good())).stages]
    left_out = summarise(frames_of(good(), inapplicable=("notification",))).stages
    assert [stage.name for stage in left_out] == [name for name in every if name != "notification"] != every


@pytest.mark.parametrize(("ending", "judged"), [(Ending.FAILED, "invalid"), (Ending.RUNNING, "unknown")])
def test_requests_of_which_nothing_is_known_make_a_run_that_is_over_invalid(ending: Ending, judged: str) -> None:
    lost = [*good(), Request(9.95, Outcome.UNKNOWN)]
    finding = findings_of(lost, ending=ending)["ended by itself"]
    assert finding.verdict == judged
    assert "whether 1 request was sent is not known" in finding.seen
    assert verdict_of("ended by itself", good(), ending=ending) == "unknown"


@pytest.mark.slow
@pytest.mark.parametrize(("apart_s", "expected"), [(0.9, "valid"), (1.1, "unknown")])
def test_machines_that_began_apart_never_had_the_load_of_the_scenario(apart_s: float, expected: str) -> None:
    first = datetime.datetime(2026, 11, 21, 3, 12, tzinfo=datetime.UTC)
    zeros = [first, first + datetime.timedelta(seconds=apart_s), None]
    shards = tuple(ShardFacts(shard=n, ending="finished", zero=zero) for n, zero in enumerate(zeros))
    assert "shards together" not in findings_of(good())
    clocks = tuple(one.model_copy(update={"clock_offset_s": -apart_s * one.shard}) for one in shards)
    assert verdict_of("shards together", good(), shards=clocks) == "valid", "the second one's clock is ahead"
    finding = findings_of(good(), shards=shards)["shards together"]
    assert finding.verdict.value == expected
    assert ("2 shards began, up to 1.10 s apart" in finding.seen) == (expected == "unknown")


@pytest.mark.slow
def test_a_load_that_a_resume_sent_on_was_never_the_load_of_the_scenario() -> None:
    rows = good()
    assert "sent in one go" not in findings_of(rows, resumes=1), "it only heard the ends"
    late = [replace(row, sched=row.sched + 3600, changes={"resume": 1}) for row in rows[150:] if row.sched is not None]
    for row in late:
        row.send = row.ack = row.recv = row.sched
        row.done = (row.sched or 0.0) + 1.0
    finding = findings_of([*rows[:150], *late], resumes=1)["sent in one go"]
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.seen == "50 of 200 requests were sent by `smbench resume --continue`, after a break of 60 m"
