"""Goal: a threshold becomes a share of requests that may miss, or one sentence says why no rate is the highest.

Method: texts as people write them.
"""

import pytest

from runs import Request, frames_of
from smbench.errors import UsageError
from smbench.records import Outcome
from smbench.sweeping.demands import COMPLETES, demands_of


@pytest.mark.parametrize(
    ("text", "allowed", "of"),
    [
        ("p95 < 30s", 0.05, "accepted"),
        ("p99.9 from acceptance <= 5m", 0.001, "accepted"),
        ("ack_p99 < 200ms", 0.01, "sent"),
        ("completed >= 99.5%", 0.005, "accepted"),
        ("within(8m) >= 90%", 0.1, "accepted"),
        ("rejected < 2%", 0.02, "sent"),
        ("error_share < 5%", 0.05, "answered"),
        ("expired <= 0.1%", 0.001, "accepted"),
    ],
)
def test_a_threshold_is_a_share_of_requests_that_may_miss(text: str, allowed: float, of: str) -> None:
    demand = demands_of([text], "async")[0]
    assert (demand.text, demand.of) == (text, of)
    assert demand.allowed == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("p95 > 3s", "async", "needs <"),
        ("max < 3s", "async", "maximum grows with the length"),
        ("failed == 0", "async", "needs <"),
        ("failed < 3", "async", "count grows with the length"),
        ("failed <= 0%", "async", "long enough"),
        ("failed < 0%", "async", "fails whatever the run measures"),
        ("backlog < 500 for 5m", "async", "backlog depends"),
        ("backlog_max < 500", "async", "backlog depends"),
        ("drain_s < 5m", "async", "how long one ran"),
        ("goodput(8m) >= 1/s", "async", "grows with the rate"),
        ("cost_per_1000 < 0.4", "async", "falls with the rate"),
        ("schedule_lag_p99 < 3ms", "async", "of the generator"),
        ("expired < 1%", "realtime", "a real-time endpoint has no such figure"),
        ("p95 from acceptance < 3s", "serverless", "a serverless endpoint has no such figure"),
        ("p95 < 30", "async", "needs a unit"),
        ("latency < 3s", "async", "no metric"),
    ],
)
def test_what_cannot_be_searched_for_is_one_sentence(text: str, kind: str, said: str) -> None:
    with pytest.raises(UsageError) as failed:
        demands_of([text], kind)
    assert said in failed.value.message
    assert text in failed.value.message


def test_requests_must_complete_unless_a_threshold_speaks_of_errors() -> None:
    assert [one.text for one in demands_of(["p95 < 3s"], "serverless")] == ["p95 < 3s", COMPLETES]
    assert [one.text for one in demands_of(["p95 < 3s", "rejected < 1%"], "serverless")] == [
        "p95 < 3s",
        "rejected < 1%",
    ]
    assert [one.text for one in demands_of([], "async")] == [COMPLETES]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("p95 < 5s", 0.4, 0.4),
        ("error_share < 1%", 0.4, 0.4),
        ("within(5s) >= 90%", 0.4, 0.4),
        ("completed >= 99%", 0.4, 0.4),
        ("failed < 1%", 0.0, 0.4),  # what became of it nobody knows
        ("transport_error < 1%", 0.4, 0.4),
    ],
)
def test_a_call_that_was_given_up_has_missed_and_is_not_left_out(text: str, least: float, most: float) -> None:
    # Left out, a rate at which four calls in ten are given up would keep every demand on those that are answered.
    rows = [Request(float(n), done=n + 1.0, end_from="answer", status_code=200) for n in range(6)]
    rows += [Request(float(n), Outcome.TRANSPORT_ERROR, ack=n + 60.0) for n in range(6, 10)]
    frames = frames_of(rows, target={"kind": "realtime"})
    missed = [float(series.mean() or 0.0) for series in demands_of([text], "realtime")[0].missed(frames)]  # type: ignore[arg-type]
    assert missed == [least, most]


def test_a_request_that_was_taken_can_no_longer_be_refused() -> None:
    rows = [Request(0.0, done=1.0), Request(0.0, Outcome.PENDING), Request(0.0, Outcome.REJECTED)]
    missed = [series.to_list() for series in demands_of(["rejected < 50%"], "async")[0].missed(frames_of(rows))]
    assert [sum(each) for each in missed] == [1.0, 1.0]
