"""Goal: an endpoint is understood before the run, and one that cannot be measured is refused with advice.

Method: descriptions as SageMaker gives them, from a table; one thing wrong at a time.
"""

import datetime
import json
from typing import Any

import pytest

from fake_aws import ERROR_TOPIC, SUCCESS_TOPIC, FakeClient, client_error, fake_clients
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound, discover, kind_of
from smbench.errors import TargetError

CREATED = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
ASYNC = {
    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
    "OutputConfig": {
        "S3OutputPath": "s3://bucket/out",
        "S3FailurePath": "s3://bucket/failed",
        "NotificationConfig": {"SuccessTopic": SUCCESS_TOPIC, "ErrorTopic": ERROR_TOPIC},
    },
}
POLICY = {
    "PolicyARN": "arn:policy",
    "PolicyName": "keep",
    "PolicyType": "TargetTrackingScaling",
    "CreationTime": CREATED,
}


def fleet(name: str = "blue", current: int = 1) -> dict[str, Any]:
    return {"VariantName": name, "CurrentInstanceCount": current, "DesiredInstanceCount": current}


def cloud(
    described: object = None, *, asynchronous: object = ASYNC, scaling: dict[str, Any] | None = None, **changes: Any
) -> AwsClients:
    """An endpoint `ep` in service, with what differs."""
    about = {
        "EndpointName": "ep",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/ep",
        "EndpointConfigName": "ep-config",
        "EndpointStatus": "InService",
        "ProductionVariants": [fleet()],
    } | changes
    config = {"ProductionVariants": [{"VariantName": "blue", "InstanceType": "ml.g5.xlarge"}]}
    if asynchronous is not None:
        config["AsyncInferenceConfig"] = asynchronous  # type: ignore[assignment]  # as AWS's own shape has it
    tables = {"describe_scalable_targets": {}, "describe_scaling_policies": {}, "describe_alarms": {}} | (scaling or {})
    return fake_clients(
        sagemaker=FakeClient({"describe_endpoint": described or about, "describe_endpoint_config": config}),
        autoscaling=FakeClient(tables),
        cloudwatch=FakeClient(tables),
    )


async def refusal(clients: AwsClients, **settings: Any) -> TargetError:
    with pytest.raises(TargetError) as error:
        await discover(clients, "ep", **settings)
    assert error.value.advice
    return error.value


async def test_everything_a_run_needs_is_found() -> None:
    assert await discover(cloud(), "ep") == TargetFound(
        endpoint="ep",
        endpoint_arn="arn:aws:sagemaker:us-east-1:123456789012:endpoint/ep",
        config="ep-config",
        status="InService",
        variant="blue",
        instance_type="ml.g5.xlarge",
        instances_current=1,
        instances_desired=1,
        concurrency=4,
        output_path="s3://bucket/out",
        failure_path="s3://bucket/failed",
        success_topic=SUCCESS_TOPIC,
        error_topic=ERROR_TOPIC,
        weights={"blue": 1.0},
    )


async def test_what_scales_it_is_found_by_the_policies_own_alarms() -> None:
    def alarms(**about: Any) -> dict[str, Any]:
        assert about == {"ActionPrefix": "arn:policy"}
        return {"MetricAlarms": [{"AlarmName": "high", "AlarmConfigurationUpdatedTimestamp": CREATED}]}

    scaling = {
        "describe_scalable_targets": {
            "ScalableTargets": [{"MinCapacity": 0, "MaxCapacity": 4, "CreationTime": CREATED}]
        },
        "describe_scaling_policies": [{"ScalingPolicies": [POLICY]}, {"ScalingPolicies": [POLICY]}],
        "describe_alarms": alarms,
    }
    found = await discover(cloud(scaling=scaling), "ep")
    assert found.scalable_target is not None
    assert found.scalable_target["MaxCapacity"] == 4
    assert len(found.policies) == 2
    assert found.alarm_names == ("high",)
    assert found.notes == ()


