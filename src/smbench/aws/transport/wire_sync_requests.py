"""Requests of InvokeEndpoint and InvokeEndpointWithResponseStream as they leave on the wire."""

from functools import lru_cache

from smbench.aws.transport.wire_service import Stencil, WireService
from smbench.records import Invocation
from smbench.wire.sigv4 import payload_hash

PREFIX = "x-amzn-sagemaker-"
_ID = f"{PREFIX}inference-id"
_STENCILS_MAX = 256  # kinds of request: each payload of JSON lines may have its own headers


class SyncRequests:
    """Makes the requests of one call to one endpoint.

    Args:
        path: Of the call.
        accept: The header that says what is accepted; the payload's type has HTTP's own.
    """

    def __init__(self, service: WireService, path: str, *, accept: str) -> None:
        self.service, self.path, self.accept = service, path, accept
        self._stencil = lru_cache(maxsize=_STENCILS_MAX)(self._cut)

    def of(self, invocation: Invocation) -> bytes:
        """A whole request."""
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
        """Only what was given."""
        wanted = {
            self.accept: accept,
            "content-type": content_type,
            f"{PREFIX}custom-attributes": custom_attributes,
            f"{PREFIX}enable-explanations": explanations,
            f"{PREFIX}inference-component": inference_component,
            f"{PREFIX}target-container-hostname": target_container,
            f"{PREFIX}target-model": target_model,
            f"{PREFIX}target-variant": target_variant,
        }
        constant = {name: value for name, value in wanted.items() if value is not None}
        return Stencil(self.service, "POST", self.path, constant, (_ID,))
