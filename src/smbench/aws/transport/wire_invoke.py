"""InvokeEndpointAsync as a Transport, on the wire: what the SDK would send and read, at a fraction of its CPU."""

from collections.abc import Callable
from functools import lru_cache, partial

from smbench.aws.transport.wire_service import Stencil, WireService
from smbench.records import Accepted, Answer, Invocation
from smbench.wire.http1 import FIRST_ERROR_STATUS, Response
from smbench.wire.sigv4 import payload_hash

_PREFIX = "x-amzn-sagemaker-"
_ID, _LOCATION = f"{_PREFIX}inference-id", f"{_PREFIX}inputlocation"
_OUTPUT, _FAILURE = b"x-amzn-sagemaker-outputlocation", b"x-amzn-sagemaker-failurelocation"
_STENCILS_MAX = 256  # kinds of request: each payload of JSON lines may have its own headers


class WireTransport:
    """Submits to one endpoint; never tries twice.

    Args:
        service: SageMaker Runtime.
    """

    def __init__(self, service: WireService, endpoint: str) -> None:
        self.service, self.path = service, f"/endpoints/{endpoint}/async-invocations"
        self._stencil = lru_cache(maxsize=_STENCILS_MAX)(self._cut)

    async def submit(self, invocation: Invocation) -> Accepted:
        """See `ports.Transport`."""
        return _accepted(await self.service.call(lambda: self._request(invocation)))

    def promptly(
        self, leaving: Callable[[int], Invocation], ended: Callable[[int, Answer], None]
    ) -> Callable[[int], bool]:
        """See `ports.PromptTransport`."""

        def made(row: int) -> bytes:
            return self._request(leaving(row))

        def over(row: int, outcome: Response | Exception) -> None:
            if isinstance(outcome, Response) and outcome.status < FIRST_ERROR_STATUS:
                ended(row, _accepted(outcome))
            else:
                ended(row, self.service.failure_of(outcome))

        return partial(self.service.begin, made, over)

    def _request(self, invocation: Invocation) -> bytes:
        body = invocation.body or b""
        stencil = self._stencil(
            invocation.input_location is not None,
            invocation.content_type,
            invocation.accept,
            invocation.custom_attributes,
            invocation.ttl_s,
            invocation.timeout_s,
            invocation.output_extension,
            invocation.filename,
        )
        location = invocation.input_location
        varying = (invocation.inference_id,) if location is None else (invocation.inference_id, location)
        return stencil.filled(varying, body, payload_hash(body))

    def _cut(
        self,
        has_location: bool,
        content_type: str | None,
        accept: str | None,
        custom_attributes: str | None,
        ttl_s: int | None,
        timeout_s: int | None,
        output_extension: str | None,
        filename: str | None,
    ) -> Stencil:
        """Only what was given; the payload's type has a header of its own, and there is no Content-Type."""
        wanted = {
            "accept": accept,
            "content-type": content_type,
            "custom-attributes": custom_attributes,
            "filename": filename,
            "invocationtimeoutseconds": timeout_s,
            "requestttlseconds": ttl_s,
            "s3outputpathextension": output_extension,
        }
        constant = {f"{_PREFIX}{name}": str(value) for name, value in wanted.items() if value is not None}
        varying = (_ID, _LOCATION) if has_location else (_ID,)
        return Stencil(self.service, "POST", self.path, constant, varying)


def _accepted(answer: Response) -> Accepted:
    return Accepted(answer.header(_OUTPUT), answer.header(_FAILURE), answer.status)
