"""Goal: every figure of a run follows from its rows, and says so where it cannot be known.

Method: D/D/1 and other runs small enough for the figures to be computed in a comment; the edges: nothing, one request,
nothing completed.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runs import Request, frames_of, reading, span
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.verdict import checks
from smbench.analysis.without_notices import WITHOUT_NOTICES
from smbench.records import Event, NotSent, Outcome, Unknown
from smbench.results.law import Counts


def summary_of(rows: list[Request], **run: Any) -> Summary:
    return summarise(frames_of(rows, **run))


def d_d_1(n: int, gap_s: float, service_s: float) -> list[Request]:
    """Arrivals every `gap_s`, one server: the k-th waits for all before it when service is longer than the gap."""
    rows, free_s = [], 0.0
    for k in range(n):
        free_s = max(free_s, k * gap_s) + service_s
        rows.append(Request(k * gap_s, done=free_s, seen=free_s + 0.1))
    return rows


def test_an_overloaded_server_by_hand() -> None:
    # D/D/1, 100 arrivals 1 s apart, service 2 s: sojourn of the k-th is k + 2, the last ends at 200 s.
    summary = summary_of(d_d_1(100, 1.0, 2.0), spans=[span(100, end_s=100.0)])
    assert [summary.sojourn.percentile(name) for name in ("p50", "p90", "p95", "p99", "max")] == [
        Bounded.exactly(value) for value in (51.0, 91.0, 96.0, 100.0, 101.0)
    ]
    assert summary.sojourn.mean_s == pytest.approx(51.5)
    assert summary.service_view == summary.sojourn  # received when due, here
    assert summary.hearing.max == Bounded.exactly(0.1)
    assert summary.backlog.peak == 51  # at 99 s all 100 have come and 49 have gone
    assert summary.backlog.peak_at_s == 99.0
    assert summary.backlog.oldest_age_s == 101.0
    assert summary.backlog.drain == Bounded.exactly(101.0)
    assert (summary.rates.offered_hz, summary.rates.achieved_hz) == (1.0, 1.0)
    assert summary.rates.completed_hz == 0.5  # within the 100 s: those that ended at 2, 4, .., 100
    assert summary.counts == Counts(scheduled=100, sent=100, accepted=100, completed=100)
    assert summary.violations == ()


def test_latency_counts_from_the_schedule_and_not_from_a_late_send() -> None:
    summary = summary_of([Request(0.0, send=3.0, ack=3.2, recv=3.1, done=4.1)])
    assert summary.sojourn.p50 == Bounded.exactly(4.1)
    assert summary.service_view.p50 == Bounded.exactly(1.0)
    assert summary.ack.p50 == Bounded.exactly(0.2)
    assert summary.generator.schedule_lag.p50 == Bounded.exactly(3.0)


def test_a_quarter_that_never_ends_makes_the_ninetieth_percentile_more_than_a_number() -> None:
    # 250 at once, 186 done after 1 s, and 64 without an end when the run is over after 900 s.
    rows = [Request(0.0, done=1.0) for _ in range(186)] + [Request(0.0, Outcome.PENDING) for _ in range(64)]
    summary = summary_of(rows, readings=[reading("instances_current", 1.0, 900.0)])
    assert summary.sojourn.p50 == Bounded.exactly(1.0)
    assert summary.sojourn.p90 is not None
    assert summary.sojourn.p90.text() == "> 15 m"
    assert (summary.sojourn.n, summary.sojourn.n_censored) == (250, 64)
    assert summary.backlog.drain == Bounded(low=900.0, high=None)


def test_a_phase_that_was_only_planned_makes_nobody_older() -> None:
    # Killed after 6 s, in the first of two phases; the second was planned for 20 s.
    events = [Event("phase", "load", 0, 0), Event("phase", "late", 20 * 10**9, 20 * 10**9)]
    seen = [reading("backlog_seen", 1.0, 6.0, source="ledger")]
    summary = summary_of([Request(0.0, Outcome.PENDING)], events=events, readings=seen)
    assert summary.length_s == 6.0
    assert summary.sojourn.max == Bounded(low=6.0, high=None)


def test_what_failed_or_expired_counts_as_never_completed() -> None:
    rows = [Request(0.0, done=1.0) for _ in range(8)]
    rows += [Request(0.0, Outcome.FAILED, done=0.5), Request(0.0, Outcome.EXPIRED, done=60.0)]
    summary = summary_of(rows)
    assert summary.sojourn.p90 == Bounded(low=60.0, high=None, never=True)
    assert (summary.sojourn.n, summary.sojourn.n_never) == (10, 2)
    assert summary.error_share == Bounded.exactly(0.2)


def test_warm_up_is_left_out_of_the_figures_and_not_of_the_ledger() -> None:
    warm = [Request(float(k), done=k + 9.0, phase="warm", warmup=True) for k in range(10)]
    rows = warm + [Request(20.0 + k, done=20.0 + k + 1.0) for k in range(5)]
    spans = [
        span(10, name="warm", end_s=20.0, warmup=True),
        span(5, index=1, start_s=20.0, end_s=25.0, first_seq=10),
    ]
    summary = summary_of(rows, spans=spans)
    assert (summary.counts.scheduled, summary.measured.scheduled, summary.n_warmup) == (15, 5, 10)
    assert summary.sojourn.max == Bounded.exactly(1.0)
    assert summary.backlog.peak == 1
    assert summary.backlog.oldest_age_s == 1.0
    assert (summary.rates.length_s, summary.rates.offered_hz) == (5.0, 1.0)
    assert [(phase.name, phase.warmup) for phase in summary.phases] == [("warm", True), ("load", False)]


def test_what_completed_of_all_but_the_warm_up_are_measured_requests() -> None:
    # The warm-up's ten end while the five measured ones are due, and these two seconds later.
    warm = [Request(float(k), done=21.0 + k / 10, phase="warm", warmup=True) for k in range(10)]
    rows = warm + [Request(20.0 + k, done=22.0 + k) for k in range(5)]
    spans = [
        span(10, name="warm", end_s=20.0, warmup=True),
        span(5, index=1, start_s=20.0, end_s=25.0, first_seq=10),
    ]
    summary = summary_of(rows, spans=spans)
    assert (summary.rates.n_offered, summary.rates.n_completed) == (5, 4)
    assert summary.phases[1].rates.n_completed == 14  # the endpoint's, of any phase


def test_an_end_found_in_s3_is_not_taken_to_be_earlier_than_it_was() -> None:
    # LastModified 10 s may be anything up to 11 s; the request was due at 10.5 s.
    rows = [Request(10.5, done=10.0, seen=300.0, end_from="output", notices=0), Request(10.5, done=11.5)]
    summary = summary_of(rows)
    assert summary.sojourn.p50 == Bounded(low=0.0, high=0.5)
    assert summary.notices.n_from_outputs == 1
    assert summary.hearing.n == 1  # it says nothing of how late notices are


def test_a_notice_without_a_time_ended_at_the_latest_when_it_was_seen() -> None:
    rows = [Request(0.0, seen=5.0, end_from="notice", changes={"done": None}), Request(90.0, done=91.0)]
    summary = summary_of(rows)  # the run went on long after it
    assert summary.sojourn.max == Bounded.exactly(5.0)
    assert summary.hearing.n == 1


def test_hearing_is_the_notification_and_the_observer_lag_and_their_parts_are_known_only_with_an_envelope() -> None:
    told = [Request(0.0, done=1.0, pub=1.07, seen=1.32) for _ in range(3)]
    raw = [Request(0.0, done=1.0, seen=1.3, changes={"pub": None}) for _ in range(2)]
    summary = summary_of(told + raw)
    assert [one.n for one in (summary.hearing, summary.notification, summary.observer_lag)] == [5, 3, 3]
    assert summary.hearing.p50 == Bounded.exactly(0.32)
    assert summary.notification.p50 == Bounded.exactly(0.07)
    assert summary.observer_lag.p50 == Bounded.exactly(0.25)


def test_duplicates_foreign_and_unreadable_messages_are_counted_apart() -> None:
    rows = [Request(0.0, done=1.0, notices=3), Request(0.0, done=1.0), Request(0.0, Outcome.PENDING)]
    events = [Event("malformed_message", kind, 1, 1) for kind in ("foreign", "malformed", "malformed")]
    readings = [reading("foreign_messages", 4.0, 1.0, source="generator")]
    notices = summary_of(rows, events=events, readings=readings).notices
    assert (notices.n, notices.n_duplicates, notices.n_foreign, notices.n_malformed) == (4, 2, 4, 2)


def test_bad_ends_are_told_by_cause_the_commonest_first() -> None:
    rows = [Request(0.0, Outcome.REJECTED, error="ThrottlingException") for _ in range(3)]
    rows += [Request(0.0, Outcome.TRANSPORT_ERROR, error="read timeout"), Request(0.0, done=1.0)]
    causes = summary_of(rows).causes
    assert [(cause.outcome, cause.error, cause.status_code, cause.n) for cause in causes] == [
        ("rejected", "ThrottlingException", 400, 3),
        ("transport_error", "read timeout", None, 1),
    ]


def test_a_submission_without_an_answer_is_never_acknowledged() -> None:
    rows = [Request(0.0, ack=0.1, done=1.0) for _ in range(3)]
    rows.append(Request(0.0, Outcome.TRANSPORT_ERROR, ack=60.0))
    rows.append(Request(0.0, Outcome.REJECTED, ack=0.001))  # a refusal is no acknowledgement
    ack = summary_of(rows).ack
    assert (ack.n, ack.n_never) == (4, 1)
    assert ack.max == Bounded(low=60.0, high=None, never=True)


def test_the_generator_is_described_by_its_own_readings() -> None:
    readings = [
        reading(name, value, at, source="generator")
        for name, values in {
            "cpu_share": (0.2, 0.4, 0.9),
            "loop_lag_max_s": (0.01, 0.3, 0.02),
            "rss_bytes": (1e8, 1.2e8, 1.1e8),
        }.items()
        for at, value in enumerate(values)
    ]
    rows = [Request(0.0, done=1.0), Request(0.0, Outcome.NOT_SENT, why_not_sent=NotSent.IN_FLIGHT_LIMIT)]
    rows.append(Request(0.0, Outcome.NOT_SENT, why_not_sent=NotSent.RUN_ENDED))
    generator = summary_of(rows, readings=readings, clock="real").generator
    assert (generator.cpu_share_max, generator.cpu_share_median, generator.loop_lag_max_s) == (0.9, 0.4, 0.3)
    assert generator.rss_max_bytes == 120_000_000
    assert generator.n_dropped == 1
    assert (generator.receivers_peak, generator.receivers_max, generator.receivers_saturated_s) == (None, None, None)
    virtual = summary_of(rows, readings=readings, clock="warp").generator
    assert (virtual.cpu_share_max, virtual.cpu_share_median, virtual.loop_lag_max_s) == (None, None, None)


def test_of_the_receivers_the_most_and_the_longest_stretch_are_told() -> None:
    values = {"receivers": (2.0, 9.0, 3.0), "receivers_max": (16.0,) * 3, "receivers_saturated_s": (0.0, 4.5, 0.0)}
    values["waits_for_deletion"] = (0.0, 2.0, 2.0)
    readings = [
        reading(name, value, float(at), source="generator")
        for name, each in values.items()
        for at, value in enumerate(each)
    ]
    generator = summary_of([Request(0.0, done=1.0)], readings=readings).generator
    assert (generator.receivers_peak, generator.receivers_max, generator.receivers_saturated_s) == (9, 16, 4.5)
    assert generator.n_waits_for_deletion == 2


def test_the_target_is_named_where_it_is_real() -> None:
    assert summary_of([]).target == "emulated endpoint"
    assert summary_of([], scenario={"target": {"endpoint": "whisper"}}).target == "endpoint whisper"


def test_a_phase_that_the_run_did_not_reach_has_no_rate_and_no_length() -> None:
    rows = [Request(float(k), done=k + 1.0, phase="first") for k in range(4)]
    limit = NotSent.REQUEST_LIMIT
    rows += [Request(float(k), Outcome.NOT_SENT, phase="first", why_not_sent=limit) for k in range(4, 10)]
    rows += [Request(k + 0.5, Outcome.NOT_SENT, phase="second", why_not_sent=limit) for k in range(10, 20)]
    spans = [span(10, name="first"), span(10, name="second", index=1, start_s=10.0, end_s=20.0, first_seq=10)]
    first, second = (phase.rates for phase in summary_of(rows, spans=spans).phases)
    assert (first.length_s, first.n_offered, first.offered_hz) == (4.0, 4, 1.0)
    assert (second.length_s, second.n_offered) == (0.0, 0)
    assert isinstance(second.offered_hz, Unknown)


def test_a_burst_at_one_instant_has_no_rate() -> None:
    summary = summary_of([Request(0.0, send=0.05, done=1.0)] * 3, spans=[span(3, end_s=0.0)])
    rates = summary.rates
    assert (rates.n_offered, rates.n_sent) == (3, 3)
    assert isinstance(rates.offered_hz, Unknown)
    written = summary.as_json()
    assert (written["rates"]["offered_hz"], written["phases"][0]["rates"]["completed_hz"]) == (None, None)
    for path in ("rates.offered_hz", "rates.completed_hz", "phases.0.rates.achieved_hz"):
        assert written["absent"][path] == "all requests were due at once"


def test_a_step_is_as_long_as_it_was_planned_and_an_end_on_the_border_belongs_to_the_next() -> None:
    rows = [Request(float(k), done=10.0) for k in range(10)] + [Request(10.0 + k / 2, done=20.0) for k in range(20)]
    steps = replace(span(30, end_s=20.0), kind="steps")
    summary = summary_of(rows, spans=[steps], scenario={"load": [{"steps": {"rates": [1, 2], "each": 10}}]})
    first, second = summary.steps[0].steps
    assert (first.rates.length_s, first.rates.offered_hz, first.rates.n_completed) == (10.0, 1.0, 0)
    assert (second.rates.length_s, second.rates.offered_hz, second.rates.n_completed) == (10.0, 2.0, 10)


def test_a_phase_that_was_sent_late_is_measured_until_its_last_send() -> None:
    rates = summary_of(
        [Request(float(k), send=2.0 * k, done=30.0) for k in range(11)], spans=[span(11, end_s=10)]
    ).rates
    assert (rates.length_s, rates.achieved_hz) == (20.0, 11 / 20)


def test_rates_are_of_the_time_that_took_place() -> None:
    sent = [Request(float(k), done=k + 1.0) for k in range(10)]
    rest = [Request(float(k), Outcome.NOT_SENT, why_not_sent=NotSent.STOPPED) for k in range(10, 100)]
    rates = summary_of([*sent, *rest], spans=[span(100, end_s=100)]).rates
    assert (rates.length_s, rates.n_offered, rates.offered_hz, rates.achieved_hz) == (10.0, 10, 1.0, 1.0)


def test_a_closed_phase_lasts_until_its_last_end_and_offers_what_it_released() -> None:
    rows = [
        Request(0.0, done=2.0),
        Request(2.0, done=4.0),
        Request(None, Outcome.NOT_SENT, why_not_sent=NotSent.TIME_LIMIT),
    ]
    rates = summary_of(rows, spans=[span(3, end_s=None)]).rates
    assert (rates.length_s, rates.n_offered, rates.completed_hz) == (4.0, 2, 0.5)


def test_no_request_at_all_is_a_summary_without_figures() -> None:
    summary = summary_of([], spans=[])
    assert summary.counts == Counts()
    assert summary.sojourn.p50 is None
    assert summary.rates.offered_hz == Unknown("no request was due")
    assert summary.backlog.drain == Unknown("nothing was sent")
    assert summary.error_share == Unknown("no request was answered")
    assert _numbers_of(summary) >= 0


def test_one_request_is_enough_for_a_summary() -> None:
    summary = summary_of([Request(0.0, done=1.5)])
    assert summary.sojourn.p99 == Bounded.exactly(1.5)
    assert summary.backlog.peak == 1


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.COMPLETED])
def test_without_a_single_completion_there_is_no_latency_and_no_nan(outcome: Outcome) -> None:
    done = 2.0 if outcome in (Outcome.FAILED, Outcome.EXPIRED) else None
    summary = summary_of([replace(Request(0.0, outcome), done=done) for _ in range(3)])
    assert summary.sojourn.mean_s is None
    assert summary.sojourn.p50 is None or summary.sojourn.p50.high is None
    assert _numbers_of(summary) > 0


def test_a_reading_that_aws_told_again_counts_once_as_told_last() -> None:
    readings = [
        reading("ApproximateBacklogSize", value, 60.0, source="cloudwatch", stat="average", seen=seen)
        for value, seen in ((3.0, 130.0), (4.0, 190.0))
    ]
    assert frames_of([], readings=readings).readings["value"].to_list() == [4.0]


def _numbers_of(summary: Summary) -> int:
    """How many numbers stand in the JSON; fails on one that is not finite, which strict JSON cannot hold."""
    text = json.dumps(summary.as_json(), allow_nan=False)
    numbers: list[float] = []
    json.loads(
        text, parse_float=lambda number: numbers.append(float(number)), parse_int=lambda n: numbers.append(int(n))
    )
    assert all(math.isfinite(number) for number in numbers)
    return len(numbers)


SYNCHRONOUS = ("submit", "queue wait", "service", "notification", "observer lag")


@pytest.mark.slow
def test_a_synchronous_call_without_an_answer_took_at_least_as_long_as_it_waited() -> None:
    rows = [
        *(Request(float(n), done=n + 1.0, end_from="answer", status_code=200) for n in range(90)),
        *(Request(float(n), Outcome.TRANSPORT_ERROR, ack=n + 70.0, error="read timeout") for n in range(90, 100)),
    ]
    summary = summarise(frames_of(rows, inapplicable=SYNCHRONOUS, target={"kind": "realtime"}))
    assert summary.is_synchronous
    assert (summary.counts.completed, summary.counts.transport_error) == (90, 10)
    assert (summary.sojourn.n, summary.sojourn.n_censored) == (100, 10)
    assert summary.sojourn.p50 == summary.from_send.p50 == Bounded.exactly(1.0)
    assert summary.sojourn.p95 == Bounded(low=70.0, high=None)
    asynchronous = summarise(frames_of(rows))
    assert not asynchronous.is_synchronous
    assert asynchronous.sojourn.n == 90  # there a notice might still prove or disprove them


def test_what_is_left_out_without_notices_are_stages_and_checks_that_there_are() -> None:
    rows = [Request(float(n), done=n + 1.0) for n in range(5)]
    frames = frames_of(rows)
    summary = summarise(frames)
    named = {stage.name for stage in summary.stages}
    assert set(SYNCHRONOUS) < named
    assert set(SYNCHRONOUS) < WITHOUT_NOTICES
    source = "\n".join(path.read_text() for path in Path(checks.__file__).parent.glob("*.py"))
    assert all(f'name="{name}"' in source for name in WITHOUT_NOTICES - set(SYNCHRONOUS))
