"""The IAM policy of exactly one run: with `doctor` before and `clean` after it; what is called, and no more.

A new call of a run needs its line here: a test runs behind this policy, and refuses a line that nothing uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smbench.account.places import bucket_of, folder_of, uploads_to
from smbench.account.quotas import binding_quotas
from smbench.account.statements import Document, Place, Statement, document, statement
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.endpoint.log_streams import LOG_GROUPS
from smbench.aws.setup.claim import claims_below
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
    return document(run_statements(plan, found, stack))


def run_statements(plan: RunPlan, found: TargetFound, stack: str | None = None) -> list[Statement]:
    """The same, to be put beside others."""
    calls = ["sagemaker:InvokeEndpointAsync" if found.kind == "async" else "sagemaker:InvokeEndpoint"]
    if plan.scenario.request.stream:  # AWS's pages differ in which of the two it takes
        calls.append("sagemaker:InvokeEndpointWithResponseStream")
    return _Statements(plan, found, stack).all_of(*calls)


def resume_policy(plan: RunPlan, found: TargetFound) -> Document:
    """For the identity that runs `smbench resume` on a run of this plan, with `--send` or without it.

    Args:
        found: The endpoint as the run found it.
    """
    if found.kind != "async":
        return run_policy(plan, found)
    return document(_Statements(plan, found, None).of_a_resume())


def doctor_policy(plan: RunPlan, found: TargetFound, stack: str | None = None) -> Document:
    """For the identity that runs `smbench doctor`; arguments as for `run_policy`."""
    return document(_Statements(plan, found, stack, examines=True).all_of())


def clean_policy(place: Place, plan: RunPlan, found: TargetFound | None) -> Document:
    """For the identity that runs `smbench clean`.

    Args:
        found: The endpoint whose objects are deleted, too; None: queues and subscriptions alone.
    """
    queues = ("sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:ListQueueTags")
    listing = ("sns:GetSubscriptionAttributes", "sns:ListSubscriptions", "sns:Unsubscribe", "sqs:ListQueues")
    statements = [
        statement("Queues", *queues, on=place.arn("sqs", f"{QUEUE_PREFIX}*")),
        statement("Everything", *listing, on="*"),
    ]
    if found is not None:
        statements += _Statements(plan, found, None).objects_deleted()
    return document(statements)


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
        found = self.found
        statements = self._described(*calls)
        if self.stack is not None:
            stack = self.place.arn("cloudformation", f"stack/{stack_name(self.stack)}/*")
            statements.append(statement("Stack", "cloudformation:DescribeStacks", on=stack))
        if found.kind == "async":
            statements += self._objects()
            statements += self._receiving() if found.tracking == "sns" else []
        if self.examines and binding_quotas(found):
            statements.append(statement("Quotas", "servicequotas:ListServiceQuotas", on="*"))
        return statements + self._watching()

    def of_a_resume(self) -> list[Statement]:
        """The queue is there, or is made again where the run was closed; what scales the endpoint is known already."""
        endpoint = statement(
            "Endpoint", "sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpointAsync", on=self.found.endpoint_arn
        )
        objects = self._objects("s3:PutObject")
        return [endpoint, *objects, *self._receiving_again(), *self._watching(knows_alarms=True)]

    def _receiving_again(self) -> list[Statement]:
        if self.found.tracking == "s3":
            return []
        if (url := self.plan.scenario.collector.queue) is not None:
            return [statement("Queue", *_READING, on=self._queue_of(url))]
        queue = self.place.arn("sqs", f"{QUEUE_PREFIX}*")
        return [
            statement("Queue", *_MAKING, "sqs:GetQueueAttributes", *_READING, on=queue),
            statement("Topics", "sns:Subscribe", on=self.found.topics),
            statement("Subscriptions", "sns:Unsubscribe", on="*"),
        ]

    def _queue_of(self, url: str) -> str:
        *_, account, name = url.rstrip("/").split("/")
        return self.place.arn("sqs", name, account=account)

    def _described(self, *calls: str) -> list[Statement]:
        found = self.found
        config = self.place.arn(
            "sagemaker", f"endpoint-config/{found.config.lower()}"
        )  # as SageMaker writes it in ARNs
        statements = [
            statement("Endpoint", *calls, "sagemaker:DescribeEndpoint", on=found.endpoint_arn),
            statement("Configuration", "sagemaker:DescribeEndpointConfig", on=config),
        ]
        if found.model is not None:
            model = self.place.arn("sagemaker", f"model/{found.model.lower()}")
            statements.append(statement("Model", "sagemaker:DescribeModel", on=model))
        if found.components:
            on = (self.place.arn("sagemaker", f"inference-component/{name.lower()}") for name in found.components)
            statements.append(statement("Components", "sagemaker:DescribeInferenceComponent", on=on))
        return statements

    def _objects(self, *claiming: str) -> list[Statement]:
        """Inputs are looked for before they are put; outputs are read where a notice does not come.

        Args:
            claiming: What is done with the claim beyond reading it; inputs, where they are put, allow it already.
        """
        inputs = uploads_to(self.plan, self.found)
        claims = None if inputs is not None or self.examines else self._claims()
        reads = _outputs(self.found)
        statements: list[Statement] = []
        if reads:
            statements.append(statement("Outputs", "s3:GetObject", on=map(self._below, reads)))
        if inputs is not None:
            looks = () if self.examines else ("s3:GetObject",)
            statements.append(statement("Inputs", *looks, "s3:PutObject", on=self._below(inputs)))
        if claims is not None:
            statements.append(statement("Claim", "s3:GetObject", *claiming, on=self._below(claims)))
        buckets = [bucket_of(place) for place in (*reads, inputs, claims) if place]
        if buckets:  # without it, an object that is missing is answered as one that may not be read
            statements.append(statement("Buckets", "s3:ListBucket", on=map(self.place.s3, buckets)))
        return statements

    def objects_deleted(self) -> list[Statement]:
        below = uploads_to(self.plan, self.found) or self._claims()
        places = [place for place in (*_outputs(self.found), below) if place]
        if not places:
            return []
        return [
            *self._described(),
            statement("Buckets", "s3:ListBucketVersions", on=(self.place.s3(bucket_of(place)) for place in places)),
            statement("Objects", "s3:DeleteObjectVersion", on=map(self._below, places)),
        ]

    def _claims(self) -> str | None:
        """Where it is agreed upon who sends the rest of a run."""
        return claims_below(self.plan.scenario.payloads.prefix, self.found.output_path)

    def _below(self, place: str) -> str:
        return self.place.s3(f"{bucket_of(place)}/{folder_of(place)}*")

    def _receiving(self) -> list[Statement]:
        topics: Sequence[str] = self.found.topics
        asks_topics = ("sns:GetTopicAttributes",) if self.examines else ()
        if (url := self.plan.scenario.collector.queue) is not None:
            queue = self._queue_of(url)
            reading = () if self.examines else _READING
            statements = [statement("Queue", *reading, "sqs:GetQueueAttributes", on=queue)]
            checking = ("sns:ListSubscriptionsByTopic", *asks_topics)
            return statements + ([statement("Topics", *checking, on=topics)] if topics else [])
        queue = self.place.arn("sqs", f"{QUEUE_PREFIX}*")
        asks_why = () if self.examines else ("sqs:GetQueueAttributes",)  # no notice came
        asks_subscriptions = () if self.examines else ("sns:GetSubscriptionAttributes",)
        return [
            statement("Queue", *_MAKING, *_READING, *asks_why, on=queue),
            statement("Topics", "sns:Subscribe", *asks_topics, on=topics),
            # IAM knows no narrower resource for them
            statement("Subscriptions", *asks_subscriptions, "sns:Unsubscribe", on="*"),
        ]

    def _watching(self, *, knows_alarms: bool = False) -> list[Statement]:
        """Metrics and scaling have no resource by which IAM could narrow them down."""
        found = self.found
        actions = ["cloudwatch:GetMetricData"]
        if found.kind != "serverless" and not knows_alarms:
            actions += [f"application-autoscaling:DescribeScal{what}" for what in ("ableTargets", "ingPolicies")]
        if found.scalable_target is not None:
            actions.append("application-autoscaling:DescribeScalingActivities")
        statements = [statement("Watching", *actions, on="*")]
        if (
            found.policies and not knows_alarms
        ):  # asked for by the policy that is among their actions, so any alarm may be one of them
            statements.append(statement("Alarms", "cloudwatch:DescribeAlarms", on=self._alarm("*")))
        if found.has_instances and not self.examines:
            group = self.place.arn("logs", f"log-group:{LOG_GROUPS}{found.endpoint}:*")
            statements.append(statement("Instances", "logs:DescribeLogStreams", on=group))
        if found.alarms:
            names = map(self._alarm, found.alarm_names)
            statements.append(statement("AlarmHistory", "cloudwatch:DescribeAlarmHistory", on=names))
        return statements

    def _alarm(self, name: str) -> str:
        return self.place.arn("cloudwatch", f"alarm:{name}")


def _outputs(found: TargetFound) -> list[str]:
    return [place for place in (found.output_path, found.failure_path) if place]
