"""What runs left in an account: their queues and subscriptions, found by name and mark without any results folder.

A queue is ours by its tag. A subscription cannot be tagged: it is ours by the name of the queue that it goes to and by
the filter that only that queue's worker has.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import reason_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.setup.run_queue import GONE, QUEUE_PREFIX, RUN_TAG, RunQueue, filter_policy, remove

_NAME = re.compile(rf"{QUEUE_PREFIX}(?P<run>.+)-(?P<worker>\d+)")
_LOOKS, _APART_S = 16, 5.0  # a queue that was deleted may answer for another minute


@dataclass(frozen=True, slots=True)
class Remain:
    """One thing that a run made and that is still there.

    Args:
        what: `queue` or `subscription`.
        where: The queue's URL, or the subscription's ARN.
        run_id: Of the run that made it.
    """

    what: str
    where: str
    run_id: str

    def __str__(self) -> str:
        return f"{self.what} {self.where}"


async def remains(clients: AwsClients, run_id: str | None) -> list[Remain]:
    """What is there of one run, or of every run in the region; subscriptions first, then queues.

    Raises:
        TargetError: it may not be listed.
    """
    prefix = QUEUE_PREFIX if run_id is None else f"{QUEUE_PREFIX}{run_id}-"
    subscriptions: list[Remain] = []
    with clients.explained("list the subscriptions of runs (sns:ListSubscriptions, sns:GetSubscriptionAttributes)"):
        async for page in clients.sns.get_paginator("list_subscriptions").paginate():
            for shown in page["Subscriptions"]:
                whose = await _subscriber(clients, shown, prefix)
                if whose is not None and run_id in (None, whose):
                    subscriptions.append(Remain("subscription", shown["SubscriptionArn"], whose))
    queues: list[Remain] = []
    with clients.explained("list the queues of runs (sqs:ListQueues, sqs:ListQueueTags)"):
        async for page in clients.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix):
            for url in page.get("QueueUrls", ()):
                whose = await _maker(clients, url)
                if whose is not None and run_id in (None, whose):
                    queues.append(Remain("queue", url, whose))
    return [*subscriptions, *queues]


async def removed(clients: AwsClients, listed: list[Remain]) -> list[str]:
    """Remove what was listed and look again; what is still there, and why. What was removed meanwhile is no error.

    Raises:
        TargetError: whether it is still there cannot be found out.
    """
    left: list[str] = []
    for one in listed:
        queue = RunQueue(one.where if one.what == "queue" else "")
        queue.subscriptions = [one.where] if one.what == "subscription" else []
        left += await remove(clients, queue)
    waiting = [one for one in listed if not any(one.where in said for said in left)]
    for look in range(_LOOKS):
        waiting = [one for one in waiting if await _is_there(clients, one)]
        if not waiting or clients.is_loopback or look == _LOOKS - 1:
            break
        await anyio.sleep(_APART_S)
    return left + [f"{one} (still there)" for one in waiting]


async def _subscriber(clients: AwsClients, shown: dict[str, Any], prefix: str) -> str | None:
    """The run whose queue this subscription feeds; None: no run's."""
    name = str(shown["Endpoint"]).rpartition(":")[2]
    named = _NAME.fullmatch(name)
    is_there = str(shown["SubscriptionArn"]).startswith("arn:")  # else its topic is deleted
    if named is None or not is_there or shown["Protocol"] != "sqs" or not name.startswith(prefix):
        return None
    try:
        answer = await clients.sns.get_subscription_attributes(SubscriptionArn=shown["SubscriptionArn"])
    except ClientError as error:
        if reason_of(error) in GONE:
            return None
        raise
    try:
        found = json.loads(answer["Attributes"].get("FilterPolicy", "null"))
    except ValueError:
        return None
    return named["run"] if found == filter_policy(f"{named['run']}-{named['worker']}-") else None


async def _maker(clients: AwsClients, url: str) -> str | None:
    """The run that tagged a queue; None: no run did, or it was deleted meanwhile."""
    try:
        answer: dict[str, Any] = await clients.sqs.list_queue_tags(QueueUrl=url)
    except ClientError as error:
        if reason_of(error) in GONE:
            return None
        raise
    tag: str | None = answer.get("Tags", {}).get(RUN_TAG)
    return tag


async def _is_there(clients: AwsClients, one: Remain) -> bool:
    with clients.explained(f"look whether the {one} is removed"):
        try:
            if one.what == "queue":
                await clients.sqs.get_queue_attributes(QueueUrl=one.where, AttributeNames=["QueueArn"])
            else:
                await clients.sns.get_subscription_attributes(SubscriptionArn=one.where)
        except ClientError as error:
            if reason_of(error) in GONE:
                return False
            raise
    return True
