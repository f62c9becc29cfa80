"""What an endpoint publishes, by hand: half minutes, so that each average is half of something."""

from typing import Any

import pytest

from modelling import SECOND, Stand
from smbench.model.endpoints.telemetry import metric_of
from smbench.model.monitoring.metrics import INSTANCES, SAGEMAKER


def averages(stand: Stand, name: str) -> list[float]:
    return [point.average for point in stand.points(name)]


def test_the_backlog_counts_what_runs_and_what_waits() -> None:
    stand = Stand(1, service="30s")
    stand.arrive(3)  # one runs; ends at 30, 60, 90 s
    stand.go_to(120)
    assert averages(stand, "ApproximateBacklogSize") == [(3 * 30 + 2 * 30) / 60, (1 * 30) / 60]
    assert averages(stand, "ApproximateBacklogSizePerInstance") == [2.5, 0.5]


def test_the_backlog_may_leave_out_what_runs() -> None:
    stand = Stand(1, service="30s", open_questions={"backlog_counts_running": False})
    stand.arrive(3)
    stand.go_to(120)
    assert averages(stand, "ApproximateBacklogSize") == [(2 * 30 + 1 * 30) / 60, 0]


def test_the_backlog_per_instance_is_shared_by_those_that_serve() -> None:
    stand = Stand(1, service="1000s", provision="30s")
    stand.arrive(8, timeout_s=3600)
    stand.endpoint.set_desired(4)
    stand.go_to(60)
    assert averages(stand, "ApproximateBacklogSizePerInstance") == [(8 * 30 + 2 * 30) / 60]


@pytest.mark.parametrize(("question", "expected"), [("as_one", [4.0, 4.0]), ("missing", [])])
def test_at_zero_instances_the_backlog_per_instance_is_that_of_one_or_missing(
    question: str, expected: list[float]
) -> None:
    for epoch_s in (0, 30):  # begun amid a minute, the half before is idle, or undefined as well
        stand = Stand(0, epoch_s=epoch_s, open_questions={"per_instance_at_zero": question})
        stand.arrive(4)
        stand.go_to(120 - epoch_s)
        first = [average / 2 for average in expected[:1]] if epoch_s else expected[:1]
        assert averages(stand, "ApproximateBacklogSizePerInstance") == first + expected[1:]


def test_a_backlog_without_capacity_is_one_for_as_long_as_both_hold() -> None:
    stand = Stand(0, provision="60s")
    stand.go_to(30)
    stand.arrive()
    stand.endpoint.set_desired(1)
    stand.go_to(180)
    assert averages(stand, "HasBacklogWithoutCapacity") == [0.5, 0.5, 0]


def test_the_oldest_age_is_of_the_longest_waiting() -> None:
    stand = Stand(1, service="90s")
    stand.arrive(2)  # the second waits from 0 to 90 s
    stand.go_to(120)
    first, second = stand.points("ApproximateAgeOfOldestRequest")
    assert (first.average, first.maximum) == (30, 60)
    assert second.average == pytest.approx((60 + 90) / 2 * 30 / 60)
    assert second.maximum == pytest.approx(90)


def test_idle_minutes_are_zero_or_absent_as_the_scenario_says() -> None:
    for zeros, expected in ((True, [0.0, 0.0]), (False, [])):
        stand = Stand(1, open_questions={"zeros_when_idle": zeros})
        stand.go_to(120)
        for name in ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity"):
            assert averages(stand, name) == expected


def test_ends_are_counted_by_their_kind() -> None:
    stand = Stand(1, service={"by_class": {"": "10s", "slow": "50s"}})
    stand.arrive()
    stand.arrive(payload_class="slow", timeout_s=20)
    stand.arrive(payload_class="slow", ttl_s=60)
    stand.arrive(ttl_s=60)  # behind it; starts at 80 s: too late
    stand.go_to(120)
    sums = {name: [(point.start_ns, point.sum) for point in stand.points(name)] for name in
            ("InvocationsProcessed", "InvocationFailures", "ExpiredRequests")}  # fmt: skip
    assert sums == {
        "InvocationsProcessed": [(0, 1), (60 * SECOND, 1)],
        "InvocationFailures": [(0, 1)],
        "ExpiredRequests": [(60 * SECOND, 1)],
    }


def test_durations_are_in_aws_units() -> None:
    stand = Stand(1, service="10s")
    stand.arrive(2)
    stand.go_to(60)
    (waited,), (total,), (model,) = (
        stand.points(name) for name in ("TimeInBacklog", "TotalProcessingTime", "ModelLatency")
    )
    assert (waited.unit, waited.sum, waited.maximum) == ("Milliseconds", 10_000, 10_000)
    assert (total.unit, total.sum, total.maximum) == ("Milliseconds", 30_000, 20_000)
    assert (model.unit, model.average, model.sample_count) == ("Microseconds", 10_000_000, 2)


def test_processor_use_has_one_sample_an_instance() -> None:
    stand = Stand(2, instances={"concurrency": 2}, service="30s", provision="90s")
    stand.arrive(3)  # two on one instance, one on the other, half a minute each
    stand.endpoint.set_desired(3)
    stand.go_to(120)
    first, second = stand.points("CPUUtilization")
    assert (first.sample_count, first.maximum, first.minimum, first.average) == (2, 50, 25, 37.5)
    assert (second.sample_count, second.average) == (3, 0)


def test_without_instances_there_is_no_processor_use() -> None:
    stand = Stand(0)
    stand.go_to(120)
    assert stand.points("CPUUtilization") == []


def test_a_deleted_endpoint_publishes_nothing_any_more() -> None:
    stand = Stand(1)
    stand.go_to(60)
    stand.endpoint.close()
    stand.go_to(300)
    for name in ("ApproximateBacklogSize", "CPUUtilization"):
        assert len(stand.points(name)) == 1


@pytest.mark.parametrize(
    ("name", "namespace", "dimensions"),
    [
        ("ApproximateBacklogSize", SAGEMAKER, {"EndpointName"}),
        ("ExpiredRequests", SAGEMAKER, {"EndpointName", "VariantName"}),
        ("CPUUtilization", INSTANCES, {"EndpointName", "VariantName"}),
        ("GPUMemoryUtilization", INSTANCES, {"EndpointName", "VariantName"}),
    ],
)
def test_a_metric_stands_where_aws_puts_it(name: str, namespace: str, dimensions: Any) -> None:
    metric = metric_of(name, "e", "v")
    assert metric.namespace == namespace
    assert {key for key, _ in metric.dimensions} == dimensions
