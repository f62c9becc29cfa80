"""SQS as clients of before late 2023 speak it: forms in, XML out, the queue's URL perhaps only in the path."""

from collections.abc import Mapping
from typing import Any

from smbench.emulator.protocol.codecs import Params, QueryProtocol
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import Tree

_PREFIX = "AWS.SimpleQueueService."
CODES = {  # error codes whose name in this protocol is another
    "QueueDoesNotExist": _PREFIX + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    **{
        code: _PREFIX + code
        for code in (
            "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
            "MessageNotInflight", "PurgeQueueInProgress", "QueueDeletedRecently", "TooManyEntriesInBatchRequest",
            "UnsupportedOperation",
        )
    },
}  # fmt: skip


class SqsQueryProtocol(QueryProtocol):
    """AWS query, with what is SQS's own."""

    def _form(self, request: HttpRequest) -> Tree:
        form = super()._form(request)
        if "Action" in form and request.path.strip("/"):
            form.setdefault("QueueUrl", request.path)  # calls on a queue may go to its URL and not name it again
        return form

    def checked(self, shapes: Any, params: Any) -> Params:
        # An empty batch cannot be written in a form; SQS takes its absence for one.
        if isinstance(params, dict) and shapes.name.endswith("Batch"):
            params.setdefault("Entries", [])
        return super().checked(shapes, params)

    def reply(self, operation: str, result: Mapping[str, Any] | None, *, request_id: str = "") -> HttpResponse:
        failed = (result or {}).get("Failed")
        if result and failed:
            renamed = [entry | {"Code": CODES.get(entry["Code"], entry["Code"])} for entry in failed]
            result = {**result, "Failed": renamed}
        return super().reply(operation, result, request_id=request_id)
