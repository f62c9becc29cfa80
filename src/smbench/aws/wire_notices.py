"""The run's queue as Notices, on the wire: long polls of up to ten messages, batch deletes whose failures come back."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from smbench.aws.notices import ATTRIBUTES, deliveries, entries, undeleted
from smbench.aws.wire_service import Stencil, WireService
from smbench.records import Delivery, Rejected, Unacknowledged
from smbench.wire.sigv4 import payload_hash


class WireNotices:
    """Receives from and deletes in one queue.

    Args:
        service: SQS, whose pool waits longer than `wait_s` for an answer.
        run_prefix: Notices of ids that do not begin with it are foreign; empty takes all.
    """

    def __init__(self, service: WireService, queue_url: str, *, run_prefix: str = "", wait_s: int = 20) -> None:
        self.service, self.queue_url, self.run_prefix = service, queue_url, run_prefix
        self._receive = orjson.dumps(
            {
                "QueueUrl": queue_url,
                "MaxNumberOfMessages": 10,
                "WaitTimeSeconds": wait_s,
                "MessageSystemAttributeNames": ATTRIBUTES,
            }
        )
        self._receive_sha256 = payload_hash(self._receive)
        self._receiving, self._deleting = (_stencil(service, name) for name in ("ReceiveMessage", "DeleteMessageBatch"))

    async def receive(self) -> list[Delivery]:
        answer = await self._answer(lambda: self._receiving.filled((), self._receive, self._receive_sha256))
        return deliveries(answer.get("Messages"), self.run_prefix)

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        if not receipts:
            return []
        body = orjson.dumps({"QueueUrl": self.queue_url, "Entries": entries(receipts)})
        answer = await self._answer(lambda: self._deleting.filled((), body, payload_hash(body)))
        return undeleted(answer.get("Failed"), receipts)

    async def _answer(self, make: Callable[[], bytes]) -> dict[str, Any]:
        try:
            answer = await self.service.call(make)
            told = orjson.loads(answer.body)
        except Rejected as refusal:
            raise Unacknowledged(refusal.code) from refusal
        except orjson.JSONDecodeError as error:
            raise Unacknowledged("unreadable answer") from error
        if not isinstance(told, dict):
            raise Unacknowledged("unreadable answer")
        return told


def _stencil(service: WireService, operation: str) -> Stencil:
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"AmazonSQS.{operation}",
        "x-amzn-query-mode": "true",
    }
    return Stencil(service, "POST", "/", headers)