async def test_what_was_found_survives_the_manifest() -> None:
    scaling = {
        "describe_scalable_targets": {"ScalableTargets": [{"MinCapacity": 0, "CreationTime": CREATED}]},
        "describe_scaling_policies": {"ScalingPolicies": [POLICY]},
    }
    found = await discover(cloud(scaling=scaling), "ep")
    assert TargetFound.from_json(json.loads(json.dumps(found.as_json()))) == found


async def test_scaling_that_may_not_be_read_is_a_note_and_no_obstacle() -> None:
    found = await discover(cloud(scaling={"describe_scaling_policies": client_error("AccessDeniedException")}), "ep")
    assert found.policies == ()
    assert found.notes == ("describe scaling policies: AccessDeniedException; the run knows less of the scaling",)


async def test_an_endpoint_that_is_not_there_is_refused_by_name_and_region() -> None:
    missing = client_error("ValidationException", 'Could not find endpoint "arn:aws:sagemaker:::endpoint/ep".')
    error = await refusal(cloud(missing))
    assert error.message == "there is no endpoint ep in us-east-1"


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("Creating", "aws sagemaker wait endpoint-in-service"),
        ("Deleting", "name another"),
        ("Failed", "bring it into service"),
        ("OutOfService", "bring it into service"),
    ],
)
async def test_an_endpoint_that_takes_no_requests_is_refused_with_the_reason(status: str, advice: str) -> None:
    error = await refusal(cloud(EndpointStatus=status, FailureReason="no capacity"))
    assert error.message == f"the endpoint ep is {status}: no capacity"
    assert advice in error.advice


@pytest.mark.parametrize("status", ["InService", "Updating", "SystemUpdating", "RollingBack"])
async def test_an_endpoint_that_is_being_changed_still_serves(status: str) -> None:
    assert (await discover(cloud(EndpointStatus=status), "ep")).status == status


SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


@pytest.mark.parametrize(
    ("found", "wanted", "message"),
    [
        ("async", "serverless", "the endpoint ep is asynchronous, and target.kind asks for serverless"),
        ("async", "realtime", "the endpoint ep is asynchronous, and target.kind asks for real-time"),
        ("realtime", "async", "the endpoint ep is real-time, and target.kind asks for asynchronous"),
        ("serverless", "async", "the endpoint ep is serverless, and target.kind asks for asynchronous"),
        ("serverless", "realtime", "the endpoint ep is serverless, and target.kind asks for real-time"),
    ],
)
async def test_an_endpoint_of_another_kind_is_refused_and_its_own_is_named(
    found: str, wanted: str, message: str
) -> None:
    variants = [fleet() | {"CurrentServerlessConfig": SERVERLESS}] if found == "serverless" else [fleet()]
    clients = cloud(asynchronous=ASYNC if found == "async" else None, ProductionVariants=variants)
    error = await refusal(clients, kind=wanted)
    assert (error.message, error.advice) == (message, f"set target.kind to {found}, or name another endpoint")


@pytest.mark.parametrize("found", ["async", "serverless", "realtime"])
async def test_its_kind_is_found_by_its_configuration_alone(found: str) -> None:
    variants = [fleet() | {"CurrentServerlessConfig": SERVERLESS}] if found == "serverless" else [fleet()]
    clients = cloud(asynchronous=ASYNC if found == "async" else None, ProductionVariants=variants)
    assert await kind_of(clients, "ep") == found
    with pytest.raises(TargetError, match="the endpoint ep is Creating"):
        await kind_of(cloud(EndpointStatus="Creating"), "ep")


async def test_a_serverless_endpoint_is_found_with_its_configuration_and_never_asked_for_scaling() -> None:
    clients = cloud(
        asynchronous=None, ProductionVariants=[fleet() | {"CurrentServerlessConfig": SERVERLESS}], scaling={}
    )
    found = await discover(clients, "ep", kind="serverless")
    assert (found.kind, found.serverless, found.topics, found.unobservable) == ("serverless", SERVERLESS, (), {})
    assert TargetFound.from_json(json.loads(json.dumps(found.as_json()))) == found


