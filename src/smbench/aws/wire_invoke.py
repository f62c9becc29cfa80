"""InvokeEndpointAsync as a Transport, on the wire: what the SDK would send and read, at a twentieth of its CPU."""

from smbench.aws.wire_service import WireService
from smbench.records import Accepted, Invocation
from smbench.wire.sigv4 import payload_hash

_PREFIX = "x-amzn-sagemaker-"
_OUTPUT, _FAILURE = b"x-amzn-sagemaker-outputlocation", b"x-amzn-sagemaker-failurelocation"


class WireTransport:
    """Submits to one endpoint; never tries twice.

    Args:
        service: SageMaker Runtime.
    """

    def __init__(self, service: WireService, endpoint: str) -> None:
        self.service, self.path = service, f"/endpoints/{endpoint}/async-invocations"

    async def submit(self, invocation: Invocation) -> Accepted:
        answer = await self.service.call(lambda: self._request(invocation))
        return Accepted(answer.header(_OUTPUT), answer.header(_FAILURE), answer.status)

    def _request(self, invocation: Invocation) -> bytes:
        """Only what was given; the payload's type has a header of its own, and there is no Content-Type."""
        body = invocation.body or b""
        headers = [(f"{_PREFIX}inference-id", invocation.inference_id)]
        for name, value in (
            ("inputlocation", invocation.input_location),
            ("content-type", invocation.content_type),
            ("accept", invocation.accept),
            ("custom-attributes", invocation.custom_attributes),
            ("requestttlseconds", invocation.ttl_s),
            ("invocationtimeoutseconds", invocation.timeout_s),
        ):
            if value is not None:
                headers.append((f"{_PREFIX}{name}", str(value)))
        return self.service.signed("POST", self.path, headers, body, payload_hash(body))
