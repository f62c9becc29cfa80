"""An answer in a stream: messages as AWS frames them, to the end, with an error inside, or broken off."""

import asyncio
from collections.abc import Callable

import orjson

from smbench.emulator.faults import FaultKind
from smbench.emulator.protocol.chunks import Chunks
from smbench.emulator.protocol.http import HttpResponse
from smbench.model.endpoints.answers import STREAM_CONTENT_TYPE, part_of, stream_error_of
from smbench.model.endpoints.endpoint import INSTANCE_LOST
from smbench.wire.event_stream import encoded

_PART = {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}
# The API reference's own words, of ResponseStream.
_FAILURE = "The stream processing failed because of an unknown error, exception or failure. Try your request again."


class StreamedReply:
    """The answer to one call.

    Args:
        n_parts: Of the whole answer.
        fate: What happens after half of its parts, where it is a trouble of streams.
        answer: Gets the reply when its first part is there.
    """

    def __init__(
        self, inference_id: str, variant: str, n_parts: int, fate: FaultKind, answer: "asyncio.Future[HttpResponse]"
    ) -> None:
        self.inference_id, self.variant, self.n_parts = inference_id, variant, n_parts
        self._answer = answer
        self._chunks = Chunks()
        self._n_sent = 0
        self._trouble = self._troubles().get(fate)
        self.is_begun = False

    def part(self, place: int) -> None:
        """The container has said this part."""
        if self._chunks.is_over:
            return
        self._begin()
        message = encoded(_PART, part_of(self.inference_id, place))
        if place == self.n_parts // 2 and self._trouble is not None:
            self._trouble(message)
            return
        self._chunks.put(message)
        self._n_sent = place + 1

    def complete(self) -> None:
        """The container is done: what it has not yet said comes now."""
        for place in range(self._n_sent, self.n_parts):
            self.part(place)
        if not self._chunks.is_over:
            self._chunks.end()

    def fail(self, reason: str) -> None:
        """The container, which had begun to answer, says no more."""
        if self._chunks.is_over:
            return
        code, words = stream_error_of(reason)
        self._except("ModelStreamError", {"Message": words, "ErrorCode": code})

    def _begin(self) -> None:
        self.is_begun = True
        if not self._answer.done():
            headers = [
                ("Content-Type", "application/vnd.amazon.eventstream"),
                ("X-Amzn-SageMaker-Content-Type", STREAM_CONTENT_TYPE),
                ("x-Amzn-Invoked-Production-Variant", self.variant),
            ]
            self._answer.set_result(HttpResponse(200, headers, chunks=self._chunks))

    def _troubles(self) -> dict[FaultKind, Callable[[bytes], None]]:
        return {
            FaultKind.TORN_STREAM: self._tear,
            FaultKind.STREAM_ERROR: lambda _: self.fail(INSTANCE_LOST),
            FaultKind.STREAM_FAILURE: lambda _: self._except("InternalStreamFailure", {"Message": _FAILURE}),
        }

    def _tear(self, message: bytes) -> None:
        self._chunks.put(message[: len(message) // 2])
        self._chunks.end(is_whole=False)

    def _except(self, kind: str, body: dict[str, str]) -> None:
        headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
        self._chunks.put(encoded(headers, orjson.dumps(body)))
        self._chunks.end()
