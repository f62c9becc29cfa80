"""InvokeEndpointWithResponseStream as a Transport, through the SDK.

The SDK itself ends a stream that broke off as if it had been whole, in two of three ways in which HTTP can end it. So
its events are not taken from its iterator but, by its own reader of events, from the bytes below: only there it shows
whether the last event was whole, and the headers say whether the answer named its end.
"""

from collections.abc import Callable
from typing import Any

import anyio
from botocore.eventstream import EventStreamBuffer, ParserError
from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, UNREADABLE, cause_of, code_of, original_status_of, status_of
from smbench.aws.access.refusals import told_by
from smbench.aws.transport.invoke_sync import arguments, container_error
from smbench.aws.transport.stream_answer import StreamAnswer
from smbench.records import Answered, Invocation, Rejected, Unacknowledged
from smbench.scenario.values.answers import Expect
from smbench.wire.event_stream import UnreadableStream
from smbench.wire.http1 import BODY_MAX_BYTES, BrokenOff, UnreadableAnswer

_UNREADABLE_EVENTS = (ParserError, LookupError, UnicodeDecodeError, ValueError)  # botocore's reader, of other bytes
_NAME_ITS_END = ("content-length", "transfer-encoding")


class SdkStreamTransport:
    """Calls through an aiobotocore client whose own retries are off (`clients.py`).

    Args:
        client: A `sagemaker-runtime` client.
        now_ns: The run's clock, by which the parts come.
        answer_s: From the request to the whole answer; the SDK itself bounds the silence alone.
        expect: What a right answer is; None: any that is whole.
        names_variant: An answer says which production variant gives it.
    """

    def __init__(
        self,
        client: Any,
        endpoint: str,
        now_ns: Callable[[], int],
        answer_s: float,
        expect: Expect | None = None,
        *,
        names_variant: bool = False,
    ) -> None:
        self.client, self.endpoint, self.now_ns, self.answer_s = client, endpoint, now_ns, answer_s
        self.expect, self.names_variant = expect, names_variant

    async def submit(self, invocation: Invocation) -> Answered:
        """See `ports.Transport`: returns when the answer is whole, or brings no more; one attempt."""
        answer = StreamAnswer(self.now_ns, self.expect)
        try:
            with anyio.fail_after(self.answer_s):
                return await self._read(answer, invocation)
        except ClientError as error:
            refusal = Rejected(status_of(error), code_of(error), told_by(error), original_status_of(error))
            return container_error(refusal, error)
        except UnreadableAnswer as error:
            return answer.torn(error)
        except NO_ANSWER as error:
            if answer.is_begun:
                return answer.torn(error)
            raise Unacknowledged(cause_of(error)) from error
        except UNREADABLE as error:
            raise Unacknowledged("unreadable answer") from error

    async def _read(self, answer: StreamAnswer, invocation: Invocation) -> Answered:
        called = await self.client.invoke_endpoint_with_response_stream(**arguments(self.endpoint, invocation))
        told = called["ResponseMetadata"]
        variant = called.get("InvokedProductionVariant") if self.names_variant else None
        answer.begin(told["HTTPStatusCode"], called.get("ContentType"), variant)
        events, is_over = called["Body"], False
        try:
            is_between = await _feed(answer, events._raw_stream)  # its iterator hides how it ended
            is_over = True
        finally:
            if not is_over:
                events.close()
        if not any(name in told["HTTPHeaders"] for name in _NAME_ITS_END):
            return answer.torn(BrokenOff())
        return answer.whole() if is_between else answer.torn()


async def _feed(answer: StreamAnswer, body: Any) -> bool:
    """Take all that comes; whether it ended between two messages. Raises UnreadableAnswer."""
    buffer: Any = EventStreamBuffer()  # its stub has other types than it
    n_bytes = left_bytes = 0
    async for data, _ in body.content.iter_chunks():
        n_bytes += len(data)
        if n_bytes > BODY_MAX_BYTES:
            raise UnreadableAnswer("a stream beyond all bounds")
        left_bytes += len(data)
        try:
            buffer.add_data(data)
            for event in buffer:
                left_bytes -= event.prelude.total_length
                headers = {name: value for name, value in event.headers.items() if isinstance(value, str)}
                answer.take(headers, event.payload)
        except _UNREADABLE_EVENTS as error:
            raise UnreadableStream(str(error)) from error
    return left_bytes == 0
