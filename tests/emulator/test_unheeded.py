"""Goal: no parameter is left out in silence: it is carried out, refused as AWS refuses it, or a 501 that names it.

Method: botocore's input shapes against the emulator's own source, for every operation there is; then calls through
clients, each with one thing that was once ignored, and what each of them must leave behind.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import get_session

import smbench.emulator
from emulation import EPOCH_NS, FAST, ROLE, advance, client, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.protocol.unheeded import UNHEEDED
from smbench.emulator.server import Emulator

SOURCES = {  # of each service, by its name in credentials
    "sqs": "messaging",
    "sns": "messaging",
    "monitoring": "monitoring",
    "application-autoscaling": "monitoring",
    "sagemaker": "sagemaker",
    "logs": "logs.py",
    "iam": "iam.py",
    "sts": "sts.py",
    "ssm": "ssm.py",
    "servicequotas": "service_quotas.py",
    "cloudformation": "cloudformation",
}
MODELS = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
HARMLESS = {  # nothing that a caller of this emulator sees depends on them
    "sqs": {"ReceiveRequestAttemptId"},
    "sns": {"ReturnSubscriptionArn"},
    "monitoring": {"StrictEntityValidation"},
    "sagemaker": {
        *("ExecutionRoleArn", "VpcConfig", "JobType", "JobDescription", "StoppingConditions"),
        *("ProcessingOutputConfig", "StoppingCondition", "NetworkConfig", "ExperimentConfig"),
        *("EndpointNameEquals", "VariantNameEquals"),  # read, under names that are put together
    },
    "logs": {"unmask", "interleaved"},
    "sts": {  # no permission is looked at
        *("PolicyArns", "Policy", "Tags", "TransitiveTagKeys", "ExternalId", "SerialNumber", "TokenCode"),
        *("SourceIdentity", "ProvidedContexts", "WebIdentityToken", "ProviderId"),
    },
    "ssm": {"Description", "KeyId", "WithDecryption"},  # shown by no call there is; of what is encrypted alone
    "cloudformation": {  # every list is one page, every resource is of a type that is known, no role is looked at
        *("ResourceTypes", "RoleARN", "IncludeNestedStacks", "NextToken"),
        *("IncludePropertyValues", "TemplateStage"),
    },
}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    emulator = Emulator(None, None, EPOCH_NS)
    return {one.service: getattr(one, "operations", {}) for one in emulator.services}


@pytest.mark.parametrize("service", SOURCES)
def test_every_parameter_is_read_harmless_or_refused_by_its_name(
    service: str, services: dict[str, dict[str, Any]]
) -> None:
    place = Path(smbench.emulator.__file__).parent / SOURCES[service]
    source = "".join(one.read_text() for one in (place.glob("*.py") if place.is_dir() else [place]))
    model = get_session().get_service_model(MODELS.get(service, service))
    left_out = {
        (operation, name)
        for operation in services[service].keys() & set(model.operation_names)
        for name in getattr(model.operation_model(operation).input_shape, "members", {})
        if f'"{name}"' not in source
        and name not in UNHEEDED.get((service, operation), ())
        and name not in HARMLESS.get(service, ())
    }
    assert left_out == set()
    known = {(of, name) for of in services[service] for name in UNHEEDED.get((service, of), ())}
    for operation, name in known:
        assert name in getattr(model.operation_model(operation).input_shape, "members", {})


# ---- calls ----------------------------------------------------------------------------------------------------

Caller = Callable[..., Any]
Params = dict[str, Any]

QUEUE = "/123456789012/q"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
ALARM = {
    **{"AlarmName": "a", "Namespace": "N", "MetricName": "M", "Statistic": "Average", "Period": 60},
    **{"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"},
}
HOUR = {"StartTime": datetime(2026, 1, 1, tzinfo=UTC), "EndTime": datetime(2026, 1, 1, 1, tzinfo=UTC)}
STAT = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
VARIANT = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
CAPTURE = {"EnableCapture": True, "InitialSamplingPercentage": 9, "DestinationS3Uri": "s3://b/c"}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
TARGET = {
    **{"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/smbench-emulated/variant/AllTraffic"},
    **{"ScalableDimension": "sagemaker:variant:DesiredInstanceCount"},
}


def tracking(**more: Any) -> Params:
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    config = {"TargetValue": 5.0, "PredefinedMetricSpecification": metric, **more}
    return {**TARGET, "PolicyName": "p", "PolicyType": "TargetTrackingScaling"} | {
        "TargetTrackingScalingPolicyConfiguration": config
    }


def config(**more: Any) -> Params:
    return {"EndpointConfigName": "c", "ProductionVariants": [VARIANT], **more}


def variant(**more: Any) -> Params:
    return {"EndpointConfigName": "c", "ProductionVariants": [{**VARIANT, **more}]}


def put(**more: Any) -> Params:
    return {"Bucket": "bucket", "Key": "k", "Body": b"new", **more}


def data(**more: Any) -> Params:
    return {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1.0, **more}]}


REFUSED: list[tuple[str, str, Params, str]] = [
    (
        "sqs",
        "SendMessage",
        {"QueueUrl": QUEUE, "MessageBody": "a", "MessageDeduplicationId": "x"},
        "InvalidParameterValue",
    ),
    ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE, "AttributeNames": ["Nothing"]}, "InvalidAttributeName"),
    ("sqs", "ListQueues", {"MaxResults": 0}, "InvalidParameterValue"),
    ("sqs", "GetQueueUrl", {"QueueName": "q", "QueueOwnerAWSAccountId": "1" * 12}, "NonExistentQueue"),
    ("sqs", "TagQueue", {"QueueUrl": QUEUE, "Tags": {str(k): "v" for k in range(51)}}, "InvalidParameterValue"),
    (
        *("sqs", "SetQueueAttributes"),
        {"QueueUrl": QUEUE, "Attributes": {"RedrivePolicy": '{"deadLetterTargetArn": "arn:n", "maxReceiveCount": 3}'}},
        "InvalidParameterValue",
    ),
    (
        "sqs",
        "SetQueueAttributes",
        {"QueueUrl": QUEUE, "Attributes": {"SqsManagedSseEnabled": "x"}},
        "InvalidAttributeValue",
    ),
    ("sns", "Publish", {"TopicArn": TOPIC, "Message": "m", "MessageDeduplicationId": "x"}, "InvalidParameter"),
    ("sns", "Publish", {"TopicArn": TOPIC, "Message": "m", "MessageGroupId": "x"}, "NotImplemented"),
    ("sns", "Publish", {"TopicArn": TOPIC, "Message": "m", "MessageStructure": "xml"}, "InvalidParameter"),
    (
        *("sns", "PublishBatch"),
        {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": k, "Message": "x" * 140_000} for k in "ab"]},
        "BatchRequestTooLong",
    ),
    ("sns", "CreateTopic", {"Name": "u", "Attributes": {"SQSSuccessFeedbackSampleRate": "9"}}, "NotImplemented"),
    (
        "sns",
        "SetTopicAttributes",
        {"TopicArn": TOPIC, "AttributeName": "Policy", "AttributeValue": "{"},
        "InvalidParameter",
    ),
    ("sns", "Subscribe", {"TopicArn": TOPIC, "Protocol": "pigeon", "Endpoint": "x"}, "InvalidParameter"),
    (
        "sns",
        "TagResource",
        {"ResourceArn": TOPIC, "Tags": [{"Key": str(k), "Value": "v"} for k in range(51)]},
        "TagLimit",
    ),
    ("cloudwatch", "PutMetricAlarm", {**ALARM, "EvaluationPeriods": 1441}, "ValidationError"),
    ("cloudwatch", "DescribeAlarms", {"ChildrenOfAlarmName": "x"}, "NotImplemented"),
    ("cloudwatch", "ListMetrics", {"RecentlyActive": "PT3H"}, "NotImplemented"),
    ("cloudwatch", "PutMetricData", {**data(), "Namespace": "AWS/SageMaker"}, "InvalidParameterValue"),
    ("cloudwatch", "PutMetricData", data(Value=float("nan")), "InvalidParameterValue"),
    ("cloudwatch", "PutMetricData", data(Timestamp=datetime(2025, 1, 1, tzinfo=UTC)), "InvalidParameterValue"),
    (
        "cloudwatch",
        "GetMetricData",
        {**HOUR, "MetricDataQueries": [{"Id": "a", "MetricStat": STAT, "AccountId": "1" * 12}]},
        "NotImpl",
    ),
    (
        "cloudwatch",
        "GetMetricData",
        {**HOUR, "MetricDataQueries": [{"Id": "a", "MetricStat": STAT, "Label": "${MAX}"}]},
        "NotImpl",
    ),
    (
        "cloudwatch",
        "GetMetricData",
        {**HOUR, "MetricDataQueries": [{"Id": "a", "MetricStat": STAT, "ReturnData": False}]},
        "Validation",
    ),
    ("application-autoscaling", "RegisterScalableTarget", {**TARGET, "Tags": {"a": "b"}}, "NotImplemented"),
    ("application-autoscaling", "PutScalingPolicy", tracking(TargetValue=0.0), "ValidationException"),
    ("application-autoscaling", "PutScalingPolicy", tracking(ScaleInCooldown=-1), "ValidationException"),
    (
        "sagemaker",
        "CreateEndpointConfig",
        config(DataCaptureConfig={**CAPTURE, "CaptureOptions": [{"CaptureMode": "Input"}]}),
        "NotImplemented",
    ),
    (
        "sagemaker",
        "CreateEndpointConfig",
        config(ShadowProductionVariants=[{**VARIANT, "VariantName": "s"}]),
        "NotImplemented",
    ),
    ("sagemaker", "CreateEndpointConfig", variant(ManagedInstanceScaling={"Status": "ENABLED"}), "NotImplemented"),
    ("sagemaker", "CreateModel", {"ModelName": "n", "PrimaryContainer": {}}, "ValidationException"),
    ("logs", "DescribeLogStreams", {}, "InvalidParameterException"),
    ("s3", "CreateBucket", {"Bucket": "192.168.1.1"}, "InvalidBucketName"),
    ("s3", "CreateBucket", {"Bucket": "open", "ACL": "public-read"}, "InvalidBucketAclWithObjectOwnership"),
    (
        "s3",
        "CreateBucket",
        {"Bucket": "far", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
        "IllegalLoc",
    ),
    ("s3", "CreateBucket", {"Bucket": "lock", "ObjectLockEnabledForBucket": True}, "NotImplemented"),
    ("s3", "PutObject", put(ACL="public-read"), "AccessControlListNotSupported"),
    ("s3", "PutObject", put(ObjectLockLegalHoldStatus="ON"), "InvalidRequest"),
    ("s3", "PutObject", put(Metadata={"a": "x" * 2100}), "MetadataTooLarge"),
    ("s3", "PutObject", put(IfNoneMatch='"etag"'), "NotImplemented"),
    ("s3", "PutObject", put(WriteOffsetBytes=5), "NotImplemented"),
    (
        "s3",
        "CopyObject",
        {"Bucket": "bucket", "Key": "c", "CopySource": "bucket/k", "MetadataDirective": "X"},
        "InvalidArgument",
    ),
    ("s3", "DeleteObject", {"Bucket": "bucket", "Key": "k", "IfMatch": '"other"'}, "PreconditionFailed"),
]


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    """Calls an operation of a service; of an endpoint that is there, a bucket with an object, a queue and a topic."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating(scenario(FAST)))
        clients: dict[str, Any] = {}

        async def calling(service: str, operation: str = "", **params: Any) -> Any:
            if not operation:
                return await advance(emulator, float(service))
            if service not in clients:
                clients[service] = await stack.enter_async_context(client(emulator, service))
            return await getattr(clients[service], xform_name(operation))(**params)

        await calling("s3", "CreateBucket", Bucket="bucket")
        await calling("s3", "PutObject", Bucket="bucket", Key="k", Body=b"hello")
        await calling("sqs", "CreateQueue", QueueName="q")
        await calling("sns", "CreateTopic", Name="t")
        await calling("sagemaker", "CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
        yield calling


@pytest.mark.anyio
async def test_what_was_left_out_is_refused_and_nothing_is_done(call: Caller) -> None:
    wrong = {}
    for service, operation, params, code in REFUSED:
        try:
            await call(service, operation, **params)
            wrong[operation, str(params)] = "a success"
        except ClientError as refused:
            if code not in refused.response["Error"]["Code"]:
                wrong[operation, str(params)] = str(refused)
    assert not wrong
    stored = await call("s3", "GetObject", Bucket="bucket", Key="k")
    assert await stored["Body"].read() == b"hello"
    buckets = await call("s3", "ListBuckets", Prefix="b")
    assert [one["Name"] for one in buckets["Buckets"]] == ["bucket"]
    configs = (await call("sagemaker", "ListEndpointConfigs"))["EndpointConfigs"]
    assert [one["EndpointConfigName"] for one in configs] == ["smbench-emulated"]


@pytest.mark.anyio
async def test_objects_are_deleted_one_by_one_under_their_own_conditions(call: Caller) -> None:
    await call("s3", "PutObject", Bucket="bucket", Key="l", Body=b"hello")
    asked = [{"Key": "k", "VersionId": "v1"}, {"Key": "k", "ETag": '"other"'}, {"Key": "l"}]
    reply = await call("s3", "DeleteObjects", Bucket="bucket", Delete={"Objects": asked})
    assert [one["Code"] for one in reply["Errors"]] == ["NoSuchVersion", "PreconditionFailed"]
    assert [one["Key"] for one in reply["Deleted"]] == ["l"]
    listed = await call("s3", "ListObjectsV2", Bucket="bucket")
    assert [one["Key"] for one in listed["Contents"]] == ["k"]


@pytest.mark.anyio
async def test_an_upload_keeps_its_tags_its_conditions_and_its_pages(call: Caller) -> None:
    at = {"Bucket": "bucket", "Key": "k"}
    ids = [(await call("s3", "CreateMultipartUpload", **at, Tagging="a=b"))["UploadId"] for _ in range(2)]
    of = {**at, "UploadId": ids[0]}
    parts = []
    for number in (1, 2, 3):
        made = await call("s3", "UploadPart", **of, PartNumber=number, Body=b"x" * (5 << 20 if number < 3 else 1))
        parts.append({"PartNumber": number, "ETag": made["ETag"]})
    page = await call("s3", "ListParts", **of, MaxParts=2)
    assert ([one["PartNumber"] for one in page["Parts"]], page["IsTruncated"]) == ([1, 2], True)
    rest = await call("s3", "ListParts", **of, PartNumberMarker=page["NextPartNumberMarker"])
    assert [one["PartNumber"] for one in rest["Parts"]] == [3]
    first = await call("s3", "ListMultipartUploads", Bucket="bucket", MaxUploads=1)
    markers = {"KeyMarker": first["NextKeyMarker"], "UploadIdMarker": first["NextUploadIdMarker"]}
    second = await call("s3", "ListMultipartUploads", Bucket="bucket", MaxUploads=1, **markers)
    assert sorted(one["UploadId"] for one in (*first["Uploads"], *second["Uploads"])) == sorted(ids)
    assert "Uploads" not in await call("s3", "ListMultipartUploads", Bucket="bucket", Prefix="z")
    for wrong in ({"IfMatch": '"other"'}, {"MpuObjectSize": 7}):
        with pytest.raises(ClientError):
            await call("s3", "CompleteMultipartUpload", **of, MultipartUpload={"Parts": parts}, **wrong)
    await call("s3", "CompleteMultipartUpload", **of, MultipartUpload={"Parts": parts})
    assert (await call("s3", "GetObjectTagging", **at))["TagSet"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.anyio
async def test_messages_have_the_system_attributes_that_they_were_sent_with(call: Caller) -> None:
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}}
    more = {"MessageSystemAttributes": trace, "MessageGroupId": "g"}
    await call("sqs", "SendMessage", QueueUrl=QUEUE, MessageBody="a", **more)
    reply = await call("sqs", "ReceiveMessage", QueueUrl=QUEUE, MessageSystemAttributeNames=["All"])
    attributes = reply["Messages"][0]["Attributes"]
    assert (attributes["AWSTraceHeader"], attributes["MessageGroupId"]) == ("Root=1-2-3", "g")


