"""Goal: provisioned concurrency scales by its utilization as a capacity does, and serves with what is there.

Method: steady loads on a serverless endpoint under target tracking in virtual time; the counts follow by arithmetic.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelling import ON_THE_STROKE, SECOND, emulated
from smbench.model.endpoints.endpoint import EndpointSettings
from smbench.model.endpoints.fleet import QuotaReached, UpdateInProgress
from smbench.model.endpoints.jobs import Job
from smbench.model.endpoints.provisioned import PROVISIONED_UTILIZATION
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import SAGEMAKER, MetricId
from smbench.model.scaling.policies import PolicySpec, TrackingSpec
from smbench.model.world import World, resource_id_of
from smbench.scenario.emulated import OpenQuestions
from smbench.scenario.values.distributions import Distribution

MINUTE = 60 * SECOND
RESOURCE = resource_id_of("e", "v")
DIMENSIONS = (("EndpointName", "e"), ("VariantName", "v"))
PROVISION_S = 20.0


class Stand:
    """A serverless endpoint of 40 at once whose requests last for a day, and what is provisioned of it."""

    def __init__(self, provisioned: int, service: str = "24h", **questions: Any) -> None:
        self.queue = EventQueue()
        plain = {"tracking_points_out": 1, "tracking_points_in": 1, "scale_in": "proportional"}
        open_questions = OpenQuestions.model_validate(plain | ON_THE_STROKE | questions)
        self.world = World(self.queue, 0, metric_delay=Distribution.model_validate("0s"), open_questions=open_questions)
        wanted = {"max_concurrency": 40, "provisioned": provisioned, "cold_start": "0s", "keep_warm": "1s"}
        described = emulated(
            serverless=wanted,
            service=service,
            provision=f"{PROVISION_S:g}s",
            open_questions=open_questions.model_dump(),
        )
        settings = EndpointSettings.of(described, name="e", variant="v", is_synchronous=True)
        self.endpoint = self.world.add_serverless(settings, described.serverless)
        self.capacity, self.n_calls = self.endpoint.provisioned, 0

    def track(self, target: float, low: int, high: int) -> None:
        """Out after one minute above the target, in after one below 0.9 of it, without cooldowns."""
        self.world.scaler.register_target(RESOURCE, low, high)
        metric = MetricId.of(SAGEMAKER, PROVISIONED_UTILIZATION, DIMENSIONS)
        tracking = TrackingSpec(target, metric, out_cooldown_s=0.0, in_cooldown_s=0.0)
        self.world.scaler.put_policy(PolicySpec(RESOURCE, "track", tracking=tracking))

    def call(self, n: int) -> None:
        for _ in range(n):
            limit_s = 2 * 86_400.0
            job = Job(self.n_calls, f"id-{self.n_calls}", "", limit_s, limit_s, self.queue.now_ns, is_awaited=True)
            self.n_calls += 1
            assert self.endpoint.arrive(job)

    def wait(self, seconds: float) -> None:
        self.queue.advance(self.queue.now_ns + round(seconds * SECOND))

    def utilization(self) -> list[float]:
        points = self.world.metrics.datapoints(
            SAGEMAKER, PROVISIONED_UTILIZATION, DIMENSIONS, -MINUTE, self.queue.now_ns
        )
        return [point.average for point in points]


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 10), st.sampled_from([0.25, 0.5, 0.7, 1.0]))
def test_a_steady_load_ends_at_the_smallest_count_that_keeps_the_target_within_the_limits(
    at_work: int, start: int, low: int, target: float
) -> None:
    stand = Stand(start)
    stand.call(at_work)
    stand.track(target, low, 36)
    stand.wait(20 * 60)
    smallest = -(-at_work * 1000 // round(target * 1000))
    # Tracking scales in below 0.9 of its target only: between, the count that it came from stays.
    best = min(max(smallest, low), 36)
    found = stand.capacity.desired
    assert found == best or (found > best and at_work / found >= 0.9 * target)
    assert low <= found <= 36
    assert found == stand.endpoint.serverless.provisioned


def test_utilization_is_what_runs_over_what_is_provisioned_averaged_over_the_minute() -> None:
    stand = Stand(4, service="30s")
    stand.call(6)  # two of them on demand
    stand.wait(120)
    assert stand.utilization() == [pytest.approx(6 / 4 / 2), 0.0]
    stand = Stand(4, zeros_when_idle=False)
    stand.wait(120)
    assert stand.utilization() == []


def test_an_endpoint_without_provisioned_concurrency_publishes_no_utilization() -> None:
    stand = Stand(0)
    stand.call(3)
    stand.wait(120)
    assert stand.utilization() == []
    assert stand.world.metrics.list_metrics(name=PROVISIONED_UTILIZATION) == []


@pytest.mark.parametrize(("n_calls", "on_demand"), [(2, 0), (3, 0), (5, 2)])
def test_each_invocation_is_counted_by_the_environment_that_served_it(n_calls: int, on_demand: int) -> None:
    stand = Stand(3, service="1s")
    stand.call(n_calls)
    stand.wait(60)
    sums = {metric.name: point.sum for metric, point in stand.world.metrics.history()}
    assert sums["ServerlessProvisionedConcurrencyInvocations"] == n_calls - on_demand
    assert sums.get("ServerlessProvisionedConcurrencySpilloverInvocations", 0) == on_demand


def test_what_was_asked_for_is_warm_after_one_provisioning_time_and_not_before() -> None:
    stand = Stand(2)
    stand.world.scaler.register_target(RESOURCE, 5, 8)
    stand.wait(PROVISION_S - 0.001)
    assert (stand.capacity.desired, stand.endpoint.warm, stand.capacity.is_updating) == (5, 2, True)
    stand.wait(0.001)
    assert (stand.capacity.desired, stand.endpoint.warm, stand.capacity.is_updating) == (5, 5, False)
    (activity,) = stand.world.scaler.activities(RESOURCE)
    assert activity.description == "Setting desired provisioned concurrency to 5."
    assert activity.cause == "minimum capacity was set to 5"
    assert activity.status == "Successful"


def test_what_is_at_work_ends_as_it_would_have_when_less_is_provisioned() -> None:
    stand = Stand(6, service="30s")
    stand.call(5)
    stand.capacity.set_desired(1)
    stand.wait(PROVISION_S)
    assert (stand.endpoint.running, stand.endpoint.warm) == (5, 0)
    stand.wait(20)
    assert (stand.endpoint.ended, stand.endpoint.warm) == (5, 1)


def test_a_change_under_way_is_not_overtaken_where_updates_serialise() -> None:
    stand = Stand(2)
    stand.capacity.set_desired(4)
    with pytest.raises(UpdateInProgress):
        stand.capacity.set_desired(6)
    freely = Stand(2, serialise_updates=False)
    freely.capacity.set_desired(4)
    freely.capacity.set_desired(6)
    freely.wait(PROVISION_S)
    assert freely.endpoint.warm == 6


def test_no_more_is_provisioned_than_can_run_at_once() -> None:
    stand = Stand(2)
    with pytest.raises(QuotaReached, match="41 must not be greater than MaxConcurrency 40"):
        stand.capacity.set_desired(41)


def test_a_deleted_endpoint_scales_no_more_and_says_nothing() -> None:
    stand = Stand(2)
    stand.track(0.5, 1, 8)
    stand.call(2)
    stand.world.remove_endpoint("e")
    stand.wait(600)
    assert stand.world.scaler.activities(RESOURCE) == []
    assert stand.utilization() == []
