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
    "sagemaker:DescribeInferenceComponent",
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
    """A token bucket before InvokeEndpointAsync. AWS publishes no such quota, so there is none by default."""

    rate: PositiveHertz = Field(
        description="Tokens that are added; each call takes one, and a call that finds none is throttled."
    )
    burst: Whole = Field(default=1, ge=1, description="Tokens that the bucket holds.")


class Delayed(Part):
    """A share of messages or answers that comes late."""

    share: Share = Field(description="How many of them come late.")
    delay: Distribution = Field(description="How much later each of them comes.")


class PlannedFault(Part):
    """Trouble with named calls, at named instants or counts.

    A call meets the first entry of the plan that applies to it.
    """

    calls: tuple[Call, ...] = Field(
        min_length=1,
        description="The calls that it can strike, as IAM names them, such as `[sqs:ReceiveMessage]`; `*` is any.",
    )
    trouble: Trouble = Field(
        description=(
            "Not carried out: error, answered with 500 or 503; throttle, the service's own refusal; denied, as "
            "to an identity without the permission, also where CloudFormation calls for it; reset, the "
            "connection is reset; unreachable, never answered. Carried out: lost_reply, the connection is reset"
            " before the answer; no_answer, never answered; slow, answered later by `delay`. After half of the "
            "parts of InvokeEndpointWithResponseStream: torn_stream, the connection closes within a message; "
            "stream_error, ModelStreamError with StreamBroken; stream_failure, InternalStreamFailure."
        )
    )
    share: Annotated[Share, Field(gt=0)] = Field(default=1.0, description="The share of these calls that it strikes.")
    nth: tuple[Annotated[Whole, Field(ge=1)], ...] = Field(
        default=(),
        max_length=10_000,
        description="Only these calls, counted from 1 as they arrive, such as `[1, 2]`. Default: any.",
    )
    at: Seconds = Field(
        default=0.0, description="From this instant of the run on. What the run sets up before its load is at 0."
    )
    for_s: PositiveSeconds | None = Field(
        default=None, alias="for", description="For so long. Default: to the end of the run."
    )
    delay: Distribution | None = Field(
        default=None, description="How much later a slow answer comes. Of `trouble: slow` alone."
    )

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
    """What goes wrong, each drawn from a stream of its own of the scenario's seed.

    Shares are of calls or of messages.
    """

    plan: tuple[PlannedFault, ...] = Field(
        default=(), max_length=200, description="Trouble with any call of a run, by its name, its count or its instant."
    )
    throttle: Throttle | None = Field(default=None, description="A rate limit on InvokeEndpointAsync.")
    throttled: Share = Field(
        default=0.0, description="Share of invocations that get 400 ThrottlingException with a null message."
    )
    server_errors: Share = Field(
        default=0.0, description="Share of invocations that get 500 or 503 and have no effect."
    )
    resets: Share = Field(
        default=0.0, description="Share of invocations whose connection is reset before the request is accepted."
    )
    lost_replies: Share = Field(
        default=0.0,
        description="Share of invocations that are accepted, and whose connection is reset before the answer.",
    )
    slow_answers: Delayed | None = Field(default=None, description="Acknowledgements that come late.")
    container_errors: Share = Field(default=0.0, description="Share of requests that the container answers with 500.")
    outputs_late: Delayed | None = Field(
        default=None,
        description="Results that S3 shows only so long after the end of the inference. Until then it answers 404.",
    )
    notices_lost: Share = Field(default=0.0, description="Share of notices that are never delivered.")
    notices_late: Delayed | None = Field(default=None, description="Notices that are delivered late.")
    notices_duplicated: Share = Field(default=0.0, description="Share of notices that are delivered twice.")
    messages_redelivered: Share = Field(
        default=0.0, description="Share of messages that SQS shows again although they were deleted."
    )
    malformed_messages: Share = Field(
        default=0.0, description="Share of messages after which another comes that is not JSON."
    )
    instance_life: Distribution | None = Field(
        default=None, description="An instance dies after this long in service. Default: never."
    )
    provision_failures: Share = Field(
        default=0.0,
        description=(
            "Share of new instances that never come up. The scaling activity fails, or the endpoint that is "
            "created with it."
        ),
    )
    instance_quota: Whole | None = Field(
        default=None,
        ge=0,
        description=(
            "Instances that the account may have. SageMaker refuses more with ResourceLimitExceeded, and the "
            "scaling activity fails. Default: any number."
        ),
    )
    metric_gaps: Share = Field(default=0.0, description="Share of a metric's minutes that are never published.")
    clock_skew: SignedSeconds = Field(
        default=0.0, description="How far AWS's clock is ahead of ours; below zero: behind."
    )
    clock_drift_ppm: float = Field(
        default=0.0,
        ge=-1000,
        le=1000,
        description="Microseconds that AWS's clock gains in each second from time zero on; below zero: it loses them.",
    )
