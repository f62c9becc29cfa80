"""How ends of requests reach a run: the topics, and a queue made, subscribed, read and removed as a run does it."""

import secrets
from collections.abc import Mapping

from botocore.exceptions import ClientError

from smbench import units
from smbench.account.questions import ALLOW, Question, Seen
from smbench.aws.access.causes import code_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.run_queue import GONE, make_topic, missing_topic, run_queue
from smbench.findings import Verdict

_BAD_RECEIPT = ("ReceiptHandleIsInvalid", "InvalidParameterValue")


def receiving_questions(clients: AwsClients, found: TargetFound, given_queue: str | None) -> list[Question]:
    """What is asked of SNS and SQS; nothing where no notice is waited for."""
    if found.kind != "async" or found.tracking == "s3":
        return []
    queue = _own_queue(clients, found) if given_queue is None else _users_queue(clients, found, given_queue)
    return [*(_topic(clients, found, topic) for topic in found.topics), queue]


def _topic(clients: AwsClients, found: TargetFound, topic: str) -> Question:
    async def ask() -> Seen:
        _, _, _, region, account, name = topic.split(":", 5)
        _, _, _, own_region, own_account, _ = found.endpoint_arn.split(":", 5)
        if name.endswith(".fifo"):
            return Seen(
                f"{topic} is a FIFO topic, to which SageMaker cannot publish",
                Verdict.INVALID,
                "name a standard topic in the endpoint's NotificationConfig",
            )
        if region != own_region:
            return Seen(f"{topic} is in another region", Verdict.INVALID, f"name a topic in {own_region}")
        if account != own_account:
            return Seen(
                f"{topic} belongs to the account {account}",
                Verdict.UNKNOWN,
                f"its owner must allow sns:Subscribe to {own_account}, or a queue of yours that is subscribed already "
                "is named in collector.queue",
            )
        with clients.explained(f"read the topic {topic} (sns:GetTopicAttributes)"):
            try:
                attributes: Mapping[str, str] = (await clients.sns.get_topic_attributes(TopicArn=topic))["Attributes"]
            except ClientError as error:
                if code_of(error) not in GONE:
                    raise
                return Seen(missing_topic(topic), Verdict.INVALID, make_topic(topic))
        key = attributes.get("KmsMasterKeyId")
        if key and key.removeprefix("alias/") == "aws/sns":
            return Seen(
                f"{topic} is encrypted with AWS's own key for SNS, which SageMaker may not use",
                Verdict.INVALID,
                "use a key of your own, and allow the endpoint's execution role kms:GenerateDataKey and kms:Decrypt",
            )
        if key:
            return Seen(
                f"{topic} is encrypted with {key}",
                Verdict.UNKNOWN,
                "the endpoint's execution role needs kms:GenerateDataKey and kms:Decrypt on it, or no end is published",
            )
        return Seen(f"{topic} is there, not encrypted")

    return Question("topic", "a standard topic in the endpoint's own region and account", ask, is_optional=True)


def _own_queue(clients: AwsClients, found: TargetFound) -> Question:
    async def ask() -> Seen:
        async with run_queue(clients, found, run_id=f"doctor-{secrets.token_hex(4)}", worker=0) as queue:
            await _read(clients, queue.url)
        if queue.left:
            return Seen(
                f"not removed by sqs:DeleteQueue and sns:Unsubscribe: {'; '.join(queue.left)}", Verdict.INVALID, _CLEAN
            )
        return Seen(f"made, subscribed to {units.counted(len(found.topics), 'topic')}, read and removed again")

    return Question("queue", "a queue can be made, subscribed, read and removed", ask)


def _users_queue(clients: AwsClients, found: TargetFound, url: str) -> Question:
    async def ask() -> Seen:
        async with run_queue(clients, found, run_id="", worker=0, existing_url=url) as queue:
            doubts = "; ".join(queue.notes)
        if doubts:
            return Seen(doubts, Verdict.UNKNOWN, ALLOW)
        return Seen(f"{url} is empty and subscribed")

    return Question("queue", "the queue of collector.queue is empty and subscribed", ask)


async def _read(clients: AwsClients, url: str) -> None:
    with clients.explained(f"receive from the queue {url} (sqs:ReceiveMessage)"):
        await clients.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
    with clients.explained(f"delete messages of the queue {url} (sqs:DeleteMessage)"):
        try:
            await clients.sqs.delete_message(QueueUrl=url, ReceiptHandle="of-no-message")
        except ClientError as error:
            if code_of(error) not in _BAD_RECEIPT:
                raise


_CLEAN = f"{ALLOW}, and delete what was left"
