"""Goal: a threshold says the same to its author, to the check and to the schema.

Method: known answers, each way to be wrong, and every metric's own example.
"""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.scenario.thresholds import (
    LATENCIES,
    METRICS,
    PATTERN,
    Threshold,
    ThresholdError,
    parse_threshold,
    written_threshold,
)


@pytest.mark.parametrize(
    ("text", "metric", "op", "value", "unit"),
    [
        ("sojourn_p95 < 8m", "sojourn_p95", "<", 480.0, "s"),
        ("  drain_s<=1m30s ", "drain_s", "<=", 90.0, "s"),
        ("ack_p99 < 250ms", "ack_p99", "<", 0.25, "s"),
        ("drain_s < 90s", "drain_s", "<", 90.0, "s"),
        ("p50 > 0s", "sojourn_p50", ">", 0.0, "s"),
        ("expired == 0", "expired", "==", 0.0, "requests"),
        ("completed>=1800", "completed", ">=", 1800.0, "requests"),
        ("error_share < 5%", "error_share", "<", 0.05, "share"),
        ("error_share != 0.05", "error_share", "!=", 0.05, "share"),
        ("failed < 1%", "failed", "<", 0.01, "share"),
        ("p95 < 8m", "sojourn_p95", "<", 480.0, "s"),
        ("max from schedule < 1h", "sojourn_max", "<", 3600.0, "s"),
        ("p99.9 from acceptance<=5m", "service_view_p99.9", "<=", 300.0, "s"),
        ("schedule_lag_p99 < 100ms", "schedule_lag_p99", "<", 0.1, "s"),
        ("backlog <= 500 for 5m", "backlog", "<=", 500.0, "requests"),
        ("drain < 5m", "drain", "<", 300.0, "s"),
        ("within(8m) >= 99%", "within", ">=", 0.99, "share"),
        ("goodput(8m) from acceptance >= 90/m", "goodput", ">=", 1.5, "hz"),
        ("cost_per_1000 < 0.40", "cost_per_1000", "<", 0.4, "usd"),
    ],
)
def test_a_threshold_is_read_in_the_unit_of_its_metric(
    text: str, metric: str, op: str, value: float, unit: str
) -> None:
    threshold = parse_threshold(text)
    assert (threshold.metric, threshold.op, threshold.unit, threshold.text) == (metric, op, unit, text)
    assert threshold.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must read `metric operator value`"),
        ("expired", "must read"),
        ("expired = 0", "must read"),
        ("expired == ", "must read"),
        ("0 == expired", "there is no metric '0'"),
        ("backlog == 5%", "must be a whole number of requests"),
        ("failed < 101%", "must lie between 0% and 100%"),
        ("p999 < 1s", "99.9 % is written p99.9"),
        ("p0 < 1s", "between 0 and 100"),
        ("p0.95 < 1s", "they are written in percent, not 'p0.95'"),
        ("service_view_p0.5 < 1s", "they are written in percent, not 'p0.5'"),
        ("pNN < 1s", "there is no metric 'pNN'"),
        ("p95 from submission < 1s", "`from schedule` or `from acceptance`"),
        ("sojourn_p95 from schedule < 1s", "takes no `from schedule`"),
        ("within >= 99%", "needs a deadline, as in `within"),
        ("within(soon) >= 99%", "the deadline 'soon' of within must be a duration"),
        ("p95(8m) < 1s", "takes nothing in parentheses"),
        ("failed == 0 for 5m", "takes no `for 5m`"),
        ("backlog >= 3 for 5m", "needs < or <="),
        ("backlog < 3 for ever", "the duration 'ever' of backlog must be a duration"),
        ("goodput(8m) >= fast", "must be a rate"),
        ("goodput(8m) >= -1/s", "must be a rate"),
        ("cost_per_1000 < cheap", "must be a number of USD"),
        ("cost_per_1000 < -1", "must not be negative"),
        ("expired == -1", "must be a whole number of requests"),
        ("expired == nan", "must be a whole number of requests"),
        ("expired == 1.5", "must be a whole number of requests"),
        ("sojourn_p95 < eight", "must be a duration"),
        ("sojourn_p95 < -1s", "must not be negative"),
        ("sojourn_p95 < inf", "must be a finite number"),
        ("error_share < 130%", "must lie between 0% and 100%"),
        ("error_share < 5", "between 0% and 100%: write 5%"),
        ("error_share < 1", "may mean all or a hundredth: write 100% or 1%"),
        ("failed < 1_0", "must be a whole number of requests"),  # only Python takes it for a number
        ("failed < ٣", "must be a whole number of requests"),
        ("completed >= 0", "holds whatever the run measures"),
        ("expired <= 100%", "holds whatever"),
        ("goodput(8m) >= 0/s", "holds whatever"),
        ("p95 >= 0s", "holds whatever"),
        ("failed < 0", "fails whatever"),
        ("error_share > 100%", "fails whatever"),
        ("p95 < 500", "the value '500' of p95 needs a unit: write 500ms or 500s"),
        ("max < 2", "the value '2' of max needs a unit: write 2ms or 2s"),
        ("drain < 300", "the value '300' of drain needs a unit: write 300ms or 300s"),
        ("ack_p99 <= 0.25", "write 0.25ms or 0.25s"),
        ("oldest_age < 1e3", "write 1e3ms or 1e3s"),
        ("scale_out < 0", "write 0ms or 0s"),
        ("within(480) >= 99%", "the deadline '480' of within needs a unit: write 480ms or 480s"),
        ("backlog <= 500 for 300", "the duration '300' of backlog needs a unit: write 300ms or 300s"),
        ("failed<0.01", "is not a number of requests; for a share of those accepted write 1%"),
        ("completed >= 0.999", "for a share of those accepted write 99.9%"),
        ("not_sent < .5", "for a share of those scheduled write 50%"),
        ("backlog < 0.5", "must be a whole number of requests"),
        ("p(95)<500", "a percentile is written without parentheses, not 'p\\(95\\)'"),
    ],
)
def test_what_is_no_threshold_is_told(text: str, words: str) -> None:
    with pytest.raises(ThresholdError, match=words):
        written_threshold(text)


