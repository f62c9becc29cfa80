"""The CloudFormation template of a benchmark stack: bucket, role, topics, model, endpoint, scaling.

Names: model and configuration have none, because both can only be replaced, and a replacement must not collide with
what it replaces. The endpoint has one, so that it keeps it through every update. The order of making and of deletion
follows from the references alone.
"""

from typing import Any

from smbench.scenario.deploy import Deploy, DeployedProvisionedScaling, DeployedScaling

Resource = dict[str, Any]
Template = dict[str, Any]

TAG = "smbench:stack"
VARIANT = "AllTraffic"
INPUTS, OUTPUTS, FAILURES, MODELS = "smbench-inputs", "async-outputs", "async-failures", "models"
_ENDPOINT_DIMENSION = [{"Name": "EndpointName", "Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}}]


def stack_name(name: str) -> str:
    """The stack's name, and its endpoint's: `smbench-NAME`."""
    return f"smbench-{name}"


def template(name: str, deploy: Deploy, artifact_key: str | None = None) -> Template:
    """The whole stack.

    Args:
        name: As `is_stack_name` wants it.
        artifact_key: Key of the packed model in the stack's own bucket; None where no folder is packed.
    """
    resources: dict[str, Resource] = {**_store(), **_hosting(name, deploy, artifact_key)}
    if deploy.kind == "async":
        resources |= {"SuccessTopic": {"Type": "AWS::SNS::Topic"}, "ErrorTopic": {"Type": "AWS::SNS::Topic"}}
    if (scaling := deploy.scales) is not None:
        resources |= _scaling(name, deploy, scaling)
    if (provisioned := deploy.scales_provisioned) is not None:
        resources |= _provisioned_scaling(name, provisioned)
    outputs = {
        "EndpointName": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
        "EndpointKind": {"Value": deploy.kind},
        "BucketName": {"Value": {"Ref": "Bucket"}},
    }
    return _document(f"smbench: an endpoint to benchmark ({deploy.kind})", resources, outputs)


def store_template() -> Template:
    """The bucket alone: what must be there before a packed model can be uploaded."""
    return _document("smbench: the bucket of a benchmark", _store(), {"BucketName": {"Value": {"Ref": "Bucket"}}})


def _document(description: str, resources: dict[str, Resource], outputs: dict[str, Any]) -> Template:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Resources": resources,
        "Outputs": outputs,
    }


def _store() -> dict[str, Resource]:
    bucket = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {
            "Rules": [
                {"Id": "inputs", "Status": "Enabled", "Prefix": f"{INPUTS}/", "ExpirationInDays": 30},
                {"Id": "outputs", "Status": "Enabled", "Prefix": "async-", "ExpirationInDays": 30},
                {
                    "Id": "parts",
                    "Status": "Enabled",
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                },
                {  # a version costs as much as an object: what was deleted or replaced can be had back for a day
                    "Id": "versions",
                    "Status": "Enabled",
                    "ExpiredObjectDeleteMarker": True,
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                },
            ]
        },
    }
    denied = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket},
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [denied]},
            },
        },
    }


# the endpoint


def _hosting(name: str, deploy: Deploy, artifact_key: str | None) -> dict[str, Resource]:
    made: dict[str, Resource] = {}
    if deploy.model.name is None:
        made["Role"] = _role(name, deploy)
        made["Model"] = _model(deploy, artifact_key)
    config: dict[str, Any] = {"ProductionVariants": [_variant(deploy)]}
    if deploy.kind == "async":
        config["AsyncInferenceConfig"] = _asynchronous(deploy)
    endpoint: dict[str, Any] = {
        "EndpointName": stack_name(name),
        "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]},
    }
    if deploy.scales is not None:
        endpoint["RetainAllVariantProperties"] = True  # else an update sets the count that scaling has chosen back
    return made | {
        "EndpointConfig": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config},
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": endpoint},
    }


def _model(deploy: Deploy, artifact_key: str | None) -> Resource:
    model = deploy.model
    container: dict[str, Any] = {"Image": model.image}
    if artifact_key is not None:
        container["ModelDataUrl"] = {"Fn::Sub": f"s3://${{Bucket}}/{artifact_key}"}
    elif model.artifact is not None:
        container["ModelDataUrl"] = model.artifact
    if model.environment:
        container["Environment"] = dict(model.environment)
    return {
        "Type": "AWS::SageMaker::Model",
        "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "PrimaryContainer": container},
    }


def _variant(deploy: Deploy) -> dict[str, Any]:
    named = deploy.model.name
    variant: dict[str, Any] = {
        "VariantName": VARIANT,
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]} if named is None else named,
        "InitialVariantWeight": 1.0,
    }
    if deploy.kind == "serverless":
        return variant | {"ServerlessConfig": _serverless(deploy)}
    variant |= {"InstanceType": deploy.instance, "InitialInstanceCount": deploy.instances}
    return variant if deploy.routing is None else variant | {"RoutingConfig": {"RoutingStrategy": deploy.routing}}


