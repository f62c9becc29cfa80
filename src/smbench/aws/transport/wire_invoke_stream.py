"""InvokeEndpointWithResponseStream as a Transport, on the wire."""

from collections.abc import Callable

from smbench.aws.transport.invoke_sync import VARIANT_HEADER, own_error
from smbench.aws.transport.stream_answer import StreamAnswer
from smbench.aws.transport.wire_service import WireService
from smbench.aws.transport.wire_sync_requests import PREFIX, SyncRequests
from smbench.records import Answer, Answered, Invocation, Rejected, Unacknowledged
from smbench.scenario.values.answers import Expect
from smbench.wire.event_stream import Decoder
from smbench.wire.http1 import FIRST_ERROR_STATUS, Response, UnreadableAnswer

_CONTENT_TYPE = f"{PREFIX}content-type".encode()
_VARIANT = VARIANT_HEADER.encode()


class WireStreamTransport:
    """Calls one endpoint; never tries twice.

    Args:
        service: SageMaker Runtime, whose answers may take as long as a stream of a container's.
        now_ns: The run's clock, by which the parts come.
        expect: What a right answer is; None: any that is whole.
        names_variant: An answer says which production variant gives it.
    """

    def __init__(
        self,
        service: WireService,
        endpoint: str,
        now_ns: Callable[[], int],
        expect: Expect | None = None,
        *,
        names_variant: bool = False,
    ) -> None:
        self.service, self.now_ns, self.expect, self.names_variant = service, now_ns, expect, names_variant
        path = f"/endpoints/{endpoint}/invocations-response-stream"
        self._request = SyncRequests(service, path, accept=f"{PREFIX}accept").of

    async def submit(self, invocation: Invocation) -> Answered:
        """See `ports.Transport`: returns when the answer is whole, or brings no more."""
        reading = _Reading(StreamAnswer(self.now_ns, self.expect), self.names_variant)
        outcome: Response | Exception
        try:
            outcome = await self.service.answer_to(lambda: self._request(invocation), pieces=reading)
        except (OSError, UnreadableAnswer) as error:
            outcome = error
        answer = self._over(reading, outcome)
        if isinstance(answer, Answered):
            return answer
        raise answer

    def promptly(
        self, leaving: Callable[[int], Invocation], ended: Callable[[int, Answer], None]
    ) -> Callable[[int], bool]:
        """See `ports.PromptTransport`."""

        def made(of: tuple[int, _Reading]) -> bytes:
            return self._request(leaving(of[0]))

        def over(of: tuple[int, _Reading], outcome: Response | Exception) -> None:
            row, reading = of
            ended(row, self._over(reading, outcome))

        def submit(row: int) -> bool:
            reading = _Reading(StreamAnswer(self.now_ns, self.expect), self.names_variant)
            return self.service.begin(made, over, (row, reading), reading)

        return submit

    def _over(self, reading: "_Reading", outcome: Response | Exception) -> Answered | Rejected | Unacknowledged:
        if isinstance(outcome, Response) and outcome.status < FIRST_ERROR_STATUS:
            return reading.answer.whole() if reading.decoder.is_between else reading.answer.torn()
        if reading.answer.is_begun and isinstance(outcome, Exception):
            return reading.answer.torn(outcome)
        failure = self.service.failure_of(outcome)
        return (own_error(failure) if isinstance(failure, Rejected) else None) or failure


class _Reading:
    """The body of one answer, as `wire.http1.Pieces`."""

    def __init__(self, answer: StreamAnswer, names_variant: bool) -> None:
        self.answer, self.decoder, self._names_variant = answer, Decoder(answer.take), names_variant

    def begin(self, response: Response) -> None:
        """See `wire.http1.Pieces`."""
        variant = response.header(_VARIANT) if self._names_variant else None
        self.answer.begin(response.status, response.header(_CONTENT_TYPE), variant)

    def take(self, data: bytes) -> None:
        """See `wire.http1.Pieces`."""
        self.decoder.feed(data)