@pytest.mark.anyio
async def test_an_update_keeps_what_is_not_excluded(call: Caller) -> None:
    for name, count in (("one", 1), ("two", 2)):
        variants = [{**VARIANT, "InitialInstanceCount": count, "InitialVariantWeight": float(count)}]
        wanted = {"EndpointConfigName": name, "ProductionVariants": variants, "AsyncInferenceConfig": ASYNC}
        await call("sagemaker", "CreateEndpointConfig", **wanted)
    await call("sagemaker", "CreateEndpoint", EndpointName="e", EndpointConfigName="one")
    await call("100")
    excluded = [{"VariantPropertyType": "DesiredInstanceCount"}]
    kept = {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": excluded}
    await call("sagemaker", "UpdateEndpoint", EndpointName="e", EndpointConfigName="two", **kept)
    await call("200")
    (shown,) = (await call("sagemaker", "DescribeEndpoint", EndpointName="e"))["ProductionVariants"]
    assert (shown["DesiredInstanceCount"], shown["CurrentWeight"]) == (2, 1.0)


@pytest.mark.anyio
async def test_a_call_that_the_client_packed_is_read(call: Caller) -> None:
    """botocore packs a PutMetricData beyond 10 KiB by gzip."""
    data = [{"MetricName": f"m{k}", "Value": 1.0, "Unit": "Count"} for k in range(300)]
    await call("cloudwatch", "PutMetricData", Namespace="Mine", MetricData=data)
    listed = await call("cloudwatch", "ListMetrics", Namespace="Mine")
    assert len(listed["Metrics"]) == 300
