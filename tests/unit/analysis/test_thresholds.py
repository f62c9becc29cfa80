"""Goal: every metric a threshold may name has a figure in the summary, judged as met, missed or not known.

Method: one run whose figures are plain; every metric of the scenario's table is asked for.
"""

import pytest

from runs import Request, frames_of
from smbench.analysis.summary import Summary, summarise
from smbench.analysis.thresholds import ThresholdResult, evaluate
from smbench.records import Outcome
from smbench.scenario.thresholds import METRICS


@pytest.fixture(scope="module")
def summary() -> Summary:
    """20 completed after 1..20 s, acknowledged after 10 ms; one of each other end but pending."""
    rows = [Request(0.0, ack=0.01, done=float(k)) for k in range(1, 21)]
    rows += [
        Request(0.0, Outcome.FAILED, ack=0.01, done=5.0),
        Request(0.0, Outcome.EXPIRED, ack=0.01, done=60.0),
        Request(0.0, Outcome.LOST, ack=0.01),
        Request(0.0, Outcome.REJECTED, ack=0.01, error="ThrottlingException"),
        Request(0.0, Outcome.TRANSPORT_ERROR, ack=0.5, error="read timeout"),
        Request(0.0, Outcome.NOT_SENT, error="in-flight limit"),
    ]
    return summarise(frames_of(rows))


def judged(text: str, summary: Summary) -> tuple[str, bool | None]:
    (result,) = evaluate([text], summary)
    assert result.text == text
    return result.seen, result.passed


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_figure(metric: str, summary: Summary) -> None:
    value = {"s": "1h", "requests": "7", "share": "50%"}[METRICS[metric][0]]
    (result,) = evaluate([f"{metric} < {value}"], summary)
    assert result.seen != "nothing to measure"


@pytest.mark.parametrize(
    ("text", "seen", "passed"),
    [
        ("sojourn_p50 < 13s", "12.0 s", True),  # rank 12 of 23 accepted
        ("sojourn_p50 < 12s", "12.0 s", False),
        ("sojourn_p99 < 1h", "> 60.0 s", False),  # failed and expired never complete
        ("service_view_p50 <= 12s", "12.0 s", True),
        ("ack_max < 1s", "> 500 ms", False),  # one never got an answer
        ("schedule_lag_p99 < 1ms", "0 s", True),
        ("completed == 20", "20", True),
        ("failed == 0", "1", False),
        ("expired <= 1", "1", True),
        ("lost == 1", "1", True),
        ("pending == 0", "0", True),
        ("rejected == 1", "1", True),
        ("transport_error == 1", "1", True),
        ("not_sent == 1", "1", True),
        ("backlog_max >= 23", "23", True),
        ("drain_s < 50s", "> 60.0 s", False),  # the lost one was open when the run was over
        ("drain_s < 10m", "> 60.0 s", None),
        # 23 accepted and 1 rejected were answered; 3 surely did not complete, the lost one perhaps not
        ("error_share < 20%", "12.5 % to 16.7 %", True),
        ("error_share < 15%", "12.5 % to 16.7 %", None),
        ("error_share < 10%", "12.5 % to 16.7 %", False),
    ],
)
def test_a_threshold_is_judged_by_its_figure(text: str, seen: str, passed: bool | None, summary: Summary) -> None:
    assert judged(text, summary) == (seen, passed)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    nothing = summarise(frames_of([], spans=[]))
    assert judged("sojourn_p95 < 1s", nothing) == ("nothing to measure", None)
    assert judged("error_share < 1%", nothing) == ("nothing to measure", None)
    assert judged("expired == 0", nothing) == ("0", True)


def test_results_keep_the_order_of_the_scenario(summary: Summary) -> None:
    texts = ["lost == 0", "completed > 1"]
    assert evaluate(texts, summary) == [
        ThresholdResult(text="lost == 0", seen="1", passed=False),
        ThresholdResult(text="completed > 1", seen="20", passed=True),
    ]
