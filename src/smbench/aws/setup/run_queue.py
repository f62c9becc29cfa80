"""The run's own queue: it receives every end and nothing else, is made before the run and removed afterwards.

Other users of the endpoint lose no message to us, and runs do not see each other's (docs/decisions/).
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import anyio
from botocore.exceptions import ClientError

from smbench import units
from smbench.aws.access.causes import NO_ANSWER, code_of, reason_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.errors import TargetError

_REMOVE_S = 20.0  # removing may not hold up the end of a run for longer
_LONG_POLL_S = "20"
VISIBILITY_S = 30  # what a killed worker had received comes again after it; a slow one gets a message twice
GONE = {"NotFound", "NotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}
_NAME_MAX = 80
QUEUE_PREFIX = "smbench-"
RUN_TAG = "smbench:run"
_OTHERWISE = (
    "or do without: name a queue that is subscribed already in collector.queue, or set collector.tracking to s3, and "
    "each output is looked for"
)


class RunQueue:
    """A queue that is subscribed to the endpoint's topics.

    Attributes:
        url: For receiving; empty until it is made.
        left: After the run, what could not be removed, as a person would look for it.
        notes: What was strange about an existing queue.
        is_abandoned: The queue's host ends with the run, so it need not be removed.
    """

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.subscriptions: list[str] = []
        self.left: list[str] = []
        self.notes: list[str] = []
        self.is_abandoned = False

    def as_json(self) -> dict[str, Any]:
        """What another process needs to remove it, as JSON values."""
        return {"url": self.url, "subscriptions": list(self.subscriptions)}

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Self:
        """The same again from `as_json`."""
        queue = cls(held["url"])
        queue.subscriptions = list(held["subscriptions"])
        return queue


@asynccontextmanager
async def run_queue(
    clients: AwsClients,
    target: TargetFound,
    *,
    run_id: str,
    worker: int,
    existing_url: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> AsyncIterator[RunQueue]:
    """The worker's queue, between its making and its removal.

    It receives the ends of ids that begin with `<run_id>-<worker>-`.

    Args:
        existing_url: Use this queue as it is; it is checked, and neither changed nor deleted.
        tags: On the queue, beside the run's own. (SNS subscriptions cannot be tagged: they carry the queue's name.)

    Raises:
        TargetError: it cannot be made, or the existing one receives nothing from the endpoint.
    """
    if existing_url is not None:
        yield await _existing(clients, target, existing_url)
        return
    name = queue_name(run_id, worker)
    if len(name) > _NAME_MAX:
        raise ValueError(f"queue name of {len(name)} characters, SQS takes {_NAME_MAX}: {name}")
    queue = RunQueue()
    try:
        # Shielded, so that no call is cut short between its effect and our hearing of it: nothing is left behind. An
        # emulator of the run's own ends with its queues, perhaps before us, and then no call would return for long.
        with anyio.CancelScope(shield=not clients.settings.emulated):
            own_tags = {RUN_TAG: run_id, "smbench:worker": str(worker), **(tags or {})}
            await _create(clients, target, queue, name, own_tags)
            await _subscribe(clients, target, queue, name, f"{run_id}-{worker}-")
        yield queue
    finally:
        if not queue.is_abandoned:
            await _removed_in_time(clients, queue)


@asynccontextmanager
async def run_queue_again(
    clients: AwsClients, held: Mapping[str, Any] | None, existing_url: str | None
) -> AsyncIterator[RunQueue]:
    """The queue that a killed run left; removed on leaving only where `is_abandoned` was set to False meanwhile.

    Args:
        held: `RunQueue.as_json` of it; None: the run had none of its own.
        existing_url: The user's queue, which is never removed.

    Returns:
        A queue without a URL where there is none any more.

    Raises:
        TargetError: whether it is there cannot be found out.
    """
    if existing_url is not None:
        yield RunQueue(existing_url)
        return
    queue = RunQueue() if held is None else RunQueue.from_json(held)
    queue.is_abandoned = True
    if queue.url and not await _is_there(clients, queue):
        queue.notes.append(f"the queue {queue.url} does not exist any more: ends were looked up in S3 alone")
        queue.url = ""
    try:
        yield queue
    finally:
        if not queue.is_abandoned:
            await _removed_in_time(clients, queue)


async def _is_there(clients: AwsClients, queue: RunQueue) -> bool:
    with clients.explained(f"read the attributes of the queue {queue.url}"):
        try:
            await clients.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])
        except ClientError as error:
            if reason_of(error) not in GONE:
                raise
            return False
    return True


async def _removed_in_time(clients: AwsClients, queue: RunQueue) -> None:
    with anyio.move_on_after(_REMOVE_S, shield=not clients.settings.emulated) as scope:
        queue.left = await remove(clients, queue)
    if scope.cancelled_caught:
        queue.left = [f"queue {queue.url}", *(f"subscription {arn}" for arn in queue.subscriptions)]


def queue_name(run_id: str, worker: int) -> str:
    """Of the queue that this worker makes for itself."""
    return f"{QUEUE_PREFIX}{run_id}-{worker}"


async def _create(clients: AwsClients, target: TargetFound, queue: RunQueue, name: str, tags: dict[str, str]) -> None:
    arn = _queue_arn(target, name)
    attributes = {
        # Set together with the queue: a policy added later may take a minute to count.
        "Policy": json.dumps(queue_policy(arn, target.topics)),
        "ReceiveMessageWaitTimeSeconds": _LONG_POLL_S,
        "VisibilityTimeout": str(VISIBILITY_S),
    }
    with clients.explained(f"create the queue {name}"):
        try:
            made = await clients.sqs.create_queue(QueueName=name, Attributes=attributes, tags=tags)
        except NO_ANSWER:  # it may be there all the same: then this says where, and it can be removed
            made = await clients.sqs.create_queue(QueueName=name, Attributes=attributes, tags=tags)
    queue.url = made["QueueUrl"]


async def _subscribe(clients: AwsClients, target: TargetFound, queue: RunQueue, name: str, prefix: str) -> None:
    attributes = {
        "FilterPolicy": json.dumps(filter_policy(prefix)),
        "FilterPolicyScope": "MessageBody",
        # Half the bytes. What SNS's envelope adds is not needed: when it was published, the queue knows itself.
        "RawMessageDelivery": "true",
    }
    for topic in target.topics:
        try:
            with clients.explained(f"subscribe the queue {name} to the topic {topic}"):
                try:
                    made = await clients.sns.subscribe(
                        TopicArn=topic,
                        Protocol="sqs",
                        Endpoint=_queue_arn(target, name),
                        Attributes=attributes,
                        ReturnSubscriptionArn=True,
                    )
                except ClientError as error:
                    if code_of(error) in GONE:
                        raise TargetError(missing_topic(topic), make_topic(topic)) from error
                    raise
        except TargetError as error:
            raise TargetError(error.message, f"{error.advice}; {_OTHERWISE}" if error.advice else _OTHERWISE) from error
        queue.subscriptions.append(made["SubscriptionArn"])


def missing_topic(topic: str) -> str:
    """What is wrong where an endpoint's topic is not there: no message about an end can reach us."""
    return f"the endpoint publishes ends to the topic {topic}, which does not exist"