async def test_a_real_time_endpoint_is_found_and_needs_no_topics() -> None:
    found = await discover(cloud(asynchronous=None), "ep", kind="realtime")
    assert (found.kind, found.instances_current, found.serverless, found.topics) == ("realtime", 1, None, ())
    assert found.has_components  # no model in its configuration


def told(**topics: str) -> dict[str, Any]:
    return {"OutputConfig": {"S3OutputPath": "s3://bucket/out", "NotificationConfig": topics}}


async def test_an_endpoint_without_topics_is_looked_after_in_s3_unless_a_queue_is_given_or_notices_are_demanded() -> (
    None
):
    silent = await discover(cloud(asynchronous=told()), "ep")
    assert silent.tracking == "s3"
    assert "the endpoint ep has no topics: every output is looked for in S3" in silent.notes[0]
    assert "failures and expiries cannot be known" in silent.notes[1]
    given = await discover(cloud(asynchronous=told()), "ep", queue_given=True)
    assert (given.topics, given.tracking, given.notes) == ((), "sns", ())
    error = await refusal(cloud(asynchronous=told()), tracking="sns")
    assert "collector.queue" in error.advice
    assert "collector.tracking" in error.advice


async def test_outputs_may_be_looked_for_although_there_are_topics() -> None:
    found = await discover(cloud(), "ep", tracking="s3")
    assert (found.tracking, found.topics) == ("s3", (SUCCESS_TOPIC, ERROR_TOPIC))
    assert set(found.unobservable) == {"expired"}
    assert "no topics" not in found.notes[0]
    assert (await discover(cloud(), "ep")).tracking == "sns"


async def test_an_endpoint_that_tells_half_is_used_with_a_note() -> None:
    only_success = await discover(cloud(asynchronous=told(SuccessTopic=SUCCESS_TOPIC)), "ep")
    only_error = await discover(cloud(asynchronous=told(ErrorTopic=ERROR_TOPIC)), "ep")
    assert only_success.topics == (SUCCESS_TOPIC,)
    assert set(only_success.unobservable) == {"failed", "expired"}
    assert "failures and expiries cannot be known" in only_success.notes[0]
    assert set(only_error.unobservable) == {"completed"}
    assert "no SuccessTopic" in only_error.notes[0]
    assert TargetFound.from_json(only_error.as_json()) == only_error


async def test_one_topic_for_both_is_one_topic() -> None:
    found = await discover(cloud(asynchronous=told(SuccessTopic=SUCCESS_TOPIC, ErrorTopic=SUCCESS_TOPIC)), "ep")
    assert found.topics == (SUCCESS_TOPIC,)


async def test_of_several_variants_one_must_be_named() -> None:
    both = [fleet("blue"), fleet("green", 3)]
    assert "blue, green" in (await refusal(cloud(ProductionVariants=both))).advice
    assert (await discover(cloud(ProductionVariants=both), "ep", "green")).instances_current == 3


async def test_of_a_synchronous_endpoint_the_variant_with_the_largest_weight_is_watched() -> None:
    split = [fleet("blue") | {"CurrentWeight": 1.0}, fleet("green", 3) | {"CurrentWeight": 9.0}]
    found = await discover(cloud(asynchronous=None, ProductionVariants=split), "ep", kind="realtime")
    assert (found.variant, found.instances_current, found.weights) == ("green", 3, {"blue": 1.0, "green": 9.0})
    assert TargetFound.from_json(json.loads(json.dumps(found.as_json()))) == found
    alike = cloud(asynchronous=None, ProductionVariants=[fleet("blue"), fleet("green")])
    assert (await discover(alike, "ep", kind="realtime")).variant == "blue"


async def test_a_variant_that_is_not_there_is_refused() -> None:
    assert "no variant red" in (await refusal(cloud(), variant="red")).message


async def test_what_another_version_found_is_read_as_far_as_this_one_knows_it() -> None:
    found = (await discover(cloud(), "ep")).as_json()
    assert TargetFound.from_json(found | {"later": 1}) == TargetFound.from_json(found)
    with pytest.raises(TargetError, match="endpoint_arn"):
        TargetFound.from_json({name: value for name, value in found.items() if name != "endpoint_arn"})
