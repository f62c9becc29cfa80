"""What goes wrong in the emulated region: shares by kind of trouble, and a plan that names calls and instants."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.values.distributions import Distribution
from smbench.scenario.values.quantities import PositiveHertz, PositiveSeconds, Seconds, Share, SignedSeconds, Whole
from smbench.scenario.values.record import Part

# Every operation that a run calls, as IAM names it; all of a service's, and all there are.
CallOfRun = Literal[
    "*",
    "application-autoscaling:*",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingActivities",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudwatch:*",
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "logs:*",
    "logs:DescribeLogStreams",
    "s3:*",
    "s3:GetObject",
    "s3:HeadObject",
    "s3:PutObject",
    "sagemaker:*",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpointWithResponseStream",
    "sns:*",
    "sns:GetSubscriptionAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Subscribe",
    "sns:Unsubscribe",
    "sqs:*",
    "sqs:CreateQueue",
    "sqs:DeleteMessageBatch",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sts:*",
    "sts:GetCallerIdentity",
]
# What `deploy`, `doctor`, `clean` and `destroy` call beside them, and what CloudFormation then calls for its caller.
CallOfAccount = Literal[
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
    "cloudformation:*",
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "iam:*",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:PutRolePolicy",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObjects",
    "s3:HeadBucket",
    "s3:ListObjectVersions",
    "s3:ListObjectsV2",
    "s3:PutBucketPolicy",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateModel",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:DescribeModel",
    "sagemaker:UpdateEndpoint",
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptions",
    "sqs:DeleteMessage",
    "sqs:ListQueueTags",
    "sqs:ListQueues",
    "tag:*",
    "tag:GetResources",
]
Call = Literal[CallOfRun, CallOfAccount]
Trouble = Literal[
    "error",
    "throttle",
    "denied",
    "reset",
    "lost_reply",
    "no_answer",
    "unreachable",
    "slow",
    "torn_stream",
    "stream_error",
    "stream_failure",
]
_IN_STREAM = ("torn_stream", "stream_error", "stream_failure")  # what only a streamed answer can meet
_STREAMED = "sagemaker:InvokeEndpointWithResponseStream"


class Throttle(Part):
    """A token bucket on InvokeEndpointAsync; AWS publishes no such quota, so none is assumed."""

    rate: PositiveHertz = Field(description="tokens added")
    burst: Whole = Field(default=1, ge=1, description="tokens the bucket holds")


class Delayed(Part):
    """This share of messages or answers comes later by a draw from `delay`."""

    share: Share = Field(description="how many of them")
    delay: Distribution = Field(description="how much later")


class PlannedFault(Part):
    """Trouble with named calls, at named instants or counts. A call meets the first of the plan that applies to it."""

    calls: tuple[Call, ...] = Field(min_length=1, description="the calls it can strike, as IAM names them")
    trouble: Trouble = Field(
        description="error: 500 or 503; throttle: the service's own refusal; denied: the refusal of an identity that "
        "may not, also where CloudFormation calls for it; reset: the connection is reset; in all four the call is not "
        "carried out. lost_reply: carried out, then the connection is reset; no_answer: carried "
        "out, and never answered; unreachable: neither carried out nor answered; slow: carried out, and answered "
        "later by `delay`. Of InvokeEndpointWithResponseStream, after half of the parts: torn_stream: the connection "
        "closes within a message; stream_error: ModelStreamError with StreamBroken; stream_failure: "
        "InternalStreamFailure"
    )
    share: Annotated[Share, Field(gt=0)] = Field(default=1.0, description="how many of these calls it strikes")
    nth: tuple[Annotated[Whole, Field(ge=1)], ...] = Field(
        default=(), max_length=10_000, description="only these calls, counted from 1 as they arrive; default: any"
    )
    at: Seconds = Field(default=0.0, description="from this instant of the run; the setting up is at 0")
    for_s: PositiveSeconds | None = Field(default=None, alias="for", description="for so long; default: to the end")
    delay: Distribution | None = Field(default=None, description="how much later a slow answer comes")

    @model_validator(mode="after")
    def _slow_has_a_delay(self) -> Self:
        if (self.trouble == "slow") != (self.delay is not None):
            raise ValueError("`delay` belongs to `trouble: slow`, and to no other")
        return self

    @model_validator(mode="after")
    def _a_stream_has_parts(self) -> Self:
        if self.trouble in _IN_STREAM and set(self.calls) != {_STREAMED}:
            raise ValueError(f"`trouble: {self.trouble}` is of {_STREAMED} alone")
        return self


ON_THE_WAY = (
    "plan",
    "throttle",
    "throttled",
    "server_errors",
    "resets",
    "lost_replies",
    "slow_answers",
    "outputs_late",
    "notices_lost",
    "notices_late",
)
"""Faults between client and endpoint that change what becomes of a request, or when: of these no model knows."""


class Faults(Part):
    """What goes wrong, each from its own stream of the scenario's seed. Shares are per call or per message."""

    plan: tuple[PlannedFault, ...] = Field(
        default=(), max_length=200, description="trouble with any call of a run, by its name, its count or its instant"
    )
    throttle: Throttle | None = Field(default=None, description="a rate limit on InvokeEndpointAsync")
    throttled: Share = Field(default=0.0, description="400 ThrottlingException with a null message, per invocation")
    server_errors: Share = Field(default=0.0, description="500 or 503 without effect, per invocation")
    resets: Share = Field(default=0.0, description="connection reset before the request is taken")
    lost_replies: Share = Field(default=0.0, description="the request is taken, then the connection is reset")
    slow_answers: Delayed | None = Field(default=None, description="the acknowledgement comes late")
    container_errors: Share = Field(default=0.0, description="the container answers 500")
    outputs_late: Delayed | None = Field(
        default=None, description="a result is found in S3 so long after the inference's end: until then S3 answers 404"
    )
    notices_lost: Share = Field(default=0.0, description="a notification is never delivered")
    notices_late: Delayed | None = Field(default=None, description="a notification is delivered late")
    notices_duplicated: Share = Field(default=0.0, description="a notification is delivered twice")
    messages_redelivered: Share = Field(default=0.0, description="SQS shows a message again although it was deleted")
    malformed_messages: Share = Field(default=0.0, description="a message that is not JSON follows the real one")
    instance_life: Distribution | None = Field(default=None, description="an instance dies after this long in service")
    provision_failures: Share = Field(
        default=0.0,
        description="a new instance never comes up; the activity fails, or the endpoint that is created with it",
    )
    instance_quota: Whole | None = Field(
        default=None,
        ge=0,
        description="instances that the account may have; SageMaker refuses more with ResourceLimitExceeded, and the "
        "scaling activity fails; default: any number",
    )
    metric_gaps: Share = Field(default=0.0, description="a metric's minute is never published")
    clock_skew: SignedSeconds = Field(default=0.0, description="AWS's stamps are ahead of ours by this much")
    clock_drift_ppm: float = Field(
        default=0.0,
        ge=-1000,
        le=1000,
        description="from time zero on AWS's clock gains so many microseconds a second; negative: it loses them",
    )
