"""The run's queue as Notices: long polls of up to ten messages, batch deletes whose failures come back."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.causes import NO_ANSWER, reason_of
from smbench.aws.envelope import parse_message
from smbench.records import Delivery, Unacknowledged

_COUNT = "ApproximateReceiveCount"


class SqsNotices:
    """Receives from and deletes in one queue.

    Args:
        client: An `sqs` client that waits longer than `wait_s` for an answer.
        run_prefix: Notices of ids that do not begin with it are foreign; None takes all.
    """

    def __init__(self, client: Any, queue_url: str, *, run_prefix: str | None = None, wait_s: int = 20) -> None:
        self.client, self.queue_url, self.run_prefix, self.wait_s = client, queue_url, run_prefix, wait_s

    async def receive(self) -> list[Delivery]:
        try:
            answer = await self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=self.wait_s,
                MessageSystemAttributeNames=[_COUNT],
            )
        except (ClientError, *NO_ANSWER) as error:
            raise Unacknowledged(reason_of(error)) from error
        return [self._delivery(message) for message in answer.get("Messages", ())]

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        if not receipts:
            return []
        entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)]
        try:
            answer = await self.client.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)
        except (ClientError, *NO_ANSWER) as error:
            raise Unacknowledged(reason_of(error)) from error
        return [receipts[int(failed["Id"])] for failed in answer.get("Failed", ())]

    def _delivery(self, message: dict[str, Any]) -> Delivery:
        content = parse_message(message.get("Body", ""), run_prefix=self.run_prefix)
        return Delivery(message["ReceiptHandle"], content, int(message.get("Attributes", {}).get(_COUNT, 1)))
