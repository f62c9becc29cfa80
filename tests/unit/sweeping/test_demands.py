"""Goal: a threshold becomes a share of requests that may miss, or one sentence says why no rate is the highest.

Method: texts as people write them.
"""

import pytest

from smbench.errors import UsageError
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
        ("failed < 0%", "async", "fails whatever the run comes to"),
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
