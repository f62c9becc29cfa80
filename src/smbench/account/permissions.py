"""The IAM policy of exactly one run, or of `doctor` before it: each call on each thing that it may touch, and no other.

A new call of a run needs its line here: a test runs behind this policy, and refuses a line that nothing uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smbench.account.places import bucket_of, folder_of, uploads_to
from smbench.account.statements import Document, Place, Statement, document, statement
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.run_queue import QUEUE_PREFIX
from smbench.generator.plan import RunPlan
from smbench.stack.template import stack_name

_MAKING = ("sqs:CreateQueue", "sqs:DeleteQueue", "sqs:TagQueue")
_READING = ("sqs:DeleteMessage", "sqs:ReceiveMessage")


def run_policy(plan: RunPlan, found: TargetFound, stack: str | None = None) -> Document:
    """For the identity that runs `smbench run`.

    Args:
        found: The endpoint as it is: what of its scaling is watched depends on what there is.
        stack: The benchmark's name, where the run finds its endpoint by it.
    """
    call = "sagemaker:InvokeEndpointAsync" if found.kind == "async" else "sagemaker:InvokeEndpoint"
    return document(_Statements(plan, found, stack).all_of(call))


def doctor_policy(plan: RunPlan, found: TargetFound) -> Document:
    """For the identity that runs `smbench doctor`; arguments as for `run_policy`."""
    return document(_Statements(plan, found, None, examines=True).all_of())


@dataclass(frozen=True, slots=True)
class _Statements:
    plan: RunPlan
    found: TargetFound
    stack: str | None
    examines: bool = False

    @property
    def place(self) -> Place:
        return Place.of(self.found.endpoint_arn)

    def all_of(self, *calls: str) -> list[Statement]:
        found, place = self.found, self.place
        config = place.arn("sagemaker", f"endpoint-config/{found.config.lower()}")  # as SageMaker writes it in ARNs
        statements = [
            statement("Endpoint", *calls, "sagemaker:DescribeEndpoint", on=found.endpoint_arn),
            statement("Configuration", "sagemaker:DescribeEndpointConfig", on=config),
        ]
        if self.stack is not None:
            stack = place.arn("cloudformation", f"stack/{stack_name(self.stack)}/*")
            statements.append(statement("Stack", "cloudformation:DescribeStacks", on=stack))
        if found.kind == "async":
            statements += [*self._objects(), *self._receiving()]
        return statements + self._watching()

    def _objects(self) -> list[Statement]:
        """Inputs are looked for before they are put; outputs are read where a notice does not come."""
        inputs = uploads_to(self.plan, self.found)
        reads = [place for place in (self.found.output_path, self.found.failure_path) if place]
        statements: list[Statement] = []
        if reads:
            statements.append(statement("Outputs", "s3:GetObject", on=map(self._below, reads)))
        if inputs is not None:
            looks = () if self.examines else ("s3:GetObject",)
            statements.append(statement("Inputs", *looks, "s3:PutObject", on=self._below(inputs)))
        buckets = [bucket_of(place) for place in (*reads, inputs) if place]
        if buckets:  # without it, an object that is missing is answered as one that may not be read
            statements.append(statement("Buckets", "s3:ListBucket", on=map(self.place.s3, buckets)))
        return statements

    def _below(self, place: str) -> str:
        return self.place.s3(f"{bucket_of(place)}/{folder_of(place)}*")

    def _receiving(self) -> list[Statement]:
        topics: Sequence[str] = self.found.topics
        asks_topics = ("sns:GetTopicAttributes",) if self.examines else ()
        if (url := self.plan.scenario.collector.queue) is not None:
            *_, account, name = url.rstrip("/").split("/")
            queue = self.place.arn("sqs", name, account=account)
            reading = () if self.examines else _READING
            statements = [statement("Queue", *reading, "sqs:GetQueueAttributes", on=queue)]
            checking = ("sns:ListSubscriptionsByTopic", *asks_topics)
            return statements + ([statement("Topics", *checking, on=topics)] if topics else [])
        queue = self.place.arn("sqs", f"{QUEUE_PREFIX}*")
        return [
            statement("Queue", *_MAKING, *_READING, on=queue),
            statement("Topics", "sns:Subscribe", *asks_topics, on=topics),
            statement("Subscriptions", "sns:Unsubscribe", on="*"),  # IAM knows no narrower resource for it
        ]

    def _watching(self) -> list[Statement]:
        """Metrics and scaling have no resource by which IAM could narrow them down."""
        found = self.found
        actions = ["cloudwatch:GetMetricData"]
        if found.kind != "serverless":
            actions += [f"application-autoscaling:DescribeScal{what}" for what in ("ableTargets", "ingPolicies")]
        if found.scalable_target is not None:
            actions.append("application-autoscaling:DescribeScalingActivities")
        statements = [statement("Watching", *actions, on="*")]
        if found.policies:  # asked for by the policy that is among their actions, so any alarm may be one of them
            statements.append(statement("Alarms", "cloudwatch:DescribeAlarms", on=self._alarm("*")))
        if found.alarms:
            names = map(self._alarm, found.alarm_names)
            statements.append(statement("AlarmHistory", "cloudwatch:DescribeAlarmHistory", on=names))
        return statements

    def _alarm(self, name: str) -> str:
        return self.place.arn("cloudwatch", f"alarm:{name}")
