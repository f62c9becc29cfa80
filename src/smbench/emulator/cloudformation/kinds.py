"""Kinds of resources: what each can be given, and how it is made, changed and deleted through the services' own calls.

A property that is not listed here is refused by its name: to take it and do nothing with it would be a silent success.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from smbench.emulator.cloudformation import bucket_settings, messaging
from smbench.emulator.cloudformation.kind import (
    INSIDE,
    Account,
    Calls,
    Kind,
    Physical,
    Tags,
    checked,
    short,
)
from smbench.emulator.monitoring.alarm_operations import alarm_arn
from smbench.emulator.protocol import codecs
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.tags import pairs_of

_NAME_MAX = 63  # of a bucket, and of what SageMaker hosts
_ROLE_NAME_MAX = 64
_SCALED = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def kind_of(name: str, type_name: str, properties: Mapping[str, Any]) -> Kind:
    """The kind of a resource; raises ServiceError 501 by its type, or by a property that is not known."""
    kind = KINDS.get(type_name)
    if kind is None:
        raise beyond(f"make resources of type {type_name} ({name})")
    if unknown := properties.keys() - kind.properties:
        raise beyond(f"know the property {min(unknown)} of {type_name} ({name})")
    return kind


# S3


def _make_bucket(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    bucket_name = given.get("BucketName", short(name.lower(), _NAME_MAX))
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


# IAM


def _make_role(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = {
        "RoleName": given.get("RoleName", short(name, _ROLE_NAME_MAX)),
        "AssumeRolePolicyDocument": orjson.dumps(given["AssumeRolePolicyDocument"]).decode(),
        "Tags": pairs_of(tags),
    } | {key: given[key] for key in ("Description", "Path", "MaxSessionDuration") if key in given}
    role = account.iam.create_role(checked(codecs.IAM, "CreateRole", params), INSIDE)["Role"]
    _put_policies(account, role["RoleName"], given)
    return Physical(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _put_policies(account: Account, role: str, given: Params) -> None:
    """Inline and managed, instead of all that were there but those of resources of their own."""
    kept, documents = account.iam.policies[role], given.get("Policies", [])
    account.iam.policies[role] = {name: text for name, text in kept.items() if (role, name) in account.lent}
    for policy in documents:
        _put_policy(account, role, policy["PolicyName"], policy["PolicyDocument"])
    account.iam.attached[role] = []
    for arn in given.get("ManagedPolicyArns", []):
        account.iam.attach_role_policy({"RoleName": role, "PolicyArn": arn}, INSIDE)


def _put_policy(account: Account, role: str, name: str, document: Any) -> None:
    params = {"RoleName": role, "PolicyName": name, "PolicyDocument": orjson.dumps(document).decode()}
    account.iam.put_role_policy(params, INSIDE)


def _change_role(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    account.iam.roles[made.id]["Tags"] = pairs_of(tags)
    _put_policies(account, made.id, given)


def _remove_role(account: Account, made: Physical) -> None:
    if made.id in account.iam.roles:
        account.iam.policies[made.id], account.iam.attached[made.id] = {}, []
        account.iam.delete_role({"RoleName": made.id}, INSIDE)


def _make_inline_policy(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    policy, roles = given["PolicyName"], given["Roles"]
    for role in roles:
        _put_policy(account, role, policy, given["PolicyDocument"])
        account.lent.add((role, policy))
    return Physical(name, {"Id": name, "policy": policy, "roles": ",".join(roles)})


def _change_inline_policy(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_inline_policy(account, made.id, given, tags)


def _remove_inline_policy(account: Account, made: Physical) -> None:
    policy = made.attributes["policy"]
    for role in made.attributes["roles"].split(","):
        account.lent.discard((role, policy))
        account.iam.policies.get(role, {}).pop(policy, None)


def _make_parameter(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    asked = {"Name": name} | given | ({"Tags": pairs_of(tags)} if tags else {})
    params = checked(codecs.SSM, "PutParameter", asked)
    account.ssm.put_parameter(params, INSIDE)
    return Physical(params["Name"], {"Type": params["Type"], "Value": params["Value"]})


def _change_parameter(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    params = checked(codecs.SSM, "PutParameter", {"Name": made.id, "Overwrite": True} | given)
    account.ssm.put_parameter(params, INSIDE)
    kept = account.ssm.tags_of(made.id)
    kept.clear()
    kept.update(tags)


def _remove_parameter(account: Account, made: Physical) -> None:
    if account.ssm.value(made.id) is not None:
        account.ssm.delete_parameter({"Name": made.id}, INSIDE)


def _make_metadata(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    return Physical(name)


def _remove_metadata(account: Account, made: Physical) -> None:
    """Of the CDK's record about itself nothing is kept anywhere."""


# SageMaker


