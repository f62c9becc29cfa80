"""The run's queue as Notices, on the wire: long polls of up to ten messages, batch deletes whose failures come back."""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from smbench.aws.transport.notices import ATTRIBUTES, delivery, entries, undeleted
from smbench.aws.transport.wire_service import Stencil, WireService
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
        """See `ports.Notices`: at most ten messages, after a long poll."""
        try:
            answer = await self.service.call(lambda: self._receiving.filled((), self._receive, self._receive_sha256))
        except Rejected as refusal:
            raise Unacknowledged(refusal.code) from refusal
        try:
            return [
                delivery(one.ReceiptHandle, one.Body, one.Attributes.SentTimestamp, self.run_prefix)
                for one in _received(answer.body).Messages or ()
            ]
        except (ValueError, RecursionError) as error:  # msgspec's errors are among them
            raise Unacknowledged("unreadable answer") from error

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        """See `ports.Notices`; no call where there are no receipts."""
        if not receipts:
            return []
        body = orjson.dumps({"QueueUrl": self.queue_url, "Entries": entries(receipts)})
        try:
            answer = await self.service.call(lambda: self._deleting.filled((), body, payload_hash(body)))
        except Rejected as refusal:
            raise Unacknowledged(refusal.code) from refusal
        try:
            failed = _deleted(answer.body).Failed
        except (ValueError, RecursionError) as error:
            raise Unacknowledged("unreadable answer") from error
        return undeleted(failed, receipts)


# What is read of SQS's answers, under its names; the rest is passed over.


class _Attributes(msgspec.Struct, frozen=True, gc=False):
    SentTimestamp: str | None = None


class _Message(msgspec.Struct, gc=False):
    ReceiptHandle: str
    Body: str = ""
    Attributes: _Attributes = _Attributes()


class _Received(msgspec.Struct, gc=False):
    Messages: list[_Message] | None = None  # left out where there is none


class _Deleted(msgspec.Struct, gc=False):
    Failed: list[dict[str, Any]] | None = None  # left out where there is none


_received, _deleted = msgspec.json.Decoder(_Received).decode, msgspec.json.Decoder(_Deleted).decode


def _stencil(service: WireService, operation: str) -> Stencil:
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"AmazonSQS.{operation}",
        "x-amzn-query-mode": "true",
    }
    return Stencil(service, "POST", "/", headers)
