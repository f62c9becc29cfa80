"""A walk through every operation the emulator knows, as data: calls in an order in which each makes sense.

Needs nothing but the standard library, so that a script in another environment can walk it with its own SDK.
The walk expects a scenario's own endpoint, with one instance in service, a minute for provisioning, and a quota.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REGION, ACCOUNT = "us-east-1", "123456789012"
EMBEDDED = "smbench-emulated"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/sagemaker"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:tour"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tour"
QUEUE_POLICY = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": QUEUE_ARN,
                "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
            }
        ]
    }
)
REDRIVE = json.dumps({"deadLetterTargetArn": QUEUE_ARN, "maxReceiveCount": 5})
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/tour/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
METRIC = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "ApproximateBacklogSize",
    "Dimensions": [{"Name": "EndpointName", "Value": EMBEDDED}],
}
TAGS = [{"Key": "made-by", "Value": "tour"}]
QUOTA = {"faults": {"instance_quota": 100}}  # without one the emulator lists none

Kept = dict[str, Any]
Params = dict[str, Any] | Callable[[Kept], dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """One call. Its reply is kept under `keep` for the parameters of later ones."""

    service: str  # botocore's name
    operation: str
    params: Params
    keep: str = ""

    def arguments(self, kept: Kept) -> dict[str, Any]:
        return self.params(kept) if callable(self.params) else dict(self.params)


@dataclass(frozen=True)
class Wait:
    """Scenario time that must pass."""

    seconds: float


def _config(name: str) -> dict[str, Any]:
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": "AllTraffic",
                "ModelName": "tour",
                "InstanceType": "ml.m5.xlarge",
                "InitialInstanceCount": 1,
            }
        ],
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
            "OutputConfig": {
                "S3OutputPath": "s3://tour/out",
                "S3FailurePath": "s3://tour/failed",
                "NotificationConfig": {
                    "SuccessTopic": TOPIC,
                    "ErrorTopic": TOPIC,
                    "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
                },
            },
        },
        "Tags": TAGS,
    }


def _queue(**more: Any) -> Callable[[Kept], dict[str, Any]]:
    return lambda kept: {"QueueUrl": kept["queue"]["QueueUrl"]} | more


def _receipt(kept: Kept, place: int) -> str:
    return str(kept["received"]["Messages"][place]["ReceiptHandle"])


def _upload(**more: Any) -> Callable[[Kept], dict[str, Any]]:
    return lambda kept: {"Bucket": "tour", "Key": "big", "UploadId": kept["upload"]["UploadId"]} | more


S3 = (
    Call("s3", "CreateBucket", {"Bucket": "tour"}),
    Call("s3", "HeadBucket", {"Bucket": "tour"}),
    Call("s3", "GetBucketLocation", {"Bucket": "tour"}),
    Call("s3", "ListBuckets", {}),
    Call("s3", "PutObject", {"Bucket": "tour", "Key": "in/a.json", "Body": b"{}", "ContentType": "application/json"}),
    Call("s3", "CopyObject", {"Bucket": "tour", "Key": "in/b.json", "CopySource": "tour/in/a.json"}),
    Call("s3", "GetObject", {"Bucket": "tour", "Key": "in/a.json", "Range": "bytes=0-0"}),
    Call("s3", "HeadObject", {"Bucket": "tour", "Key": "in/b.json"}),
    Call("s3", "ListObjectsV2", {"Bucket": "tour", "Prefix": "in", "Delimiter": "/"}),
    Call("s3", "DeleteObject", {"Bucket": "tour", "Key": "in/b.json"}),
    Call("s3", "CreateMultipartUpload", {"Bucket": "tour", "Key": "big"}, keep="upload"),
    Call("s3", "ListMultipartUploads", {"Bucket": "tour"}),
    Call("s3", "UploadPart", _upload(PartNumber=1, Body=b"x"), keep="part"),
    Call("s3", "ListParts", _upload()),
    Call(
        "s3",
        "CompleteMultipartUpload",
        lambda kept: _upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": kept["part"]["ETag"]}]})(kept),
    ),
    Call("s3", "CreateMultipartUpload", {"Bucket": "tour", "Key": "big"}, keep="upload"),
    Call("s3", "AbortMultipartUpload", _upload()),
)

QUEUES = (
    Call(
        "sqs",
        "CreateQueue",
        {"QueueName": "tour", "Attributes": {"Policy": QUEUE_POLICY}, "tags": {"made-by": "tour"}},
        keep="queue",
    ),
    Call("sqs", "GetQueueUrl", {"QueueName": "tour"}),
    Call("sqs", "GetQueueAttributes", _queue(AttributeNames=["All"])),
    Call("sqs", "SetQueueAttributes", _queue(Attributes={"VisibilityTimeout": "60"})),
    Call("sqs", "ListQueues", {"QueueNamePrefix": "to"}),
    Call("sqs", "AddPermission", _queue(Label="tour", AWSAccountIds=[ACCOUNT], Actions=["SendMessage"])),
    Call("sqs", "RemovePermission", _queue(Label="tour")),
    Call("sqs", "CreateQueue", {"QueueName": "source", "Attributes": {"RedrivePolicy": REDRIVE}}, keep="source"),
    Call("sqs", "ListDeadLetterSourceQueues", _queue()),
    Call("sqs", "StartMessageMoveTask", {"SourceArn": QUEUE_ARN}),
    Call("sqs", "ListMessageMoveTasks", {"SourceArn": QUEUE_ARN}),
    Call("sqs", "DeleteQueue", lambda kept: {"QueueUrl": kept["source"]["QueueUrl"]}),
    Call("sqs", "TagQueue", _queue(Tags={"more": "1"})),
    Call("sqs", "ListQueueTags", _queue()),
    Call("sqs", "UntagQueue", _queue(TagKeys=["more"])),
    Call("sns", "CreateTopic", {"Name": "tour", "Tags": TAGS}),
    Call("sns", "ListTopics", {}),
    Call("sns", "GetTopicAttributes", {"TopicArn": TOPIC}),
    Call("sns", "SetTopicAttributes", {"TopicArn": TOPIC, "AttributeName": "DisplayName", "AttributeValue": "tour"}),
    Call("sns", "TagResource", {"ResourceArn": TOPIC, "Tags": [{"Key": "more", "Value": "1"}]}),
    Call("sns", "ListTagsForResource", {"ResourceArn": TOPIC}),
    Call("sns", "UntagResource", {"ResourceArn": TOPIC, "TagKeys": ["more"]}),
    Call("sns", "Subscribe", {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE_ARN}, keep="subscription"),
    Call("sns", "ListSubscriptions", {}),
    Call("sns", "ListSubscriptionsByTopic", {"TopicArn": TOPIC}),
    Call(
        "sns",
        "SetSubscriptionAttributes",
        lambda kept: {
            "SubscriptionArn": kept["subscription"]["SubscriptionArn"],
            "AttributeName": "RawMessageDelivery",
            "AttributeValue": "true",
        },
    ),
    Call(
        "sns",
        "GetSubscriptionAttributes",
        lambda kept: {"SubscriptionArn": kept["subscription"]["SubscriptionArn"]},
    ),
    Call("sns", "Publish", {"TopicArn": TOPIC, "Message": "hello", "Subject": "tour"}),
    Call("sns", "PublishBatch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "1", "Message": "again"}]}),
    Call("sqs", "SendMessage", _queue(MessageBody="mine")),
    Call("sqs", "SendMessageBatch", _queue(Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(3)])),
    Call("sqs", "ReceiveMessage", _queue(MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]), keep="received"),
    Call(
        "sqs",
        "ChangeMessageVisibility",
        lambda kept: _queue(ReceiptHandle=_receipt(kept, 0), VisibilityTimeout=90)(kept),
    ),
    Call(
        "sqs",
        "ChangeMessageVisibilityBatch",
        lambda kept: _queue(Entries=[{"Id": "1", "ReceiptHandle": _receipt(kept, 1), "VisibilityTimeout": 90}])(kept),
    ),
    Call("sqs", "DeleteMessage", lambda kept: _queue(ReceiptHandle=_receipt(kept, 0))(kept)),
    Call(
        "sqs",
        "DeleteMessageBatch",
        lambda kept: _queue(Entries=[{"Id": "1", "ReceiptHandle": _receipt(kept, 1)}])(kept),
    ),
    Call("sqs", "PurgeQueue", _queue()),
    Call("sts", "GetCallerIdentity", {}),
    Call("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "tour"}),
    Call(
        "sts",
        "AssumeRoleWithWebIdentity",
        {"RoleArn": ROLE, "RoleSessionName": "tour", "WebIdentityToken": "header.payload.signature"},
    ),
    Call("sts", "GetSessionToken", {}),
)

ENDPOINT = (
    Call(
        "sagemaker",
        "CreateModel",
        {"ModelName": "tour", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "repository:1"}, "Tags": TAGS},
    ),
    Call("sagemaker", "DescribeModel", {"ModelName": "tour"}),
    Call("sagemaker", "ListModels", {}),
    Call("sagemaker", "CreateEndpointConfig", _config("tour")),
    Call("sagemaker", "CreateEndpointConfig", _config("tour-2")),
    Call("sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": "tour"}),
    Call("sagemaker", "ListEndpointConfigs", {}),
    Call("sagemaker", "CreateEndpoint", {"EndpointName": "tour", "EndpointConfigName": "tour", "Tags": TAGS}),
    Call("sagemaker", "DescribeEndpoint", {"EndpointName": "tour"}),
    Wait(70.0),
    Call("sagemaker", "ListEndpoints", {"StatusEquals": "InService"}),
    Call(
        "sagemaker",
        "AddTags",
        {
            "ResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/tour",
            "Tags": [{"Key": "more", "Value": "1"}],
        },
    ),
    Call("sagemaker", "ListTags", {"ResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/tour"}),
    Call(
        "sagemaker",
        "DeleteTags",
        {"ResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/tour", "TagKeys": ["more"]},
    ),
    Call(
        "sagemaker-runtime",
        "InvokeEndpointAsync",
        {"EndpointName": "tour", "InputLocation": "s3://tour/in/a.json", "ContentType": "application/json"},
    ),
    Call(
        "sagemaker",
        "UpdateEndpointWeightsAndCapacities",
        {
            "EndpointName": "tour",
            "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}],
        },
    ),
    Call("sagemaker", "DescribeEndpoint", {"EndpointName": "tour"}),
    Wait(70.0),
    Call(
        "sagemaker",
        "UpdateEndpoint",
        {"EndpointName": "tour", "EndpointConfigName": "tour-2", "RetainAllVariantProperties": True},
    ),
    Call("sagemaker", "DescribeEndpoint", {"EndpointName": "tour"}),
    Wait(70.0),
)

SCALING = (
    Call("application-autoscaling", "RegisterScalableTarget", TARGET | {"MinCapacity": 3, "MaxCapacity": 4}, "target"),
    Call(
        "application-autoscaling",
        "TagResource",
        lambda kept: {"ResourceARN": kept["target"]["ScalableTargetARN"], "Tags": {"team": "a", "stage": "b"}},
    ),
    Call(
        "application-autoscaling",
        "UntagResource",
        lambda kept: {"ResourceARN": kept["target"]["ScalableTargetARN"], "TagKeys": ["stage", "gone"]},
    ),
    Call(
        "application-autoscaling",
        "ListTagsForResource",
        lambda kept: {"ResourceARN": kept["target"]["ScalableTargetARN"]},
    ),
    Call("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "sagemaker"}),
    Call(
        "application-autoscaling",
        "PutScalingPolicy",
        TARGET
        | {
            "PolicyName": "tracking",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 5.0,
                "CustomizedMetricSpecification": {
                    "MetricName": "ApproximateBacklogSizePerInstance",
                    "Namespace": "AWS/SageMaker",
                    "Dimensions": [{"Name": "EndpointName", "Value": "tour"}],
                    "Statistic": "Average",
                },
            },
        },
    ),
    Call(
        "application-autoscaling",
        "PutScalingPolicy",
        TARGET
        | {
            "PolicyName": "wake",
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
                "Cooldown": 300,
            },
        },
        keep="policy",
    ),
    Call("application-autoscaling", "DescribeScalingPolicies", {"ServiceNamespace": "sagemaker"}),
    Call(
        "application-autoscaling",
        "PutScheduledAction",
        TARGET
        | {
            "ScheduledActionName": "night",
            "Schedule": "cron(0 22 ? * MON-FRI *)",
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 4},
        },
    ),
    Call("application-autoscaling", "DescribeScheduledActions", {"ServiceNamespace": "sagemaker"}),
    Call("application-autoscaling", "DeleteScheduledAction", TARGET | {"ScheduledActionName": "night"}),
    Wait(70.0),
    Call("application-autoscaling", "DescribeScalingActivities", {"ServiceNamespace": "sagemaker"}, keep="activities"),
)

WATCHING = (
    Call(
        "cloudwatch",
        "PutMetricData",
        {"Namespace": "Tour", "MetricData": [{"MetricName": "M", "Value": 2.5, "Unit": "Seconds"}]},
    ),
    Call(
        "cloudwatch",
        "PutMetricAlarm",
        lambda kept: {
            "AlarmName": "tour",
            "Namespace": "Tour",
            "MetricName": "M",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 1,
            "Threshold": 1.5,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [kept["policy"]["PolicyARN"]],
            "TreatMissingData": "missing",
        },
    ),
    Wait(121.0),
    Call("cloudwatch", "ListMetrics", {"Namespace": "AWS/SageMaker"}, keep="metrics"),
    Call(
        "cloudwatch",
        "GetMetricData",
        lambda kept: {
            "MetricDataQueries": [
                {"Id": "m1", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Average"}},
                {"Id": "e1", "Expression": "FILL(m1, 0) + 1", "Label": "one more"},
            ],
            "StartTime": kept["start"],
            "EndTime": kept["end"],
        },
        keep="data",
    ),
    Call(
        "cloudwatch",
        "GetMetricStatistics",
        lambda kept: (
            METRIC
            | {
                "StartTime": kept["start"],
                "EndTime": kept["end"],
                "Period": 60,
                "Statistics": ["Average", "SampleCount"],
            }
        ),
        keep="statistics",
    ),
    Call("cloudwatch", "DescribeAlarms", {}, keep="alarms"),
    Call("cloudwatch", "DescribeAlarmsForMetric", {"Namespace": "Tour", "MetricName": "M"}),
    Call("cloudwatch", "DisableAlarmActions", {"AlarmNames": ["tour"]}),
    Call("cloudwatch", "EnableAlarmActions", {"AlarmNames": ["tour"]}),
    Call(
        "cloudwatch",
        "SetAlarmState",
        {"AlarmName": "tour", "StateValue": "OK", "StateReason": "tour", "StateReasonData": '{"a":1}'},
    ),
    Call("cloudwatch", "DescribeAlarmHistory", {"AlarmName": "tour"}, keep="history"),
)

_BARE = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
_NAMED = {"InferenceComponentName": "tour"}
_COMPONENT = (
    Call(
        "sagemaker",
        "CreateEndpointConfig",
        {"EndpointConfigName": "bare", "ProductionVariants": [_BARE], "ExecutionRoleArn": ROLE},
    ),
    Call("sagemaker", "CreateEndpoint", {"EndpointName": "bare", "EndpointConfigName": "bare"}),
    Wait(61),
    Call(
        "sagemaker",
        "CreateInferenceComponent",
        _NAMED
        | {
            "EndpointName": "bare",
            "VariantName": "AllTraffic",
            "Specification": {"ModelName": "tour"},
            "RuntimeConfig": {"CopyCount": 1},
        },
    ),
    Call("sagemaker", "DescribeInferenceComponent", _NAMED),
    Call("sagemaker", "ListInferenceComponents", {"EndpointNameEquals": "bare", "SortBy": "Status"}),
    Wait(61),
    Call("sagemaker", "UpdateInferenceComponentRuntimeConfig", _NAMED | {"DesiredRuntimeConfig": {"CopyCount": 1}}),
    Call("sagemaker", "DeleteInferenceComponent", _NAMED),
)
_GROUP = {"logGroupName": f"/aws/sagemaker/Endpoints/{EMBEDDED}"}
_LOGS = (
    Call("logs", "DescribeLogGroups", {"logGroupNamePrefix": _GROUP["logGroupName"]}),
    Call("logs", "DescribeLogStreams", _GROUP, keep="streams"),
    Call("logs", "FilterLogEvents", _GROUP),
    Call(
        "logs",
        "GetLogEvents",
        lambda kept: _GROUP | {"logStreamName": kept["streams"]["logStreams"][0]["logStreamName"]},
    ),
)

HOME = (
    Call("cloudwatch", "DeleteAlarms", {"AlarmNames": ["tour"]}),
    Call("application-autoscaling", "DeleteScalingPolicy", TARGET | {"PolicyName": "wake"}),
    Call("application-autoscaling", "DeregisterScalableTarget", TARGET),
    Wait(70.0),  # what the alarm began on a slow machine is over: an endpoint that changes cannot be deleted
    Call("sagemaker", "DeleteEndpoint", {"EndpointName": "tour"}),
    Call("sagemaker", "DeleteEndpointConfig", {"EndpointConfigName": "tour"}),
    Call(
        "sagemaker",
        "CreateInferenceRecommendationsJob",
        {"JobName": "tour", "JobType": "Default", "RoleArn": ROLE, "InputConfig": {"ModelName": "tour"}},
    ),
    Call("sagemaker", "ListInferenceRecommendationsJobSteps", {"JobName": "tour"}),
    Call("sagemaker", "StopInferenceRecommendationsJob", {"JobName": "tour"}),
    Call("sagemaker", "DescribeInferenceRecommendationsJob", {"JobName": "tour"}),
    *_COMPONENT,
    *_LOGS,
    Call("sagemaker", "DeleteModel", {"ModelName": "tour"}),
    Call("sns", "Unsubscribe", lambda kept: {"SubscriptionArn": kept["subscription"]["SubscriptionArn"]}),
    Call("sns", "DeleteTopic", {"TopicArn": TOPIC}),
    Call("sqs", "DeleteQueue", _queue()),
    Call("s3", "ListObjectsV2", {"Bucket": "tour"}, keep="objects"),
    Call(
        "s3",
        "DeleteObjects",
        lambda kept: {
            "Bucket": "tour",
            "Delete": {"Objects": [{"Key": each["Key"]} for each in kept["objects"]["Contents"]]},
        },
    ),
    Call("s3", "DeleteBucket", {"Bucket": "tour"}),
)

STACK = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
OTHER_STACK = json.dumps({"Resources": {"Other": {"Type": "AWS::SNS::Topic"}}})
EXPORTING_STACK = json.dumps(
    json.loads(STACK) | {"Outputs": {"Topic": {"Value": {"Ref": "Topic"}, "Export": {"Name": "tour"}}}}
)
IMPORTING_STACK = json.dumps(json.loads(STACK) | {"Outputs": {"Topic": {"Value": {"Fn::ImportValue": "tour"}}}})
ROLE_POLICY = {"RoleName": "tour", "PolicyName": "tour"}
MANAGED = {"RoleName": "tour", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"}
NAMED = {"StackName": "tour", "ChangeSetName": "tour"}
WHOLE = {"StackName": "whole"}
STACKS = (
    Call("iam", "CreateRole", {"RoleName": "tour", "AssumeRolePolicyDocument": "{}"}),
    Call("iam", "PutRolePolicy", ROLE_POLICY | {"PolicyDocument": "{}"}),
    Call("iam", "GetRole", {"RoleName": "tour"}),
    Call("iam", "GetRolePolicy", ROLE_POLICY),
    Call("iam", "ListRolePolicies", {"RoleName": "tour"}),
    Call("iam", "AttachRolePolicy", MANAGED),
    Call("iam", "ListAttachedRolePolicies", {"RoleName": "tour"}),
    Call("iam", "ListRoles", {}),
    Call("iam", "DetachRolePolicy", MANAGED),
    Call("iam", "DeleteRolePolicy", ROLE_POLICY),
    Call("iam", "DeleteRole", {"RoleName": "tour"}),
    Call("cloudformation", "ValidateTemplate", {"TemplateBody": STACK}),
    Call(
        "cloudformation",
        "CreateChangeSet",
        NAMED | {"ChangeSetType": "CREATE", "TemplateBody": STACK, "Tags": [{"Key": "tour", "Value": "1"}]},
    ),
    Call("cloudformation", "DescribeChangeSet", NAMED),
    Call("cloudformation", "ExecuteChangeSet", NAMED),
    Wait(60),
    Call("cloudformation", "DescribeStacks", {"StackName": "tour"}),
    Call("cloudformation", "DescribeStackEvents", {"StackName": "tour"}),
    Call("cloudformation", "DescribeStackResources", {"StackName": "tour"}),
    Call("cloudformation", "GetTemplate", {"StackName": "tour"}),
    Call("resourcegroupstaggingapi", "GetResources", {"TagFilters": [{"Key": "tour", "Values": ["1"]}]}),
    Call("cloudformation", "CreateChangeSet", NAMED | {"TemplateBody": OTHER_STACK}),
    Call("cloudformation", "DescribeChangeSet", NAMED),
    Call("cloudformation", "ListChangeSets", {"StackName": "tour"}),
    Call("cloudformation", "DeleteChangeSet", NAMED),
    Call("cloudformation", "DeleteStack", {"StackName": "tour"}),
    Wait(60),
    Call("cloudformation", "GetTemplateSummary", {"TemplateBody": EXPORTING_STACK}),
    Call("cloudformation", "CreateStack", WHOLE | {"TemplateBody": EXPORTING_STACK}),
    Wait(60),
    Call("cloudformation", "ListStacks", {}),
    Call("cloudformation", "ListStackResources", WHOLE),
    Call("cloudformation", "DescribeStackResource", WHOLE | {"LogicalResourceId": "Topic"}),
    Call("cloudformation", "ListExports", {}),
    Call("cloudformation", "CreateStack", {"StackName": "importing", "TemplateBody": IMPORTING_STACK}),
    Wait(30),
    Call("cloudformation", "ListImports", {"ExportName": "tour"}),
    Call("cloudformation", "DeleteStack", {"StackName": "importing"}),
    Wait(30),
    Call("ssm", "PutParameter", {"Name": "/tour/a", "Value": "1", "Type": "String", "Tags": TAGS}),
    Call("ssm", "GetParameter", {"Name": "/tour/a"}),
    Call("ssm", "GetParameters", {"Names": ["/tour/a", "/tour/b"]}),
    Call("ssm", "GetParametersByPath", {"Path": "/tour"}),
    Call("ssm", "DeleteParameters", {"Names": ["/tour/a", "/tour/b"]}),
    Call("ssm", "PutParameter", {"Name": "/tour/b", "Value": "1", "Type": "String"}),
    Call("ssm", "DeleteParameter", {"Name": "/tour/b"}),
    Call("service-quotas", "ListServiceQuotas", {"ServiceCode": "sagemaker"}, keep="quotas"),
    Call(
        "service-quotas",
        "GetServiceQuota",
        lambda kept: {"ServiceCode": "sagemaker", "QuotaCode": kept["quotas"]["Quotas"][0]["QuotaCode"]},
    ),
    Call("cloudformation", "UpdateTerminationProtection", WHOLE | {"EnableTerminationProtection": False}),
    Call("cloudformation", "UpdateStack", WHOLE | {"TemplateBody": OTHER_STACK}),
    Wait(60),
    Call("cloudformation", "DeleteStack", WHOLE),
    Wait(60),
)

TOUR: tuple[Call | Wait, ...] = (*S3, *QUEUES, *ENDPOINT, *SCALING, *WATCHING, *STACKS, *HOME)
CALLS = tuple(step for step in TOUR if isinstance(step, Call))
