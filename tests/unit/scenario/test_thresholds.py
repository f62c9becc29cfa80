"""Goal: a threshold says the same to its author and to the check. Method: known answers, each way to be wrong."""

import pytest

from smbench.scenario.thresholds import METRICS, Threshold, ThresholdError, parse_threshold


@pytest.mark.parametrize(
    ("text", "metric", "op", "value", "unit"),
    [
        ("sojourn_p95 < 8m", "sojourn_p95", "<", 480.0, "s"),
        ("  drain_s<=1m30s ", "drain_s", "<=", 90.0, "s"),
        ("ack_p99 < 250ms", "ack_p99", "<", 0.25, "s"),
        ("drain_s < 90", "drain_s", "<", 90.0, "s"),
        ("expired == 0", "expired", "==", 0.0, "requests"),
        ("completed>=1800", "completed", ">=", 1800.0, "requests"),
        ("error_share < 5%", "error_share", "<", 0.05, "share"),
        ("error_share != 0.05", "error_share", "!=", 0.05, "share"),
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
        ("expired == 5%", "must be a whole number of requests"),
        ("expired == -1", "must be a whole number of requests"),
        ("expired == nan", "must be a whole number of requests"),
        ("expired == 1.5", "must be a whole number of requests"),
        ("sojourn_p95 < eight", "must be a duration"),
        ("sojourn_p95 < -1s", "must not be negative"),
        ("sojourn_p95 < inf", "must be a finite number"),
        ("error_share < 130%", "must lie between 0% and 100%"),
    ],
)
def test_what_is_no_threshold_is_told(text: str, words: str) -> None:
    with pytest.raises(ThresholdError, match=words):
        parse_threshold(text)


def test_the_nearest_metric_is_guessed() -> None:
    with pytest.raises(ThresholdError) as caught:
        parse_threshold("sojurn_p95 < 8m")
    assert caught.value.meant == "sojourn_p95"


def test_every_metric_can_be_named() -> None:
    value = {"s": "1s", "requests": "1", "share": "1%"}
    for metric, (unit, _) in METRICS.items():
        assert parse_threshold(f"{metric} <= {value[unit]}").metric == metric


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
