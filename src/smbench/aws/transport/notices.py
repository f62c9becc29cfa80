"""The run's queue as Notices: long polls of up to ten messages, batch deletes whose failures come back."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, UNREADABLE, reason_of
from smbench.aws.transport.envelope import parse_message
from smbench.records import Delivery, Unacknowledged

_SENT = "SentTimestamp"
ATTRIBUTES = [_SENT]
_PLACES = tuple(map(str, range(10)))  # SQS takes ten at most


class SqsNotices:
    """Receives from and deletes in one queue.

    Args:
        client: An `sqs` client that waits longer than `wait_s` for an answer.
        run_prefix: Notices of ids that do not begin with it are foreign; empty takes all.
    """

    def __init__(self, client: Any, queue_url: str, *, run_prefix: str = "", wait_s: int = 20) -> None:
        self.client, self.queue_url, self.run_prefix, self.wait_s = client, queue_url, run_prefix, wait_s

    async def receive(self) -> list[Delivery]:
        """See `ports.Notices`: at most ten messages, after a long poll of `wait_s`."""
        try:
            answer = await self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=self.wait_s,
                MessageSystemAttributeNames=ATTRIBUTES,
            )
        except (ClientError, *NO_ANSWER) as error:
            raise Unacknowledged(reason_of(error)) from error
        except UNREADABLE as error:
            raise Unacknowledged("unreadable answer") from error
        return deliveries(answer.get("Messages"), self.run_prefix)

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        """See `ports.Notices`; no call where there are no receipts."""
        if not receipts:
            return []
        try:
            answer = await self.client.delete_message_batch(QueueUrl=self.queue_url, Entries=entries(receipts))
        except (ClientError, *NO_ANSWER) as error:
            raise Unacknowledged(reason_of(error)) from error
        except UNREADABLE as error:
            raise Unacknowledged("unreadable answer") from error
        return undeleted(answer.get("Failed"), receipts)


def deliveries(messages: Any, run_prefix: str) -> list[Delivery]:
    """The messages of ReceiveMessage's answer; None where there are none.

    Raises:
        Unacknowledged: it is no list of messages.
    """
    try:
        return [
            delivery(one["ReceiptHandle"], one.get("Body", ""), one.get("Attributes", {}).get(_SENT), run_prefix)
            for one in messages or ()
        ]
    except (LookupError, *UNREADABLE) as error:
        raise Unacknowledged("unreadable answer") from error


def delivery(receipt: str, body: str, sent_ms: str | None, run_prefix: str) -> Delivery:
    """A message and its SentTimestamp, in milliseconds UTC; a ValueError where that is no number."""
    pub_utc_ns = None if sent_ms is None else int(sent_ms) * 1_000_000
    return Delivery(receipt, parse_message(body, pub_utc_ns, run_prefix))


def entries(receipts: Sequence[str]) -> list[dict[str, str]]:
    """For DeleteMessageBatch: each named by its place."""
    places = _PLACES[: len(receipts)]
    return [{"Id": place, "ReceiptHandle": receipt} for place, receipt in zip(places, receipts, strict=True)]


def undeleted(failed: Any, receipts: Sequence[str]) -> list[str]:
    """The receipts of DeleteMessageBatch's failures; None where there are none.

    Raises:
        Unacknowledged: it is no list of failures of these.
    """
    try:
        return [receipts[int(one["Id"])] for one in failed or ()]
    except (LookupError, *UNREADABLE) as error:
        raise Unacknowledged("unreadable answer") from error
