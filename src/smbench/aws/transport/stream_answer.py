"""A streamed answer as it comes, in both transports: its parts and their instants, errors inside it, and how it ended.

Status 200 says that the endpoint has taken the request. Completed is only an answer that said itself where it ends and
reached that place between two messages; whatever else it comes to, the caller never has the whole answer: it failed.
"""

from collections.abc import Callable, Mapping

import msgspec

from smbench.aws.access.causes import cause_of
from smbench.aws.transport.invoke_sync import whole_answer
from smbench.records import TORN_STREAM, Answered, Outcome, PartsSeen, Rejected
from smbench.scenario.values.answers import Expect
from smbench.wire.http1 import UnreadableAnswer

UNREADABLE_STREAM = "unreadable stream"


class _StreamError(msgspec.Struct):
    Message: str | None = None  # AWS's names
    ErrorCode: str | None = None


class StreamAnswer:
    """One answer, from its head to its end.

    Args:
        now_ns: The run's clock; read once for each part.
        expect: What a right answer is; None: any that is whole.
    """

    def __init__(self, now_ns: Callable[[], int], expect: Expect | None = None) -> None:
        self._now_ns, self._expect = now_ns, expect
        self._status: int | None = None
        self._content_type: str | None = None
        self._variant: str | None = None
        self._seen, self._size_bytes = PartsSeen(), 0
        self._body: list[bytes] = []  # empty where nothing is expected of it
        self._error: Rejected | None = None

    @property
    def is_begun(self) -> bool:
        """Its head is there: the endpoint has taken the request."""
        return self._status is not None

    def begin(self, status: int, content_type: str | None, variant: str | None = None) -> None:
        """The head is there, of a good status.

        Args:
            content_type: Of what is in the parts.
            variant: Which production variant answers; None: not asked.
        """
        self._status, self._content_type, self._variant = status, content_type, variant

    def take(self, headers: Mapping[str, str], payload: bytes) -> None:
        """One message of the stream. What AWS does not document is passed over."""
        kind = headers.get(":message-type")
        if kind == "event" and headers.get(":event-type") == "PayloadPart":
            self._part(payload)
        elif kind in ("exception", "error") and self._error is None:
            self._error = self._told(headers, payload)

    def whole(self) -> Answered:
        """It came to its end, between two messages."""
        assert self._status is not None, "its head came first"
        if self._error is not None:
            return self._failed(self._error.reason)
        answer = whole_answer(self._expect, self._status, lambda: self._content_type, b"".join(self._body))
        return msgspec.structs.replace(
            answer, size_bytes=self._size_bytes, parts=self._seen.so_far(), variant=self._variant
        )

    def torn(self, error: BaseException | None = None) -> Answered:
        """It did not come to its end.

        Args:
            error: Why its connection brings no more; None: it ended within a message.
        """
        if self._error is not None:
            return self._failed(self._error.reason)
        if isinstance(error, UnreadableAnswer):
            return self._failed(UNREADABLE_STREAM)
        return self._failed(f"{TORN_STREAM}: {'ended within a message' if error is None else cause_of(error)}")

    def _failed(self, reason: str) -> Answered:
        assert self._status is not None, "its head came first"
        parts, variant = self._seen.so_far(), self._variant
        return Answered(Outcome.FAILED, self._status, reason, self._size_bytes, parts=parts, variant=variant)

    def _part(self, payload: bytes) -> None:
        self._seen.came(self._now_ns())
        self._size_bytes += len(payload)
        if self._expect is not None:
            self._body.append(payload)

    def _told(self, headers: Mapping[str, str], payload: bytes) -> Rejected:
        assert self._status is not None, "its head came first"
        if headers.get(":message-type") == "error":
            code = headers.get(":error-code", "Unknown")
            return Rejected(self._status, code, headers.get(":error-message", ""))
        code = headers.get(":exception-type", "Unknown")
        try:
            told = msgspec.json.decode(payload, type=_StreamError)
        except (msgspec.DecodeError, UnicodeDecodeError):
            told = _StreamError()
        return Rejected(self._status, " ".join(filter(None, (code, told.ErrorCode))), told.Message or "")