def make_topic(topic: str) -> str:
    """What to do about it."""
    return (
        f"make it again (`aws sns create-topic --name {topic.rpartition(':')[2]}`) or name another in the endpoint's "
        "NotificationConfig"
    )


def filter_policy(prefix: str) -> dict[str, Any]:
    """Of a worker's subscriptions: it lets the ends of ids pass that begin so."""
    return {"inferenceId": [{"prefix": prefix}]}


def _queue_arn(target: TargetFound, name: str) -> str:
    """In the endpoint's own partition, region and account: DescribeEndpoint reaches no other."""
    _, partition, _, region, account, *_ = target.endpoint_arn.split(":")
    return f"arn:{partition}:sqs:{region}:{account}:{name}"


def queue_policy(queue_arn: str, topics: tuple[str, ...]) -> dict[str, Any]:
    """Lets only these topics put messages into the queue. Source: SNS guide, subscribe-sqs-queue."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": list(topics)}},
            }
        ],
    }


async def remove(clients: AwsClients, queue: RunQueue) -> list[str]:
    """Unsubscribe and delete; returns what is left, and why."""
    left = []
    for arn in queue.subscriptions:
        reason = await _removed(clients.sns.unsubscribe(SubscriptionArn=arn))
        if reason:
            left.append(f"subscription {arn} ({reason})")
    if queue.url:
        reason = await _removed(clients.sqs.delete_queue(QueueUrl=queue.url))
        if reason:
            left.append(f"queue {queue.url} ({reason})")
    return left


async def _removed(call: Any) -> str:
    try:
        await call
    except ClientError as error:
        return "" if reason_of(error) in GONE else reason_of(error)
    except NO_ANSWER as error:
        return reason_of(error)
    return ""


async def _existing(clients: AwsClients, target: TargetFound, url: str) -> RunQueue:
    """The user's queue, checked: it is there, and every topic of the endpoint's is known to reach it."""
    with clients.explained(f"read the attributes of the queue {url}"):
        wanted = ["QueueArn", "ApproximateNumberOfMessages"]
        attributes = (await clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted))["Attributes"]
    queue = RunQueue(url)
    if n_waiting := int(attributes.get("ApproximateNumberOfMessages", 0)):
        raise TargetError(
            f"the queue {url} holds {units.counted(n_waiting, 'message')} already",
            "a run reads and deletes every message of its queue: empty it (`aws sqs purge-queue`), name another, or "
            "leave collector.queue out for a queue of the run's own",
        )
    for topic in target.topics:
        try:
            is_subscribed = await subscribes(clients, topic, attributes["QueueArn"])
        except (ClientError, *NO_ANSWER) as error:
            queue.notes.append(f"whether {topic} reaches the queue is not known ({reason_of(error)})")
            continue
        if not is_subscribed:
            raise TargetError(
                f"the queue {url} is not subscribed to the endpoint's topic {topic}",
                "subscribe it, or leave collector.queue out: the run then makes a queue of its own",
            )
    return queue


async def subscribes(clients: AwsClients, topic: str, queue_arn: str) -> bool:
    """Whether a queue subscribes to a topic."""
    async for page in clients.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
        if any(subscription["Endpoint"] == queue_arn for subscription in page["Subscriptions"]):
            return True
    return False