@pytest.mark.parametrize("text", ["completed >= 0", "error_share < 1"])
def test_results_of_before_keep_a_threshold_that_is_refused_now(text: str) -> None:
    assert parse_threshold(text).text == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("latency_p95 < 1s", "p95"),  # not the ack_p95 that looks like it: that one would be met
        ("p99_latency < 1s", "p99"),
        ("ttft_p99 < 1s", "first_part_p99"),
        ("sojourn_p95_s < 9s", "sojourn_p95"),
        ("queue_p90 < 9s", "p90"),
        ("sojurn_p95 < 8m", "sojourn_p95"),
        ("sojourn_p999 < 8m", "sojourn_p99.9"),
        ("p100 < 8m", "max"),
        ("withn(8m) >= 99%", "within"),
        ("scaleout < 6m", "scale_out"),
        ("p95 from schedul < 8m", "schedule"),
        ("qqq == 1", ""),
        ("p(95) < 500ms", "p95"),
        ("p(99.9)<500", "p99.9"),
        ("percentile(95) < 1s", "p95"),
        ("sojourn_p(95) < 1s", "sojourn_p95"),
        ("p(95%) < 1s", "p95"),
        ("p(all) < 1s", "p95"),
        ("cost < 5", "cost_per_1000"),
        ("http_req_duration < 500ms", "p95"),
        ("http_req_failed < 1%", "error_share"),
        ("Median < 1s", "p50"),
        ("P95 < 1s", "p95"),
        ("Expired == 0", "expired"),
    ],
)
def test_what_was_probably_meant_is_guessed(text: str, meant: str) -> None:
    with pytest.raises(ThresholdError) as caught:
        parse_threshold(text)
    assert caught.value.meant == meant


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_s_example_names_it_and_is_read_by_parser_and_schema(name: str) -> None:
    metric = METRICS[name]
    threshold = parse_threshold(metric.example)
    assert name == "pNN" or threshold.metric.startswith(name.removesuffix("NN"))
    assert threshold.unit == metric.unit or (threshold.unit == "share" and metric.share_of)
    assert re.search(PATTERN, metric.example)
    assert (threshold.deadline_s is not None) == metric.has_deadline


@pytest.mark.slow
@given(
    of=st.sampled_from(["", *LATENCIES]),
    hundredths=st.integers(1, 9_999),
    since=st.sampled_from(["", " from schedule", " from acceptance"]),
    op=st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
    blanks=st.sampled_from(["", " ", "  "]),
)
def test_any_percentile_is_read_exactly(of: str, hundredths: int, since: str, op: str, blanks: str) -> None:
    written = f"{hundredths / 100:g}"
    since = "" if of else since
    text = f"{blanks}{of}{'_' if of else ''}p{written}{since}{blanks}{op}{blanks}90s"
    threshold = parse_threshold(text)
    assert threshold.quantile == Fraction(hundredths, 10_000)
    assert threshold.of == (of or ("service_view" if "acceptance" in since else "sojourn"))
    assert (threshold.op, threshold.value) == (op, 90.0)
    assert re.search(PATTERN, text)


def test_how_long_a_comparison_may_fail_is_a_threshold_on_that_time() -> None:
    threshold = parse_threshold("backlog < 500 for 5m")
    assert threshold.lasting_s == 300.0
    asked = threshold.of_its_duration()
    assert (asked.op, asked.value, asked.unit) == ("<=", 300.0, "s")


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        ("!=", True, False, True),
        (">=", False, True, True),
        (">", False, False, True),
    ],
)
def test_operators_mean_what_they_say(op: str, below: bool, equal: bool, above: bool) -> None:
    threshold: Threshold = parse_threshold(f"failed {op} 5")
    assert [threshold.holds(seen) for seen in (4, 5, 6)] == [below, equal, above]
