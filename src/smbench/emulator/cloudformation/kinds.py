"""Kinds of resources: what each can be given, and how it is made, changed and deleted through the services' own calls.

A property that is not listed here is refused by its name: to take it and do nothing with it would be a silent success.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from smbench.emulator.cloudformation import bucket_settings
from smbench.emulator.iam import Iam
from smbench.emulator.messaging.sns import Sns
from smbench.emulator.monitoring.alarm_operations import Alarms, alarm_arn
from smbench.emulator.monitoring.autoscaling import AutoScaling
from smbench.emulator.protocol import codecs
from smbench.emulator.protocol.codecs import JSON_11, JsonProtocol, Params, ServiceError, beyond
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.s3.service import S3
from smbench.emulator.sagemaker.control_plane import SageMaker

Tags = Mapping[str, str]
_INSIDE = HttpRequest("POST", "/", "/", "/", {}, {}, b"")  # operations that are called from inside do not look at it
_SCALED = ("ServiceNamespace", "ResourceId", "ScalableDimension")


@dataclass(frozen=True, slots=True)
class Account:
    """The services that resources are made in."""

    s3: S3
    sns: Sns
    iam: Iam
    sagemaker: SageMaker
    scaling: AutoScaling
    alarms: Alarms


@dataclass(frozen=True, slots=True)
class Physical:
    """A resource that was made: what Ref gives, and what Fn::GetAtt gives."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calls:
    """What CloudFormation calls for a resource, as IAM names it: its caller must be allowed to."""

    make: str
    remove: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of resource.

    Args:
        properties: What can be given at the top.
        make: Given account, a name that is free, checked properties, and tags.
        remove: Given what was made.
        change: In place; None where every change is a replacement.
        replaced_by: Properties whose change is a replacement although `change` is there.
        trouble: Given what is being made or changed: None while it goes on, "" when it is there, else why not.
    """

    properties: frozenset[str]
    make: Callable[[Account, str, Params, Tags], Physical]
    remove: Callable[[Account, Physical], None]
    change: Callable[[Account, Physical, Params, Tags], None] | None = None
    replaced_by: frozenset[str] = frozenset()
    trouble: Callable[[Account, Physical], str | None] = lambda _account, _physical: ""


def kind_of(name: str, type_name: str, properties: Mapping[str, Any]) -> Kind:
    """The kind of a resource; raises ServiceError 501 by its type, or by a property that is not known."""
    kind = KINDS.get(type_name)
    if kind is None:
        raise beyond(f"make resources of type {type_name} ({name})")
    if unknown := properties.keys() - kind.properties:
        raise beyond(f"know the property {min(unknown)} of {type_name} ({name})")
    return kind


def _listed(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _checked(dialect: codecs.Dialect, operation: str, params: Params) -> Params:
    """Parameters as a caller's would be read; raises ServiceError for what does not fit, and for members unknown."""
    protocol = JsonProtocol(dialect, JSON_11)
    shapes = protocol.shapes(operation)
    read = protocol.checked(shapes, params)
    if dropped := _dropped(params, read):
        raise beyond(f"know the property {dropped}")
    return read