def _make_model(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = checked(
        codecs.SAGEMAKER, "CreateModel", {"ModelName": short(name, _NAME_MAX)} | given | {"Tags": pairs_of(tags)}
    )
    arn = account.sagemaker.create_model(params, INSIDE)["ModelArn"]
    return Physical(arn, {"ModelName": params["ModelName"], "ModelArn": arn})


def _set_tags(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    """Of a resource of SageMaker, whose id is its ARN: of most, all else is replaced."""
    account.sagemaker.tags.pop(made.id, None)
    if tags:
        account.sagemaker.tags[made.id] = dict(tags)


def _remove_model(account: Account, made: Physical) -> None:
    if (name := made.attributes["ModelName"]) in account.sagemaker.models:
        account.sagemaker.delete_model({"ModelName": name}, INSIDE)


def _make_config(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = checked(
        codecs.SAGEMAKER,
        "CreateEndpointConfig",
        {"EndpointConfigName": short(name, _NAME_MAX)} | given | {"Tags": pairs_of(tags)},
    )
    arn = account.sagemaker.create_endpoint_config(params, INSIDE)["EndpointConfigArn"]
    return Physical(arn, {"EndpointConfigName": params["EndpointConfigName"], "EndpointConfigArn": arn})


def _remove_config(account: Account, made: Physical) -> None:
    if (name := made.attributes["EndpointConfigName"]) in account.sagemaker.configs:
        account.sagemaker.delete_endpoint_config({"EndpointConfigName": name}, INSIDE)


def _make_endpoint(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    asked = {key: value for key, value in given.items() if key != "RetainAllVariantProperties"}
    params = checked(
        codecs.SAGEMAKER, "CreateEndpoint", {"EndpointName": short(name, _NAME_MAX)} | asked | {"Tags": pairs_of(tags)}
    )
    arn = account.sagemaker.create_endpoint(params, INSIDE)["EndpointArn"]
    return Physical(arn, {"EndpointName": params["EndpointName"], "EndpointArn": arn})


def _change_endpoint(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _set_tags(account, made, given, tags)
    name = made.attributes["EndpointName"]
    if account.sagemaker.hosting.endpoints[name].config["EndpointConfigName"] != given["EndpointConfigName"]:
        params = {"EndpointName": name} | given
        account.sagemaker.update_endpoint(checked(codecs.SAGEMAKER, "UpdateEndpoint", params), INSIDE)


def _endpoint_trouble(account: Account, made: Physical) -> str | None:
    hosted = account.sagemaker.hosting.endpoints.get(made.attributes["EndpointName"])
    if hosted is None:
        return "The endpoint was deleted meanwhile."
    if hosted.failure:
        return f"Resource handler returned message: {hosted.failure}"
    return "" if hosted.status == "InService" else None


def _remove_endpoint(account: Account, made: Physical) -> None:
    if (name := made.attributes["EndpointName"]) in account.sagemaker.hosting.endpoints:
        account.sagemaker.delete_endpoint({"EndpointName": name}, INSIDE)


# scaling


def _make_target(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    asked = {key: value for key, value in given.items() if key != "ScheduledActions"}
    params = checked(codecs.AUTOSCALING, "RegisterScalableTarget", asked)
    account.scaling.register_scalable_target(params, INSIDE)
    _schedule(account, {key: params[key] for key in _SCALED}, given.get("ScheduledActions", []))
    return Physical("|".join(params[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace")))


def _schedule(account: Account, target: Params, actions: list[Params]) -> None:
    """Give a target these scheduled actions instead of those that it was made with before."""
    before = account.scheduled.pop(target["ResourceId"], set())
    for name in sorted(before - {one["ScheduledActionName"] for one in actions}):
        account.scaling.delete_scheduled_action(target | {"ScheduledActionName": name}, INSIDE)
    for one in actions:
        params = checked(codecs.AUTOSCALING, "PutScheduledAction", target | one)
        account.scaling.put_scheduled_action(params, INSIDE)
        account.scheduled.setdefault(target["ResourceId"], set()).add(params["ScheduledActionName"])


def _change_target(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_target(account, "", given, tags)


def _target_of(scaling_target_id: str) -> Params:
    resource, dimension, namespace = scaling_target_id.split("|")
    return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}


def _remove_target(account: Account, made: Physical) -> None:
    target = _target_of(made.id)
    account.scheduled.pop(target["ResourceId"], None)
    if account.scaling.scaler.describe_targets([target["ResourceId"]]):
        account.scaling.deregister_scalable_target(target, INSIDE)


def _make_policy(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    asked = dict(given)
    if "ScalingTargetId" in asked:
        asked |= _target_of(asked.pop("ScalingTargetId"))
    params = checked(codecs.AUTOSCALING, "PutScalingPolicy", asked)
    put = account.scaling.put_scaling_policy(params, INSIDE)
    return Physical(put["PolicyARN"], {"Arn": put["PolicyARN"], "PolicyName": params["PolicyName"]} | _scaled(params))


def _scaled(params: Params) -> dict[str, str]:
    return {key: params[key] for key in _SCALED}


def _change_policy(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_policy(account, "", given, tags)


def _remove_policy(account: Account, made: Physical) -> None:
    resource, name = made.attributes["ResourceId"], made.attributes["PolicyName"]
    if account.scaling.scaler.describe_policies(resource, [name]):
        account.scaling.delete_scaling_policy(_scaled(dict(made.attributes)) | {"PolicyName": name}, INSIDE)


def _make_alarm(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = checked(codecs.CLOUDWATCH, "PutMetricAlarm", {"AlarmName": name} | given | {"Tags": pairs_of(tags)})
    account.alarms.put_metric_alarm(params, INSIDE)
    return Physical(params["AlarmName"], {"Arn": alarm_arn(account.alarms.site, params["AlarmName"])})


def _change_alarm(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    _make_alarm(account, made.id, given, tags)


def _remove_alarm(account: Account, made: Physical) -> None:
    if account.alarms.book.get(made.id) is not None:
        account.alarms.delete_alarms({"AlarmNames": [made.id]}, INSIDE)


_ALARM = (
    "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions "
    "EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions "
    "MetricName Metrics Namespace OKActions Period Statistic Threshold "
    "TreatMissingData Unit Tags"
)
_MODEL = (
    "ModelName ExecutionRoleArn PrimaryContainer Containers EnableNetworkIsolation InferenceExecutionConfig VpcConfig "
    "Tags"
)
_CONFIG = "EndpointConfigName ProductionVariants AsyncInferenceConfig"
_POLICY = (
    "PolicyName PolicyType ScalingTargetId ServiceNamespace ResourceId ScalableDimension "
    "TargetTrackingScalingPolicyConfiguration StepScalingPolicyConfiguration"
)
_TARGET = (
    "ServiceNamespace ScalableDimension ResourceId MinCapacity MaxCapacity SuspendedState RoleARN ScheduledActions"
)
_BUCKET = (
    "BucketName BucketEncryption PublicAccessBlockConfiguration OwnershipControls LifecycleConfiguration "
    "VersioningConfiguration Tags"
)
_ROLE = "RoleName AssumeRolePolicyDocument Policies ManagedPolicyArns Description Path MaxSessionDuration Tags"


_Make = Callable[[Account, str, Params, Tags], Physical]
_Remove = Callable[[Account, Physical], None]
_ChangeInPlace = Callable[[Account, Physical, Params, Tags], None]


def _kind(
    names: str, make: _Make, remove: _Remove, change: _ChangeInPlace | None = None, *, replaced_by: str = ""
) -> Kind:
    return Kind(frozenset(names.split()), make, remove, change, frozenset(replaced_by.split()))


KINDS: dict[str, Kind] = messaging.KINDS | {
    "AWS::S3::Bucket": _kind(_BUCKET, _make_bucket, _remove_bucket, _change_bucket, replaced_by="BucketName"),
    "AWS::S3::BucketPolicy": _kind(
        "Bucket PolicyDocument", _make_bucket_policy, _remove_bucket_policy, _change_bucket_policy, replaced_by="Bucket"
    ),
    "AWS::IAM::Role": _kind(
        _ROLE,
        _make_role,
        _remove_role,
        _change_role,
        replaced_by="RoleName AssumeRolePolicyDocument Description Path MaxSessionDuration",
    ),
    "AWS::IAM::Policy": _kind(
        "PolicyName PolicyDocument Roles",
        _make_inline_policy,
        _remove_inline_policy,
        _change_inline_policy,
        replaced_by="PolicyName Roles",
    ),
    "AWS::SSM::Parameter": _kind(
        "Name Type Value Description Tier DataType AllowedPattern Tags",
        _make_parameter,
        _remove_parameter,
        _change_parameter,
        replaced_by="Name",
    ),
    "AWS::CDK::Metadata": _kind("Analytics", _make_metadata, _remove_metadata),
    "AWS::SageMaker::Model": _kind(
        _MODEL, _make_model, _remove_model, _set_tags, replaced_by=_MODEL.removesuffix(" Tags")
    ),
    "AWS::SageMaker::EndpointConfig": _kind(
        f"{_CONFIG} Tags", _make_config, _remove_config, _set_tags, replaced_by=_CONFIG
    ),
    "AWS::SageMaker::Endpoint": Kind(
        frozenset({"EndpointName", "EndpointConfigName", "RetainAllVariantProperties", "Tags"}),
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
CALLS: dict[str, Calls] = messaging.CALLS | {
    "AWS::S3::Bucket": Calls("s3:CreateBucket", "s3:DeleteBucket"),
    "AWS::S3::BucketPolicy": Calls("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketPolicy"),
    "AWS::IAM::Role": Calls("iam:CreateRole", "iam:DeleteRole", "iam:PutRolePolicy"),
    "AWS::IAM::Policy": Calls("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePolicy"),
    "AWS::SSM::Parameter": Calls("ssm:PutParameter", "ssm:DeleteParameter", "ssm:PutParameter"),
    "AWS::CDK::Metadata": Calls("", ""),
    "AWS::SageMaker::Model": Calls("sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:AddTags"),
    "AWS::SageMaker::EndpointConfig": Calls(
        "sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig", "sagemaker:AddTags"
    ),
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
