"""The run's queue as Notices, on the wire: long polls of up to ten messages, batch deletes whose failures come back."""

from collections.abc import Sequence
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
                "MessageSystemAttributeNames": ATTRIBUTES,
            }
        )
        self._receive_sha256 = payload_hash(self._receive)
        self._stencils = {
            operation: _stencil(service, operation) for operation in ("ReceiveMessage", "DeleteMessageBatch")
        }

    async def receive(self) -> list[Delivery]:
        answer = await self._call("ReceiveMessage", self._receive, self._receive_sha256)
        return deliveries(answer.get("Messages"), self.run_prefix)

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        if not receipts:
            return []
        body = orjson.dumps({"QueueUrl": self.queue_url, "Entries": entries(receipts)})
        answer = await self._call("DeleteMessageBatch", body, payload_hash(body))
        return undeleted(answer.get("Failed"), receipts)

    async def _call(self, operation: str, body: bytes, body_sha256: str) -> dict[str, Any]:
        stencil = self._stencils[operation]
        try:
            answer = await self.service.call(lambda: stencil.filled((), body, body_sha256))
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
