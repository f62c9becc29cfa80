"""The run's queue as Notices, on the wire: long polls of up to ten messages, batch deletes whose failures come back."""

from collections.abc import Sequence
from typing import Any

import orjson

from smbench.aws.envelope import parse_message
from smbench.aws.wire_service import WireService
from smbench.records import Delivery, Rejected, Unacknowledged
from smbench.wire.sigv4 import payload_hash

_COUNT = "ApproximateReceiveCount"


class WireNotices:
    """Receives from and deletes in one queue.

    Args:
        service: SQS, whose pool waits longer than `wait_s` for an answer.
        run_prefix: Notices of ids that do not begin with it are foreign; None takes all.
    """

    def __init__(
        self, service: WireService, queue_url: str, *, run_prefix: str | None = None, wait_s: int = 20
    ) -> None:
        self.service, self.queue_url, self.run_prefix = service, queue_url, run_prefix
        self._receive = orjson.dumps(
            {
                "QueueUrl": queue_url,
                "MaxNumberOfMessages": 10,
                "WaitTimeSeconds": wait_s,
                "MessageSystemAttributeNames": [_COUNT],
            }
        )
        self._receive_sha256 = payload_hash(self._receive)

    async def receive(self) -> list[Delivery]:
        answer = await self._call("ReceiveMessage", self._receive, self._receive_sha256)
        return [self._delivery(message) for message in answer.get("Messages") or ()]

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        if not receipts:
            return []
        entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)]
        body = orjson.dumps({"QueueUrl": self.queue_url, "Entries": entries})
        answer = await self._call("DeleteMessageBatch", body, payload_hash(body))
        return [receipts[int(failed["Id"])] for failed in answer.get("Failed") or ()]

    async def _call(self, operation: str, body: bytes, body_sha256: str) -> dict[str, Any]:
        headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", f"AmazonSQS.{operation}"),
            ("x-amzn-query-mode", "true"),
        ]
        try:
            answer = await self.service.call(lambda: self.service.signed("POST", "/", headers, body, body_sha256))
            told = orjson.loads(answer.body)
        except Rejected as refusal:
            raise Unacknowledged(refusal.code) from refusal
        except orjson.JSONDecodeError as error:
            raise Unacknowledged("unreadable answer") from error
        if not isinstance(told, dict):
            raise Unacknowledged("unreadable answer")
        return told

    def _delivery(self, message: dict[str, Any]) -> Delivery:
        content = parse_message(message.get("Body", ""), run_prefix=self.run_prefix)
        return Delivery(message["ReceiptHandle"], content, int(message.get("Attributes", {}).get(_COUNT, 1)))
