"""Goal: Application Auto Scaling through the API: what is registered is described, what scales tells why.

Method: the calls of AWS's documented asynchronous recipe on the warp loop; times and counts by hand.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulation import ACCOUNT, FAST, REGION, advance, client, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.monitoring.scaling_policies import policy_spec
from smbench.emulator.server import Emulator
from smbench.model.endpoints.jobs import Job
from smbench.scenario.model import Scenario

NAME = "smbench-emulated"
RESOURCE = f"endpoint/{NAME}/variant/AllTraffic"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
KEY = {"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE, "ScalableDimension": DIMENSION}
ZERO = datetime(2026, 1, 1, tzinfo=UTC)

TRACKING = {
    "TargetValue": 5.0,
    "CustomizedMetricSpecification": {
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": NAME}],
        "Statistic": "Average",
    },
    "ScaleInCooldown": 600,
    "ScaleOutCooldown": 300,
}
STEP = {
    "AdjustmentType": "ChangeInCapacity",
    "MetricAggregationType": "Average",
    "Cooldown": 300,
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


class Scaled:
    """An emulator without policies, and its Auto Scaling."""

    def __init__(self, emulator: Emulator, autoscaling: Any, stack: AsyncExitStack) -> None:
        self.emulator, self.autoscaling, self.stack = emulator, autoscaling, stack

    async def put(self, name: str = "p", **config: Any) -> dict[str, Any]:
        answer = await self.autoscaling.put_scaling_policy(PolicyName=name, **KEY, **config)
        return dict(answer)

    async def track(self, name: str = "p", **more: Any) -> dict[str, Any]:
        config = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING | more}
        return await self.put(name, **config)

    async def activities(self, **more: Any) -> list[dict[str, Any]]:
        asked = {"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE} | more
        answer = await self.autoscaling.describe_scaling_activities(**asked)
        return list(answer["ScalingActivities"])

    async def load(self, n: int) -> None:
        runtime = await self.stack.enter_async_context(client(self.emulator, "sagemaker-runtime"))
        self.emulator.s3.put(NAME, "in.json", b"{}")
        for _ in range(n):
            await runtime.invoke_endpoint_async(EndpointName=NAME, InputLocation=f"s3://{NAME}/in.json")


@pytest.fixture
async def scaled() -> AsyncIterator[Scaled]:
    async with AsyncExitStack() as stack:
        slow = {"service": "600s", "instances": {"min": 0, "max": 4, "start": 0}, "action_delay": "5s"}
        emulator = await stack.enter_async_context(emulating(scenario(FAST | slow)))
        autoscaling = await stack.enter_async_context(client(emulator, "application-autoscaling"))
        yield Scaled(emulator, autoscaling, stack)


async def refused(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        await call
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


async def test_the_scenarios_target_is_registered(scaled: Scaled) -> None:
    answer = await scaled.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    (target,) = answer["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (RESOURCE, 0, 4)
    assert target["ScalableDimension"] == DIMENSION


async def test_registering_again_changes_only_what_is_named(scaled: Scaled) -> None:
    registered = await scaled.autoscaling.register_scalable_target(**KEY, MaxCapacity=8)
    assert registered["ScalableTargetARN"].startswith(
        f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/"
    )
    answer = await scaled.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[RESOURCE])
    (target,) = answer["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 8)
    assert target["ScalableTargetARN"] == registered["ScalableTargetARN"]


async def test_a_target_keeps_the_tags_that_it_was_registered_with_until_it_is_deregistered(scaled: Scaled) -> None:
    api = scaled.autoscaling
    await api.deregister_scalable_target(**KEY)
    answer = await api.register_scalable_target(**KEY, MinCapacity=0, MaxCapacity=2, Tags={"team": "a", "stage": "b"})
    arn = answer["ScalableTargetARN"]
    await api.tag_resource(ResourceARN=arn, Tags={"team": "c"})
    await api.untag_resource(ResourceARN=arn, TagKeys=["stage", "never"])
    assert (await api.list_tags_for_resource(ResourceARN=arn))["Tags"] == {"team": "c"}
    with pytest.raises(ClientError, match="TooManyTags"):
        await api.tag_resource(ResourceARN=arn, Tags={f"k{n}": "" for n in range(50)})
    await api.deregister_scalable_target(**KEY)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        await api.list_tags_for_resource(ResourceARN=arn)


async def test_a_minimum_above_the_present_count_is_an_activity(scaled: Scaled) -> None:
    await scaled.autoscaling.register_scalable_target(**KEY, MinCapacity=2)
    (activity,) = await scaled.activities()
    assert activity["Description"] == "Setting desired instance count to 2."
    assert activity["Cause"] == "minimum capacity was set to 2"
    assert activity["StatusCode"] == "InProgress"
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 2. Waiting for change to be fulfilled by sagemaker."
    )
    assert "EndTime" not in activity
    await advance(scaled.emulator, 61.0)
    (activity,) = await scaled.activities()
    assert activity["StatusCode"] == "Successful"
    assert activity["EndTime"] - activity["StartTime"] == timedelta(seconds=60)
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )


async def test_a_tracking_policy_makes_its_two_alarms(scaled: Scaled) -> None:
    put = await scaled.track()
    name = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:"
    assert put["PolicyARN"].startswith(name)
    assert put["PolicyARN"].endswith(f":resource/sagemaker/{RESOURCE}:policyName/p")
    high, low = sorted(alarm["AlarmName"] for alarm in put["Alarms"])
    assert high.startswith(f"TargetTracking-{RESOURCE}-AlarmHigh-")
    assert low.startswith(f"TargetTracking-{RESOURCE}-AlarmLow-")
    cloudwatch = await scaled.stack.enter_async_context(client(scaled.emulator, "cloudwatch"))
    alarms = (await cloudwatch.describe_alarms(AlarmNames=[high, low]))["MetricAlarms"]
    told = [(each["Threshold"], each["ComparisonOperator"], each["EvaluationPeriods"]) for each in alarms]
    assert told == [(5.0, "GreaterThanThreshold", 3), (4.5, "LessThanThreshold", 15)]
    assert {each["AlarmDescription"] for each in alarms} == {
        f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {put['PolicyARN']}"
    }
    (policy,) = (await scaled.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"))["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    assert policy["PolicyType"] == "TargetTrackingScaling"


async def test_a_high_resolution_policy_looks_every_ten_seconds_to_scale_out_and_by_the_minute_to_scale_in(
    scaled: Scaled,
) -> None:
    predefined = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    tracking = {"TargetValue": 5.0, "PredefinedMetricSpecification": predefined}
    put = await scaled.put(PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking)
    cloudwatch = await scaled.stack.enter_async_context(client(scaled.emulator, "cloudwatch"))
    names = [alarm["AlarmName"] for alarm in put["Alarms"]]
    alarms = (await cloudwatch.describe_alarms(AlarmNames=names))["MetricAlarms"]
    assert {
        alarm["ComparisonOperator"]: (alarm["MetricName"], alarm["Statistic"], alarm["Period"], alarm["Threshold"])
        for alarm in alarms
    } == {
        "GreaterThanThreshold": ("ConcurrentRequestsPerModel", "Maximum", 10, 5.0),
        "LessThanThreshold": ("ConcurrentRequestsPerModel", "Maximum", 60, 4.5),
    }
    assert sorted(alarm["EvaluationPeriods"] for alarm in alarms) == [3, 15]


async def test_a_policy_of_the_scenario_is_described_like_one_that_was_put() -> None:
    policies = [
        {"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "300s", "in_cooldown": "600s"}},
        {"step_from_zero": {}},
    ]
    async with (
        emulating(scenario(FAST | {"policies": policies})) as emulator,
        client(emulator, "application-autoscaling") as autoscaling,
    ):
        answer = await autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    tracking, step = answer["ScalingPolicies"]
    assert tracking["TargetTrackingScalingPolicyConfiguration"] == TRACKING | {"DisableScaleIn": False}
    assert step["StepScalingPolicyConfiguration"] == STEP
    assert len(step["Alarms"]) == 1


async def test_the_documented_recipe_wakes_the_endpoint_from_zero(scaled: Scaled) -> None:
    put = await scaled.put("wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP)
    assert put["Alarms"] == []
    cloudwatch = await scaled.stack.enter_async_context(client(scaled.emulator, "cloudwatch"))
    await cloudwatch.put_metric_alarm(
        AlarmName="nobody-there",
        MetricName="HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        Statistic="Average",
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        Dimensions=[{"Name": "EndpointName", "Value": NAME}],
        Period=60,
        AlarmActions=[put["PolicyARN"]],
    )
    await scaled.load(1)
    await advance(scaled.emulator, 130.0)
    (activity,) = await scaled.activities()
    assert activity["Cause"] == "monitor alarm nobody-there in state ALARM triggered policy wake"
    # Two whole minutes of backlog without capacity, and the action delay of 5 s. What was invoked at 0 s counts from
    # there, so the first whole minute is the first.
    assert activity["StartTime"] == ZERO + timedelta(seconds=125)
    await advance(scaled.emulator, 60.0)
    (activity,) = await scaled.activities()
    assert activity["StatusCode"] == "Successful"
    fleet = scaled.emulator.world.endpoints[NAME]
    assert (fleet.in_service, fleet.running) == (1, 1)
    listed = (await scaled.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"))["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in listed[0]["Alarms"]] == ["nobody-there"]


async def test_tracking_scales_in_proportion_and_then_says_why_it_does_not(scaled: Scaled) -> None:
    await scaled.autoscaling.register_scalable_target(**KEY, MinCapacity=1)
    await advance(scaled.emulator, 61.0)
    await scaled.track()
    await scaled.load(30)  # 30 on one instance against a target of 5: six wanted, four allowed
    await advance(scaled.emulator, 600.0)
    kept = await scaled.activities()
    assert [activity["Description"] for activity in kept] == [
        "Setting desired instance count to 4.",
        "Setting desired instance count to 1.",
    ]
    reasons = (await scaled.activities(IncludeNotScaledActivities=True))[0]
    assert reasons["Description"] == "Attempting to scale due to alarm triggered"
    assert reasons["NotScaledReasons"][0]["Code"] == "AlreadyAtMaxCapacity"
    assert reasons["NotScaledReasons"][0]["MaxCapacity"] == 4


async def test_activities_come_newest_first_and_in_pages(scaled: Scaled) -> None:
    for count in (1, 2, 3):
        await scaled.autoscaling.register_scalable_target(**KEY, MinCapacity=count)
        await advance(scaled.emulator, 61.0)
    asked = {"ServiceNamespace": "sagemaker", "MaxResults": 2}
    first = await scaled.autoscaling.describe_scaling_activities(**asked)
    rest = await scaled.autoscaling.describe_scaling_activities(**asked, NextToken=first["NextToken"])
    causes = [activity["Cause"] for activity in (*first["ScalingActivities"], *rest["ScalingActivities"])]
    assert causes == [f"minimum capacity was set to {count}" for count in (3, 2, 1)]
    assert "NextToken" not in rest


async def test_a_policy_that_is_deleted_takes_its_alarms_along(scaled: Scaled) -> None:
    await scaled.track()
    await scaled.autoscaling.delete_scaling_policy(PolicyName="p", **KEY)
    assert (await scaled.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"))["ScalingPolicies"] == []
    assert scaled.emulator.world.alarms.describe() == []


async def test_deregistering_removes_the_policies_and_keeps_the_activities(scaled: Scaled) -> None:
    await scaled.autoscaling.register_scalable_target(**KEY, MinCapacity=1)
    await scaled.track()
    await scaled.autoscaling.deregister_scalable_target(**KEY)
    assert (await scaled.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"] == []
    assert (await scaled.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"))["ScalingPolicies"] == []
    assert len(await scaled.activities()) == 1


PROVISIONED = KEY | {"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}
UTILIZATION = {
    "TargetValue": 0.5,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"},
}


def serverless_scenario(emulated: dict[str, Any]) -> Scenario:
    return scenario(target={"kind": "serverless", "emulated": emulated})


@pytest.fixture
async def serverless() -> AsyncIterator[Scaled]:
    async with AsyncExitStack() as stack:
        sizes = {"max_concurrency": 10, "provisioned": 2, "cold_start": "1s"}
        slow = {"service": "600s", "provision": "40s", "serverless": sizes, "action_delay": "5s"}
        shown_at_once = {"metric_delay": "0s", "open_questions": {"alarm_phase": "0s"}}
        emulator = await stack.enter_async_context(emulating(serverless_scenario(slow | shown_at_once)))
        autoscaling = await stack.enter_async_context(client(emulator, "application-autoscaling"))
        yield Scaled(emulator, autoscaling, stack)


async def test_provisioned_concurrency_scales_by_its_utilization_and_the_endpoint_is_updated(
    serverless: Scaled,
) -> None:
    api, emulator = serverless.autoscaling, serverless.emulator
    sagemaker = await serverless.stack.enter_async_context(client(emulator, "sagemaker"))

    async def variant() -> tuple[str, int, int]:
        described = await sagemaker.describe_endpoint(EndpointName=NAME)
        (one,) = described["ProductionVariants"]
        current, desired = one["CurrentServerlessConfig"], one["DesiredServerlessConfig"]
        return described["EndpointStatus"], current["ProvisionedConcurrency"], desired["ProvisionedConcurrency"]

    await api.register_scalable_target(**PROVISIONED, MinCapacity=1, MaxCapacity=8)
    policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": UTILIZATION}
    put = await api.put_scaling_policy(PolicyName="use", **PROVISIONED, **policy)
    alarms = {alarm.name: alarm for alarm in emulator.world.alarms.describe()}
    assert {one["AlarmName"] for one in put["Alarms"]} == alarms.keys()
    assert {(alarm.metric, alarm.statistic, alarm.threshold) for alarm in alarms.values()} == {
        ("ServerlessProvisionedConcurrencyUtilization", "Average", 0.5),
        ("ServerlessProvisionedConcurrencyUtilization", "Average", 0.45),
    }
    described = (await api.describe_scaling_policies(ServiceNamespace="sagemaker"))["ScalingPolicies"]
    assert described[0]["TargetTrackingScalingPolicyConfiguration"] == UTILIZATION
    (target,) = (await api.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"]
    assert (target["ScalableDimension"], target["MaxCapacity"]) == (PROVISIONED["ScalableDimension"], 8)

    fleet = emulator.world.serverless[NAME]
    fleet.on_end.clear()  # nobody waits for what is put into the model itself
    for index in range(3):  # of 600 s each: a utilization of 1.5
        job = Job(index, f"id-{index}", "", 900.0, 900.0, emulator.site.event_queue.now_ns, is_awaited=True)
        assert fleet.arrive(job)
    seen = [await variant()]
    for _ in range(50):
        await advance(emulator, 5.0)
        seen.append(await variant())
    changes = [now for before, now in pairwise(seen) if now != before]
    assert changes == [("Updating", 2, 6), ("InService", 6, 6)]  # ceil(2 * 1.5 / 0.5)
    assert seen.count(("Updating", 2, 6)) == 40 / 5
    await advance(emulator, 7200.0)
    assert await variant() == ("InService", 1, 1)
    activities = await serverless.activities(ScalableDimension=PROVISIONED["ScalableDimension"])
    assert activities[-1]["Description"] == "Setting desired provisioned concurrency to 6."
    assert {one["StatusCode"] for one in activities} == {"Successful"}
    assert await serverless.activities(ScalableDimension=DIMENSION) == []

    assert (await refused(api.deregister_scalable_target(**KEY)))[0] == "ObjectNotFoundException"
    await api.deregister_scalable_target(**PROVISIONED)
    assert (await api.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"] == []
    assert emulator.world.alarms.describe() == []


async def test_a_scalable_target_must_be_what_its_variant_has_within_what_it_can_have(
    serverless: Scaled, scaled: Scaled
) -> None:
    register = serverless.autoscaling.register_scalable_target
    for limits, says in (
        ({"MinCapacity": 0, "MaxCapacity": 4}, "less than 1"),
        ({"MinCapacity": 1, "MaxCapacity": 11}, "greater than MaxConcurrency 10"),
    ):
        code, text = await refused(register(**PROVISIONED, **limits))
        assert (code, says in text) == ("ValidationException", True)
    limits = {"MinCapacity": 1, "MaxCapacity": 4}
    assert "no scalable dimension" in (await refused(register(**KEY, **limits)))[1]
    on_instances = scaled.autoscaling.register_scalable_target
    assert "no scalable dimension" in (await refused(on_instances(**PROVISIONED, **limits)))[1]
    await register(**PROVISIONED, **limits)
    wrong = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    policy = {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": UTILIZATION | wrong,
    }
    put = serverless.autoscaling.put_scaling_policy(PolicyName="use", **PROVISIONED, **policy)
    assert "cannot be tracked" in (await refused(put))[1]


async def test_what_is_not_provisioned_does_not_scale() -> None:
    sizes = {"max_concurrency": 10, "provisioned": 0}
    async with (
        emulating(serverless_scenario({"serverless": sizes})) as emulator,
        client(emulator, "application-autoscaling") as autoscaling,
    ):
        register = autoscaling.register_scalable_target(**PROVISIONED, MinCapacity=1, MaxCapacity=4)
        assert "no provisioned concurrency" in (await refused(register))[1]


async def test_a_predefined_metric_that_no_asynchronous_endpoint_publishes_never_scales(scaled: Scaled) -> None:
    config = {
        "TargetValue": 1.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    await scaled.put(PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=config)
    await scaled.load(10)
    await advance(scaled.emulator, 600.0)
    assert await scaled.activities(IncludeNotScaledActivities=True) == []
    assert {alarm.state for alarm in scaled.emulator.world.alarms.describe()} == {"INSUFFICIENT_DATA"}


async def test_refusals_are_said_in_auto_scalings_words(scaled: Scaled) -> None:
    api = scaled.autoscaling
    where = f"service namespace: sagemaker, resource ID: endpoint/no/variant/v, scalable dimension: {DIMENSION}"
    nobody = KEY | {"ResourceId": "endpoint/no/variant/v"}
    step: dict[str, Any] = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEP}
    not_found, invalid = "ObjectNotFoundException", "ValidationException"
    assert await refused(api.put_scaling_policy(PolicyName="p", **nobody, **step)) == (
        not_found,
        f"No scalable target registered for {where}",
    )
    assert await refused(api.deregister_scalable_target(**nobody)) == (
        not_found,
        f"No scalable target found for {where}",
    )
    code, text = await refused(api.delete_scaling_policy(PolicyName="p", **KEY))
    assert (code, text.endswith(", policy name: p")) == (not_found, True)
    calls = [
        api.register_scalable_target(**nobody, MinCapacity=0, MaxCapacity=1),
        api.register_scalable_target(**KEY, MinCapacity=5, MaxCapacity=4),
        api.register_scalable_target(**KEY | {"ScalableDimension": "ecs:service:DesiredCount"}),
        api.put_scaling_policy(
            PolicyName="p",
            **KEY,
            PolicyType="TargetTrackingScaling",
            **{k: v for k, v in step.items() if k != "PolicyType"},
        ),
        scaled.put(**step | {"StepScalingPolicyConfiguration": STEP | {"StepAdjustments": []}}),
        scaled.put(**step | {"StepScalingPolicyConfiguration": STEP | {"MinAdjustmentMagnitude": 1}}),
        scaled.put(**step | {"StepScalingPolicyConfiguration": STEP | {"StepAdjustments": [{"ScalingAdjustment": 1}]}}),
        scaled.track(CustomizedMetricSpecification={"MetricName": "M", "Namespace": "N"}),
    ]
    for call in calls:
        assert (await refused(call))[0] == invalid
    code, _ = await refused(api.describe_scaling_policies(ServiceNamespace="sagemaker", NextToken="!"))
    assert code == "InvalidNextTokenException"


def test_cooldowns_that_nobody_names_are_sagemakers_five_minutes() -> None:
    named = {"PolicyName": "p", "ResourceId": RESOURCE}
    tracking = {key: value for key, value in TRACKING.items() if not key.endswith("Cooldown")}
    spec = policy_spec(named | {"TargetTrackingScalingPolicyConfiguration": tracking})
    assert (spec.cooldown_s(is_out=True), spec.cooldown_s(is_out=False)) == (300.0, 300.0)
    step = {key: value for key, value in STEP.items() if key != "Cooldown"}
    assert policy_spec(named | {"StepScalingPolicyConfiguration": step}).cooldown_s(is_out=True) == 300.0


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ([(0, 10), (5, None)], "StepAdjustment intervals can't overlap"),
        ([(0, 10), (20, None)], "StepAdjustment intervals can't have gaps between them"),
        ([(10, 0)], "Each StepAdjustment needs a lower bound below its upper bound; at least one must be specified"),
    ],
)
async def test_steps_must_cover_their_range_once(
    scaled: Scaled, bounds: list[tuple[float, float | None]], text: str
) -> None:
    steps = [
        {"MetricIntervalLowerBound": low, "ScalingAdjustment": 1}
        | ({} if high is None else {"MetricIntervalUpperBound": high})
        for low, high in bounds
    ]
    config = STEP | {"StepAdjustments": steps}
    call = scaled.put(PolicyType="StepScaling", StepScalingPolicyConfiguration=config)
    assert await refused(call) == ("ValidationException", text)


async def test_an_exact_capacity_is_not_negative(scaled: Scaled) -> None:
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": -1}]
    config = STEP | {"AdjustmentType": "ExactCapacity", "StepAdjustments": steps}
    code, text = await refused(scaled.put(PolicyType="StepScaling", StepScalingPolicyConfiguration=config))
    assert (code, text) == (
        "ValidationException",
        "ScalingAdjustment must not be negative for AdjustmentType ExactCapacity",
    )


async def test_a_metric_is_tracked_by_one_policy_of_a_target(scaled: Scaled) -> None:
    await scaled.track("one")
    only_one = "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    assert await refused(scaled.track("two", TargetValue=99.0)) == ("ValidationException", only_one)
    await scaled.track("one", TargetValue=99.0)
    custom: Any = TRACKING["CustomizedMetricSpecification"]
    await scaled.track("two", CustomizedMetricSpecification=custom | {"Statistic": "Maximum"})


async def test_other_services_have_nothing_registered(scaled: Scaled) -> None:
    for describe in ("describe_scalable_targets", "describe_scaling_policies", "describe_scaling_activities"):
        answer = await getattr(scaled.autoscaling, describe)(ServiceNamespace="ecs")
        assert [value for key, value in answer.items() if key.startswith("Scal")] == [[]]


async def test_a_deleted_endpoint_takes_its_target_along(scaled: Scaled) -> None:
    sagemaker = await scaled.stack.enter_async_context(client(scaled.emulator, "sagemaker"))
    await scaled.track()
    await sagemaker.delete_endpoint(EndpointName=NAME)
    assert (await scaled.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"] == []
    assert scaled.emulator.world.alarms.describe() == []


METRICS = [
    {
        "Id": "backlog",
        "MetricStat": {
            "Metric": {
                "MetricName": "ApproximateBacklogSize",
                "Namespace": "AWS/SageMaker",
                "Dimensions": [{"Name": "EndpointName", "Value": NAME}],
            },
            "Stat": "Average",
        },
        "ReturnData": False,
    },
    {"Id": "e1", "Expression": "FILL(backlog, 0) / 2", "Label": "half of it", "ReturnData": True},
]


async def test_tracking_follows_metric_math(scaled: Scaled) -> None:
    put = await scaled.track(CustomizedMetricSpecification={"Metrics": METRICS})
    await scaled.load(20)  # 10 by the expression, at no instance: ceil(10 / 5) = 2
    await advance(scaled.emulator, 190.0)
    (activity,) = await scaled.activities()
    assert activity["Description"] == "Setting desired instance count to 2."
    (policy,) = (await scaled.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"))["ScalingPolicies"]
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    assert config["CustomizedMetricSpecification"] == {"Metrics": METRICS}
    cloudwatch = await scaled.stack.enter_async_context(client(scaled.emulator, "cloudwatch"))
    names = [alarm["AlarmName"] for alarm in put["Alarms"]]
    for alarm in (await cloudwatch.describe_alarms(AlarmNames=names))["MetricAlarms"]:
        assert [each["Id"] for each in alarm["Metrics"]] == ["backlog", "e1"]
        assert not {"MetricName", "Namespace", "Statistic", "Period"} & alarm.keys()


async def test_a_gap_of_the_emulators_is_501_and_names_itself(scaled: Scaled) -> None:
    def of(expression: str) -> dict[str, Any]:
        return {"CustomizedMetricSpecification": {"Metrics": [METRICS[0], METRICS[1] | {"Expression": expression}]}}

    predefined = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    tracking = {"TargetValue": 1.0, "PredefinedMetricSpecification": predefined}
    calls = {
        "ANOMALY_DETECTION_BAND": scaled.track(**of("ANOMALY_DETECTION_BAND(backlog, 2)")),
        "SELECT": scaled.track(**of('SELECT AVG(ApproximateBacklogSize) FROM SCHEMA("AWS/SageMaker", EndpointName)')),
        "ECSServiceAverageCPUUtilization": scaled.put(
            PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking
        ),
        "PredictiveScaling": scaled.put(PolicyType="PredictiveScaling"),
    }
    for word, call in calls.items():
        code, message = await refused(call)
        assert code == "NotImplemented", word
        assert word in message


async def test_metric_math_that_is_wrong_is_refused_in_auto_scalings_words(scaled: Scaled) -> None:
    both = [each | {"ReturnData": True} for each in METRICS]
    for metrics in (both, METRICS[1:], [METRICS[0], METRICS[0]], [METRICS[0], METRICS[1] | {"Expression": "e1 + 1"}]):
        code, _ = await refused(scaled.track(CustomizedMetricSpecification={"Metrics": metrics}))
        assert code == "ValidationException"
    code, _ = await refused(scaled.track(CustomizedMetricSpecification={"Metrics": METRICS, "MetricName": "M"}))
    assert code == "ValidationException"


async def test_suspended_scaling_is_described_and_kept(scaled: Scaled) -> None:
    suspended = {"DynamicScalingOutSuspended": True}
    await scaled.autoscaling.register_scalable_target(**KEY, SuspendedState=suspended)
    await scaled.track()
    await scaled.load(30)
    await advance(scaled.emulator, 300.0)
    assert await scaled.activities() == []
    (target,) = (await scaled.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"]
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": False,
    }
    await scaled.autoscaling.register_scalable_target(**KEY, SuspendedState={"DynamicScalingOutSuspended": False})
    await advance(scaled.emulator, 120.0)
    assert len(await scaled.activities()) == 1


async def test_a_step_alarm_set_by_hand_that_leads_to_nothing_leaves_an_activity_that_says_why(scaled: Scaled) -> None:
    put = await scaled.put("wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP)
    cloudwatch = await scaled.stack.enter_async_context(client(scaled.emulator, "cloudwatch"))
    await cloudwatch.put_metric_alarm(
        AlarmName="nobody-there",
        MetricName="HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        Statistic="Average",
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Dimensions=[{"Name": "EndpointName", "Value": NAME}],
        Period=60,
        AlarmActions=[put["PolicyARN"]],
    )
    await advance(scaled.emulator, 70.0)
    await cloudwatch.set_alarm_state(AlarmName="nobody-there", StateValue="ALARM", StateReason="a test")
    await advance(scaled.emulator, 10.0)
    assert await scaled.activities() == []
    (activity,) = await scaled.activities(IncludeNotScaledActivities=True)
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": 0}]
    assert activity["StatusMessage"] == "no step adjustment for metric value 0, breach delta -1"


# ---- scheduled actions ----------------------------------------------------------------------------------------


async def test_a_scheduled_action_sets_the_limits_when_it_is_due_again_and_again(scaled: Scaled) -> None:
    """Every ten minutes to at least 2; somebody lowers the minimum in between."""
    api = scaled.autoscaling
    await api.put_scheduled_action(
        ScheduledActionName="up", Schedule="rate(10 minutes)", **KEY, ScalableTargetAction={"MinCapacity": 2}
    )
    await advance(scaled.emulator, 599.0)
    assert await scaled.activities() == []
    await advance(scaled.emulator, 62.0)
    (target,) = (await api.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    causes = [one["Cause"] for one in await scaled.activities()]
    assert causes == ["minimum capacity was set to 2", "scheduled action name up was triggered"]
    await api.register_scalable_target(**KEY, MinCapacity=0)
    await advance(scaled.emulator, 540.0)
    (target,) = (await api.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"]
    assert target["MinCapacity"] == 2
    await api.delete_scheduled_action(ScheduledActionName="up", **KEY)
    await api.register_scalable_target(**KEY, MinCapacity=0)
    await advance(scaled.emulator, 1200.0)
    (target,) = (await api.describe_scalable_targets(ServiceNamespace="sagemaker"))["ScalableTargets"]
    assert target["MinCapacity"] == 0


async def test_a_scheduled_action_keeps_to_its_boundaries_which_an_update_deletes(scaled: Scaled) -> None:
    api, limits = scaled.autoscaling, {"MinCapacity": 1, "MaxCapacity": 3}
    bounds = {"StartTime": ZERO + timedelta(minutes=30), "EndTime": ZERO + timedelta(minutes=40)}
    await api.put_scheduled_action(
        ScheduledActionName="a", Schedule="cron(0/15 * * * ? *)", **KEY, ScalableTargetAction=limits, **bounds
    )
    await advance(scaled.emulator, 29 * 60.0)
    assert await scaled.activities() == []
    await advance(scaled.emulator, 32 * 60.0)
    named = [one for one in await scaled.activities() if "scheduled action" in one["Cause"]]
    assert [one["StartTime"] for one in named] == [ZERO + timedelta(minutes=30)]
    (shown,) = (await api.describe_scheduled_actions(ServiceNamespace="sagemaker"))["ScheduledActions"]
    assert {key: shown[key] for key in (*KEY, *bounds)} == {**KEY, **bounds}
    await api.put_scheduled_action(ScheduledActionName="a", Timezone="Asia/Tokyo", **KEY)
    (again,) = (await api.describe_scheduled_actions(ServiceNamespace="sagemaker"))["ScheduledActions"]
    assert (again["Schedule"], again["Timezone"]) == (shown["Schedule"], "Asia/Tokyo")
    assert (again["ScheduledActionARN"], again["ScalableTargetAction"]) == (shown["ScheduledActionARN"], limits)
    assert again.keys().isdisjoint(bounds)


async def test_a_scheduled_action_is_carried_out_when_the_services_clock_shows_its_instant() -> None:
    faults = {"faults": {"clock_skew": "-2s", "clock_drift_ppm": 1000}}
    async with emulating(scenario(FAST | faults)) as emulator, client(emulator, "application-autoscaling") as api:
        due = ZERO + timedelta(hours=1)
        await api.put_scheduled_action(
            ScheduledActionName="up",
            **KEY,
            Schedule=f"at({due:%Y-%m-%dT%H:%M:%S})",
            ScalableTargetAction={"MinCapacity": 2},
        )
        await advance(emulator, 3700.0)
        answer = await api.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=RESOURCE)
        (began,) = [one["StartTime"] for one in answer["ScalingActivities"] if "scheduled" in one["Cause"]]
        assert abs(began - due) <= timedelta(milliseconds=1)


async def test_suspended_or_deregistered_a_target_has_no_scheduled_scaling(scaled: Scaled) -> None:
    api, up = scaled.autoscaling, {"ScalableTargetAction": {"MinCapacity": 2}, "Schedule": "rate(5 minutes)"}
    await api.put_scheduled_action(ScheduledActionName="up", **KEY, **up)
    await api.register_scalable_target(**KEY, SuspendedState={"ScheduledScalingSuspended": True})
    await advance(scaled.emulator, 900.0)
    assert await scaled.activities() == []
    await api.deregister_scalable_target(**KEY)
    assert (await api.describe_scheduled_actions(ServiceNamespace="sagemaker"))["ScheduledActions"] == []
    assert (await refused(api.put_scheduled_action(ScheduledActionName="up", **KEY, **up)))[0] == (
        "ObjectNotFoundException"
    )
    assert (await refused(api.delete_scheduled_action(ScheduledActionName="up", **KEY)))[0] == "ObjectNotFoundException"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"Schedule": None}, "Schedule is required"),
        ({"ScalableTargetAction": None}, "MinCapacity, MaxCapacity"),
        ({"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}, "cannot be less"),
        ({"Schedule": "cron(0 0 * * * *)"}, "Invalid schedule expression"),
        ({"Timezone": "Mars/Base"}, "Timezone Mars/Base"),
        ({"Timezone": "../etc/passwd"}, "Timezone"),
        ({"StartTime": ZERO, "EndTime": ZERO}, "before EndTime"),
        ({"Schedule": "cron(0 0 15W * ? *)"}, "not emulated|15W"),
    ],
)
async def test_a_scheduled_action_that_is_wrong_is_refused(scaled: Scaled, wrong: dict[str, Any], says: str) -> None:
    right = {"Schedule": "rate(5 minutes)", "ScalableTargetAction": {"MinCapacity": 1}}
    given = {key: value for key, value in (right | wrong).items() if value is not None}
    with pytest.raises(ClientError, match=says):
        await scaled.autoscaling.put_scheduled_action(ScheduledActionName="a", **KEY, **given)
    assert (await scaled.autoscaling.describe_scheduled_actions(ServiceNamespace="sagemaker"))["ScheduledActions"] == []
