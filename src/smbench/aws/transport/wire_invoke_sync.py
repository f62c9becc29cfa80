"""InvokeEndpoint as a Transport, on the wire: what the SDK would send and read, at a fraction of its CPU."""

from collections.abc import Callable
from functools import partial

from smbench.aws.transport.invoke_sync import VARIANT_HEADER, by_variant, container_error, own_error, whole_answer
from smbench.aws.transport.wire_service import WireService
from smbench.aws.transport.wire_sync_requests import SyncRequests
from smbench.records import Answer, Answered, Invocation, Rejected
from smbench.scenario.values.answers import Expect
from smbench.wire.http1 import FIRST_ERROR_STATUS, Response

_VARIANT = VARIANT_HEADER.encode()


class WireSyncTransport:
    """Calls one endpoint; never tries twice.

    Args:
        service: SageMaker Runtime, whose answers may take as long as a container's.
        expect: What a right answer is; None: any of a good status.
        names_variant: An answer says which production variant gave it.
    """

    def __init__(
        self, service: WireService, endpoint: str, expect: Expect | None = None, *, names_variant: bool = False
    ) -> None:
        self.service, self.expect, self.names_variant = service, expect, names_variant
        self._request = SyncRequests(service, f"/endpoints/{endpoint}/invocations", accept="accept").of

    async def submit(self, invocation: Invocation) -> Answered:
        """See `ports.Transport`: returns when the whole answer is there."""
        try:
            answer = await self.service.call(lambda: self._request(invocation))
        except Rejected as refusal:
            return container_error(refusal)
        return self._whole(answer)

    def promptly(
        self, leaving: Callable[[int], Invocation], ended: Callable[[int, Answer], None]
    ) -> Callable[[int], bool]:
        """See `ports.PromptTransport`."""

        def made(row: int) -> bytes:
            return self._request(leaving(row))

        def over(row: int, outcome: Response | Exception) -> None:
            if isinstance(outcome, Response) and outcome.status < FIRST_ERROR_STATUS:
                ended(row, self._whole(outcome))
                return
            failure = self.service.failure_of(outcome)
            ended(row, (own_error(failure) if isinstance(failure, Rejected) else None) or failure)

        return partial(self.service.begin, made, over)

    def _whole(self, answer: Response) -> Answered:
        whole = whole_answer(self.expect, answer.status, lambda: answer.header(b"content-type"), answer.body)
        return by_variant(whole, answer.header(_VARIANT)) if self.names_variant else whole