def _dropped(given: Any, read: Any, path: str = "") -> str:
    """The path of the first member that reading left out; empty where all is there."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            below = f"{path}.{key}" if path else key
            found = below if key not in read else _dropped(value, read[key], below)
            if found:
                return found
    if isinstance(given, list) and isinstance(read, list):
        return next(filter(None, (_dropped(one, other, path) for one, other in zip(given, read, strict=True))), "")
    return ""


# S3


def _make_bucket(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    bucket_name = given.get("BucketName", name.lower())
    if account.s3.has_bucket(bucket_name):
        raise ServiceError("AlreadyExists", f"{bucket_name} already exists", 409)
    settings, versioning = bucket_settings.documents(given), bucket_settings.versioning(given)
    account.s3.create_bucket(bucket_name)
    bucket = account.s3.bucket(bucket_name)
    bucket.settings |= settings
    bucket.versioning = versioning
    bucket.tags = dict(tags)
    return Physical(bucket_name, {"Arn": f"arn:aws:s3:::{bucket_name}"})


def _change_bucket(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    bucket = account.s3.bucket(made.id)
    kept = {key: value for key, value in bucket.settings.items() if key == "policy"}
    bucket.settings = kept | bucket_settings.documents(given)
    bucket.versioning = bucket_settings.versioning(given, bucket.versioning)
    bucket.tags = dict(tags)


def _make_bucket_policy(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    account.s3.bucket(given["Bucket"]).settings["policy"] = orjson.dumps(given["PolicyDocument"]).decode()
    return Physical(given["Bucket"])


def _change_bucket_policy(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_bucket_policy(account, "", given, tags)


def _remove_bucket_policy(account: Account, made: Physical) -> None:
    if account.s3.has_bucket(made.id):
        account.s3.bucket(made.id).settings.pop("policy", None)


def _remove_bucket(account: Account, made: Physical) -> None:
    if account.s3.has_bucket(made.id):
        account.s3.delete_bucket(made.id)


# SNS, IAM


def _make_topic(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = {"Name": given.get("TopicName", name), "Tags": _listed(tags)}
    arn = account.sns.operations["CreateTopic"](params, _INSIDE)["TopicArn"]  # type: ignore[index]
    return Physical(arn, {"TopicArn": arn, "TopicName": params["Name"]})


def _remove_topic(account: Account, made: Physical) -> None:
    account.sns.operations["DeleteTopic"]({"TopicArn": made.id}, _INSIDE)


def _make_role(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = {
        "RoleName": given.get("RoleName", name[-64:]),
        "AssumeRolePolicyDocument": orjson.dumps(given["AssumeRolePolicyDocument"]).decode(),
        "Tags": _listed(tags),
    }
    role = account.iam.create_role(params, _INSIDE)["Role"]
    _put_policies(account, role["RoleName"], given)
    return Physical(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _put_policies(account: Account, role: str, given: Params) -> None:
    account.iam.policies[role] = {}
    for policy in given.get("Policies", []):
        document = orjson.dumps(policy["PolicyDocument"]).decode()
        account.iam.put_role_policy(
            {"RoleName": role, "PolicyName": policy["PolicyName"], "PolicyDocument": document}, _INSIDE
        )


def _change_role(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _put_policies(account, made.id, given)


def _remove_role(account: Account, made: Physical) -> None:
    if made.id in account.iam.roles:
        account.iam.policies[made.id] = {}
        account.iam.delete_role({"RoleName": made.id}, _INSIDE)


# SageMaker


def _make_model(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = _checked(codecs.SAGEMAKER, "CreateModel", {"ModelName": name} | given | {"Tags": _listed(tags)})
    arn = account.sagemaker.create_model(params, _INSIDE)["ModelArn"]
    return Physical(arn, {"ModelName": params["ModelName"], "ModelArn": arn})


def _remove_model(account: Account, made: Physical) -> None:
    if (name := made.attributes["ModelName"]) in account.sagemaker.models:
        account.sagemaker.delete_model({"ModelName": name}, _INSIDE)


def _make_config(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = _checked(
        codecs.SAGEMAKER, "CreateEndpointConfig", {"EndpointConfigName": name} | given | {"Tags": _listed(tags)}
    )
    arn = account.sagemaker.create_endpoint_config(params, _INSIDE)["EndpointConfigArn"]
    return Physical(arn, {"EndpointConfigName": params["EndpointConfigName"], "EndpointConfigArn": arn})


def _remove_config(account: Account, made: Physical) -> None:
    if (name := made.attributes["EndpointConfigName"]) in account.sagemaker.configs:
        account.sagemaker.delete_endpoint_config({"EndpointConfigName": name}, _INSIDE)


def _make_endpoint(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    asked = {key: value for key, value in given.items() if key != "RetainAllVariantProperties"}
    params = _checked(codecs.SAGEMAKER, "CreateEndpoint", {"EndpointName": name} | asked | {"Tags": _listed(tags)})
    arn = account.sagemaker.create_endpoint(params, _INSIDE)["EndpointArn"]
    return Physical(arn, {"EndpointName": params["EndpointName"], "EndpointArn": arn})


def _change_endpoint(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    params = {"EndpointName": made.attributes["EndpointName"]} | given
    account.sagemaker.update_endpoint(_checked(codecs.SAGEMAKER, "UpdateEndpoint", params), _INSIDE)


def _endpoint_trouble(account: Account, made: Physical) -> str | None:
    hosted = account.sagemaker.hosting.endpoints.get(made.attributes["EndpointName"])
    if hosted is None:
        return "The endpoint was deleted meanwhile."
    if hosted.failure:
        return f"Resource handler returned message: {hosted.failure}"
    return "" if hosted.status == "InService" else None


def _remove_endpoint(account: Account, made: Physical) -> None:
    if (name := made.attributes["EndpointName"]) in account.sagemaker.hosting.endpoints:
        account.sagemaker.delete_endpoint({"EndpointName": name}, _INSIDE)


# scaling


def _make_target(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = _checked(codecs.AUTOSCALING, "RegisterScalableTarget", given)
    account.scaling.register_scalable_target(params, _INSIDE)
    return Physical("|".join(params[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace")))


def _change_target(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_target(account, "", given, tags)


def _target_of(scaling_target_id: str) -> Params:
    resource, dimension, namespace = scaling_target_id.split("|")
    return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}


def _remove_target(account: Account, made: Physical) -> None:
    target = _target_of(made.id)
    if account.scaling.scaler.describe_targets([target["ResourceId"]]):
        account.scaling.deregister_scalable_target(target, _INSIDE)


def _make_policy(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    asked = dict(given)
    if "ScalingTargetId" in asked:
        asked |= _target_of(asked.pop("ScalingTargetId"))
    params = _checked(codecs.AUTOSCALING, "PutScalingPolicy", asked)
    put = account.scaling.put_scaling_policy(params, _INSIDE)
    return Physical(put["PolicyARN"], {"Arn": put["PolicyARN"], "PolicyName": params["PolicyName"]} | _scaled(params))


def _scaled(params: Params) -> dict[str, str]:
    return {key: params[key] for key in _SCALED}


def _change_policy(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_policy(account, "", given, tags)


def _remove_policy(account: Account, made: Physical) -> None:
    resource, name = made.attributes["ResourceId"], made.attributes["PolicyName"]
    if account.scaling.scaler.describe_policies(resource, [name]):
        account.scaling.delete_scaling_policy(_scaled(dict(made.attributes)) | {"PolicyName": name}, _INSIDE)


def _make_alarm(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = _checked(codecs.CLOUDWATCH, "PutMetricAlarm", {"AlarmName": name} | given | {"Tags": _listed(tags)})
    account.alarms.put_metric_alarm(params, _INSIDE)
    return Physical(params["AlarmName"], {"Arn": alarm_arn(account.alarms.site, params["AlarmName"])})


def _change_alarm(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_alarm(account, made.id, given, tags)


def _remove_alarm(account: Account, made: Physical) -> None:
    if account.alarms.book.get(made.id) is not None:
        account.alarms.delete_alarms({"AlarmNames": [made.id]}, _INSIDE)


_ALARM = (
    "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions "
    "EvaluationPeriods InsufficientDataActions MetricName Metrics Namespace OKActions Period Statistic Threshold "
    "TreatMissingData Unit"
)
_MODEL = (
    "ModelName ExecutionRoleArn PrimaryContainer Containers EnableNetworkIsolation InferenceExecutionConfig VpcConfig"
)
_POLICY = (
    "PolicyName PolicyType ScalingTargetId ServiceNamespace ResourceId ScalableDimension "
    "TargetTrackingScalingPolicyConfiguration StepScalingPolicyConfiguration"
)
_TARGET = "ServiceNamespace ScalableDimension ResourceId MinCapacity MaxCapacity SuspendedState"
_BUCKET = (
    "BucketName BucketEncryption PublicAccessBlockConfiguration OwnershipControls LifecycleConfiguration "
    "VersioningConfiguration"
)


_Make = Callable[[Account, str, Params, Tags], Physical]
_Remove = Callable[[Account, Physical], None]
_ChangeInPlace = Callable[[Account, Physical, Params, Tags], None]


def _kind(
    names: str, make: _Make, remove: _Remove, change: _ChangeInPlace | None = None, *, replaced_by: str = ""
) -> Kind:
    return Kind(frozenset(names.split()), make, remove, change, frozenset(replaced_by.split()))


KINDS: dict[str, Kind] = {
    "AWS::S3::Bucket": _kind(_BUCKET, _make_bucket, _remove_bucket, _change_bucket, replaced_by="BucketName"),
    "AWS::S3::BucketPolicy": _kind(
        "Bucket PolicyDocument", _make_bucket_policy, _remove_bucket_policy, _change_bucket_policy, replaced_by="Bucket"
    ),
    "AWS::SNS::Topic": _kind("TopicName", _make_topic, _remove_topic),
    "AWS::IAM::Role": _kind(
        "RoleName AssumeRolePolicyDocument Policies",
        _make_role,
        _remove_role,
        _change_role,
        replaced_by="RoleName AssumeRolePolicyDocument",
    ),
    "AWS::SageMaker::Model": _kind(_MODEL, _make_model, _remove_model),
    "AWS::SageMaker::EndpointConfig": _kind(
        "EndpointConfigName ProductionVariants AsyncInferenceConfig", _make_config, _remove_config
    ),
    "AWS::SageMaker::Endpoint": Kind(
        frozenset({"EndpointName", "EndpointConfigName", "RetainAllVariantProperties"}),
        _make_endpoint,
        _remove_endpoint,
        _change_endpoint,
        frozenset({"EndpointName"}),
        _endpoint_trouble,
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": _kind(
        _TARGET, _make_target, _remove_target, _change_target, replaced_by=" ".join(_SCALED)
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": _kind(
        _POLICY,
        _make_policy,
        _remove_policy,
        _change_policy,
        replaced_by=f"PolicyName PolicyType ScalingTargetId {' '.join(_SCALED)}",
    ),
    "AWS::CloudWatch::Alarm": _kind(_ALARM, _make_alarm, _remove_alarm, _change_alarm, replaced_by="AlarmName"),
}

_SCALING = "application-autoscaling"
CALLS: dict[str, Calls] = {
    "AWS::S3::Bucket": Calls("s3:CreateBucket", "s3:DeleteBucket"),
    "AWS::S3::BucketPolicy": Calls("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketPolicy"),
    "AWS::SNS::Topic": Calls("sns:CreateTopic", "sns:DeleteTopic"),
    "AWS::IAM::Role": Calls("iam:CreateRole", "iam:DeleteRole", "iam:PutRolePolicy"),
    "AWS::SageMaker::Model": Calls("sagemaker:CreateModel", "sagemaker:DeleteModel"),
    "AWS::SageMaker::EndpointConfig": Calls("sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig"),
    "AWS::SageMaker::Endpoint": Calls(
        "sagemaker:CreateEndpoint", "sagemaker:DeleteEndpoint", "sagemaker:UpdateEndpoint"
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": Calls(
        f"{_SCALING}:RegisterScalableTarget",
        f"{_SCALING}:DeregisterScalableTarget",
        f"{_SCALING}:RegisterScalableTarget",
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Calls(
        f"{_SCALING}:PutScalingPolicy", f"{_SCALING}:DeleteScalingPolicy", f"{_SCALING}:PutScalingPolicy"
    ),
    "AWS::CloudWatch::Alarm": Calls(
        "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"
    ),
}