def _serverless(deploy: Deploy) -> dict[str, int]:
    wanted = deploy.serverless
    if wanted is None:
        return {"MemorySizeInMB": 2048, "MaxConcurrency": 20}
    config = {"MemorySizeInMB": wanted.memory, "MaxConcurrency": wanted.max_concurrency}
    return config | ({"ProvisionedConcurrency": wanted.provisioned} if wanted.provisioned else {})


def _asynchronous(deploy: Deploy) -> dict[str, Any]:
    notification: dict[str, Any] = {"SuccessTopic": {"Ref": "SuccessTopic"}, "ErrorTopic": {"Ref": "ErrorTopic"}}
    if deploy.include_response:
        notification["IncludeInferenceResponseIn"] = ["SUCCESS_NOTIFICATION_TOPIC"]
    config: dict[str, Any] = {
        "OutputConfig": {
            "S3OutputPath": {"Fn::Sub": f"s3://${{Bucket}}/{OUTPUTS}"},
            "S3FailurePath": {"Fn::Sub": f"s3://${{Bucket}}/{FAILURES}"},
            "NotificationConfig": notification,
        }
    }
    if deploy.concurrency is not None:
        config["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": deploy.concurrency}
    return config


# who the endpoint is


def _role(name: str, deploy: Deploy) -> Resource:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    # Inline, so that the role never exists without it: the model needs both, and refers to the role alone.
    allowed = {
        "PolicyName": "endpoint",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": _allowed(name, deploy)},
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [allowed],
        },
    }


def _allowed(name: str, deploy: Deploy) -> list[dict[str, Any]]:
    logs = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/Endpoints/"
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
            "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
        },
        {
            "Sid": "Bucket",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]},
        },
        {"Sid": "Image", "Effect": "Allow", "Action": _PULL, "Resource": "*"},
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": {"Fn::Sub": f"{logs}{stack_name(name)}*"},
        },
        {
            "Sid": "Metrics",
            "Effect": "Allow",
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        },
    ]
    if deploy.model.artifact is not None:
        key = deploy.model.artifact.removeprefix("s3://")
        artifact = {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{key}"}
        statements.append({"Sid": "Artifact", "Effect": "Allow", "Action": "s3:GetObject", "Resource": artifact})
    if deploy.kind == "async":
        topics = [{"Ref": "SuccessTopic"}, {"Ref": "ErrorTopic"}]
        statements.append({"Sid": "Notices", "Effect": "Allow", "Action": "sns:Publish", "Resource": topics})
    return statements


_PULL = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
]


# how it scales


def _scaling(name: str, deploy: Deploy, scaling: DeployedScaling) -> dict[str, Resource]:
    made = {
        "ScalableTarget": _target("sagemaker:variant:DesiredInstanceCount", scaling),
        "TrackingPolicy": _tracking(name, _tracked(deploy), scaling),
    }
    if deploy.kind == "async" and scaling.min == 0:
        made |= _waking(name, scaling)
    return made


def _provisioned_scaling(name: str, scaling: DeployedProvisionedScaling) -> dict[str, Resource]:
    tracked = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
    return {
        "ScalableTarget": _target("sagemaker:variant:DesiredProvisionedConcurrency", scaling),
        "TrackingPolicy": _tracking(name, {"PredefinedMetricSpecification": tracked}, scaling),
    }


def _target(dimension: str, scaling: DeployedScaling | DeployedProvisionedScaling) -> Resource:
    target = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": dimension,
        "ResourceId": {"Fn::Sub": f"endpoint/${{Endpoint.EndpointName}}/variant/{VARIANT}"},
        "MinCapacity": scaling.min,
        "MaxCapacity": scaling.max,
    }
    return {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": target}


def _tracked(deploy: Deploy) -> dict[str, Any]:
    if deploy.kind != "async":
        return {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    return {
        "CustomizedMetricSpecification": {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": _ENDPOINT_DIMENSION,
            "Statistic": "Average",
        }
    }


def _tracking(name: str, tracked: dict[str, Any], scaling: DeployedScaling | DeployedProvisionedScaling) -> Resource:
    configuration = tracked | {
        "TargetValue": scaling.target,
        "ScaleOutCooldown": int(scaling.out_cooldown),
        "ScaleInCooldown": int(scaling.in_cooldown),
    }
    return _policy(
        f"{stack_name(name)}-tracking",
        {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration},
    )


def _waking(name: str, scaling: DeployedScaling) -> dict[str, Resource]:
    """Target tracking cannot leave zero: the backlog per instance has no value there. A step of one can."""
    steps = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Average",
        "Cooldown": int(scaling.wake_cooldown),
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }
    alarm = {
        "AlarmDescription": "requests wait and there is no instance",
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": _ENDPOINT_DIMENSION,
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "DatapointsToAlarm": 2,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "AlarmActions": [{"Ref": "WakePolicy"}],
    }
    policy = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": steps}
    return {
        "WakePolicy": _policy(f"{stack_name(name)}-wake", policy),
        "WakeAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }


def _policy(name: str, properties: dict[str, Any]) -> Resource:
    named = {"PolicyName": name, "ScalingTargetId": {"Ref": "ScalableTarget"}}
    return {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": named | properties}
