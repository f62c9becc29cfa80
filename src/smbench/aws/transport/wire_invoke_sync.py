"""InvokeEndpoint as a Transport, on the wire: what the SDK would send and read, at a fraction of its CPU."""

from collections.abc import Callable
from functools import lru_cache

from smbench.aws.transport.invoke_sync import container_error, own_error, whole_answer
from smbench.aws.transport.wire_service import FIRST_ERROR_STATUS, Stencil, WireService
from smbench.records import Answer, Answered, Invocation, Rejected
from smbench.scenario.values.answers import Expect
from smbench.wire.http1 import Response
from smbench.wire.sigv4 import payload_hash

_PREFIX = "x-amzn-sagemaker-"
_ID = f"{_PREFIX}inference-id"
_STENCILS_MAX = 256  # kinds of request: each payload of JSON lines may have its own headers


class WireSyncTransport:
    """Calls one endpoint; never tries twice.

    Args:
        service: SageMaker Runtime, whose answers may take as long as a container's.
        expect: What a right answer is; None: any of a good status.
    """

    def __init__(self, service: WireService, endpoint: str, expect: Expect | None = None) -> None:
        self.service, self.path, self.expect = service, f"/endpoints/{endpoint}/invocations", expect
        self._stencil = lru_cache(maxsize=_STENCILS_MAX)(self._cut)

    async def submit(self, invocation: Invocation) -> Answered:
        """See `ports.Transport`: returns when the whole answer is there."""
        try:
            answer = await self.service.call(lambda: self._request(invocation))
        except Rejected as refusal:
            return container_error(refusal)
        return self._whole(answer)

    def submit_now(self, leaving: Callable[[], Invocation], ended: Callable[[Answer], None]) -> bool:
        """See `ports.PromptTransport`."""

        def over(outcome: Response | Exception) -> None:
            if isinstance(outcome, Response) and outcome.status < FIRST_ERROR_STATUS:
                ended(self._whole(outcome))
                return
            failure = self.service.failure_of(outcome)
            ended((own_error(failure) if isinstance(failure, Rejected) else None) or failure)

        return self.service.pool.exchange_now(lambda: self._request(leaving()), over)

    def _whole(self, answer: Response) -> Answered:
        return whole_answer(self.expect, answer.status, lambda: answer.header(b"content-type"), answer.body)

    def _request(self, invocation: Invocation) -> bytes:
        body = invocation.body or b""
        stencil = self._stencil(
            invocation.content_type,
            invocation.accept,
            invocation.custom_attributes,
            invocation.target_model,
            invocation.target_variant,
            invocation.target_container,
            invocation.inference_component,
            invocation.explanations,
        )
        return stencil.filled((invocation.inference_id,), body, payload_hash(body))

    def _cut(
        self,
        content_type: str | None,
        accept: str | None,
        custom_attributes: str | None,
        target_model: str | None,
        target_variant: str | None,
        target_container: str | None,
        inference_component: str | None,
        explanations: str | None,
    ) -> Stencil:
        """Only what was given; the payload's type and what is accepted have HTTP's own headers here."""
        wanted = {
            "accept": accept,
            "content-type": content_type,
            f"{_PREFIX}custom-attributes": custom_attributes,
            f"{_PREFIX}enable-explanations": explanations,
            f"{_PREFIX}inference-component": inference_component,
            f"{_PREFIX}target-container-hostname": target_container,
            f"{_PREFIX}target-model": target_model,
            f"{_PREFIX}target-variant": target_variant,
        }
        constant = {name: value for name, value in wanted.items() if value is not None}
        return Stencil(self.service, "POST", self.path, constant, (_ID,))
