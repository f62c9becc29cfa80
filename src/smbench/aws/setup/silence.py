"""Why no notice came of requests that ended: what of the run's queue and its subscriptions is not as it was made."""

import json
from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, reason_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.run_queue import GONE, RunQueue, filter_policy, queue_policy, subscribes
from smbench.records import AMID_THE_RUN


async def why_silent(
    clients: AwsClients, target: TargetFound, queue: RunQueue, id_prefix: str, *, is_own: bool
) -> list[str]:
    """A sentence on each thing that was changed or removed amid the run; empty where all is as it was.

    Args:
        id_prefix: Of the InferenceIds whose ends the queue receives.
        is_own: The run made the queue; else it is the user's, of which only the subscriptions are known.
    """
    try:
        asked = ["QueueArn", "Policy"]
        found = (await clients.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=asked))["Attributes"]
    except (ClientError, *NO_ANSWER) as error:
        if reason_of(error) in GONE:
            return [f"{AMID_THE_RUN} the queue {queue.url} was removed"]
        return [
            f"why notices did not come is not known: the queue {queue.url} cannot be looked at ({reason_of(error)})"
        ]
    if not is_own:
        return await _of_topics(clients, target, queue, found["QueueArn"])
    said = _of_policy(found.get("Policy", ""), found["QueueArn"], target, queue)
    for arn in queue.subscriptions:
        said += await _of_subscription(clients, arn, id_prefix)
    return said


def _of_policy(text: str, queue_arn: str, target: TargetFound, queue: RunQueue) -> list[str]:
    try:
        statements = json.loads(text)["Statement"] if text else []
    except (ValueError, LookupError, TypeError):
        statements = []
    (own,) = queue_policy(queue_arn, target.topics)["Statement"]
    if own not in statements:
        return [f"{AMID_THE_RUN} the policy of the queue {queue.url} was changed: it lets the topics send no more"]
    if any(one.get("Effect") == "Deny" for one in statements):
        return [f"{AMID_THE_RUN} the policy of the queue {queue.url} was changed: it has a Deny"]
    return []


async def _of_subscription(clients: AwsClients, arn: str, id_prefix: str) -> list[str]:
    try:
        found = (await clients.sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"]
    except (ClientError, *NO_ANSWER) as error:
        if reason_of(error) in GONE:
            return [f"{AMID_THE_RUN} the subscription {arn} was removed"]
        return [f"whether the subscription {arn} is as it was is not known ({reason_of(error)})"]
    if _filter(found) != filter_policy(id_prefix):
        return [f"{AMID_THE_RUN} the filter of the subscription {arn} was changed"]
    return []


def _filter(attributes: dict[str, Any]) -> Any:
    try:
        return json.loads(attributes.get("FilterPolicy", "null"))
    except ValueError:
        return None


async def _of_topics(clients: AwsClients, target: TargetFound, queue: RunQueue, queue_arn: str) -> list[str]:
    said = []
    for topic in target.topics:
        try:
            if not await subscribes(clients, topic, queue_arn):
                said.append(f"{AMID_THE_RUN} the queue {queue.url} lost its subscription to {topic}")
        except (ClientError, *NO_ANSWER) as error:
            said.append(f"whether {topic} still reaches the queue is not known ({reason_of(error)})")
    return said
