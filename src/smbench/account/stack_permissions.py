"""The IAM policy for `smbench deploy` and `smbench destroy`: our own calls, and those that CloudFormation makes for us.

CloudFormation acts with the caller's permissions. What it calls for a type of resource is in the type's schema, under
`handlers`; a test holds this module against those.
"""

from collections.abc import Sequence

from smbench.account.statements import Document, Place, Statement, document, statement
from smbench.scenario.deploy import Deploy
from smbench.stack.template import MODELS, stack_name, template

_STACK = (
    "CreateChangeSet",
    "DeleteChangeSet",
    "DeleteStack",
    "DescribeChangeSet",
    "DescribeStackEvents",
    "DescribeStackResources",
    "DescribeStacks",
    "ExecuteChangeSet",
    "TagResource",
)
_LINKED_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_PASSING = "PassRole"

CALLED_FOR: dict[str, tuple[str, ...]] = {
    "AWS::S3::Bucket": (
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:ListBucket",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
    ),
    "AWS::S3::BucketPolicy": ("s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"),
    "AWS::SNS::Topic": ("sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:TagResource"),
    "AWS::IAM::Role": (
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:PutRolePolicy",
        "iam:TagRole",
        "iam:UntagRole",
    ),
    "AWS::SageMaker::Model": ("iam:PassRole", "sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"),
    "AWS::SageMaker::EndpointConfig": (
        "sagemaker:AddTags",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:DeleteEndpointConfig",
    ),
    "AWS::SageMaker::Endpoint": (
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        "sagemaker:DeleteEndpoint",
        "sagemaker:DescribeEndpoint",
        "sagemaker:UpdateEndpoint",
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScheduledActions",
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:TagResource",
        "iam:CreateServiceLinkedRole",
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:PutScalingPolicy",
        "cloudwatch:GetMetricData",
    ),
    "AWS::CloudWatch::Alarm": (
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
    ),
}
"""IAM actions by type of resource, for the properties that our template sets."""


def stack_policy(name: str | None, wanted: Deploy, place: Place) -> Document:
    """For the identity that runs `smbench deploy` and `smbench destroy`.

    Args:
        name: The benchmark's; None: any.
        wanted: What is deployed.
        place: Where.
    """
    return document(stack_statements(name, [wanted], place))


def stack_statements(name: str | None, each: Sequence[Deploy], place: Place) -> list[Statement]:
    """The same for stacks of several configurations, whose names the pattern `name` has."""
    named = stack_name(name or "*")
    below = named if name is None else f"{named}-*"  # CloudFormation adds the resource's name and some letters
    grouped: dict[tuple[str, str | tuple[str, ...]], list[str]] = {}
    for action in sorted(set[str]().union(*(_actions(name, wanted) for wanted in each))):
        grouped.setdefault(_about(action, place, named, below), []).append(action)
    return [_statement(sid, of, on) for (sid, on), of in grouped.items()]


def _actions(name: str | None, wanted: Deploy) -> set[str]:
    types = {one["Type"] for one in template(name or "any", wanted)["Resources"].values()}
    actions = {f"cloudformation:{one}" for one in _STACK} | {"s3:DeleteObjectVersion", "s3:ListBucketVersions"}
    if wanted.scales is not None:
        actions.add("sagemaker:DescribeEndpointConfig")  # before a change: the type of its instances
    if wanted.model.folder is not None:
        actions |= {"s3:GetObject", "s3:PutObject"}
    return (actions | {"tag:GetResources"}).union(*(CALLED_FOR[one] for one in types))


def _about(action: str, place: Place, named: str, below: str) -> tuple[str, str | tuple[str, ...]]:
    """What an action is done to, in a word and as ARNs that are as narrow as names are known beforehand."""
    service, _, operation = action.partition(":")
    match service, operation:
        case "cloudformation", _:
            return "Stack", place.arn(service, f"stack/{named}/*")
        case "s3", "GetObject" | "PutObject":
            return "Artifacts", place.s3(f"{below}/{MODELS}/*")
        case "s3", "DeleteObjectVersion":
            return "Objects", place.s3(f"{below}/*")
        case "s3", _:
            return "Bucket", place.s3(below)
        case "sns", _:
            return "Topics", place.arn(service, below)
        case "iam", "CreateServiceLinkedRole":
            return "ScalingRole", place.role(_LINKED_ROLE)
        case "iam", "PassRole":
            return _PASSING, place.role(below)
        case "iam", _:
            return "Role", place.role(below)
        case "sagemaker", "DescribeEndpointConfig":
            return "Configuration", place.arn(service, "endpoint-config/*")
        case "sagemaker", _:  # CloudFormation names model and configuration, and not after the stack
            places = (f"endpoint/{named}", "endpoint-config/*", "model/*")
            return "Hosting", tuple(place.arn(service, one) for one in places)
        case "application-autoscaling", _ if not operation.startswith("Describe"):
            return "ScalableTargets", place.arn(service, "scalable-target/*")
        case "cloudwatch", "DescribeAlarms":
            return "AnyAlarm", place.arn(service, "alarm:*")
        case "cloudwatch", _ if operation != "GetMetricData":
            return "Alarms", place.arn(service, f"alarm:{below}")
    return "NoResource", "*"


def _statement(sid: str, actions: list[str], on: str | tuple[str, ...]) -> Statement:
    made = statement(sid, *actions, on=on)
    if sid == _PASSING:
        made["Condition"] = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return made
