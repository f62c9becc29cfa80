"""InvokeEndpoint as a Transport, through the SDK; and what an error of the container's own means in both transports."""

import io
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from smbench.aws.access.causes import (
    CONTAINERS_OWN,
    NO_ANSWER,
    UNREADABLE,
    cause_of,
    code_of,
    original_status_of,
    status_of,
)
from smbench.aws.access.refusals import told_by
from smbench.records import Answered, Invocation, Outcome, Rejected, Unacknowledged
from smbench.scenario.values.answers import Expect

VARIANT_HEADER = "x-amzn-invoked-production-variant"
_AT_ONCE_BYTES = 2**20  # aiohttp sends more in pieces, so that the loop is not held, if it is given a stream


class SdkSyncTransport:
    """Calls through an aiobotocore client whose own retries are off (`clients.py`).

    Args:
        client: A `sagemaker-runtime` client.
        expect: What a right answer is; None: any of a good status.
        names_variant: An answer says which production variant gave it.
    """

    def __init__(
        self, client: Any, endpoint: str, expect: Expect | None = None, *, names_variant: bool = False
    ) -> None:
        self.client, self.endpoint, self.expect, self.names_variant = client, endpoint, expect, names_variant

    async def submit(self, invocation: Invocation) -> Answered:
        """See `ports.Transport`: returns when the whole answer is there; one attempt, without retries of the SDK."""
        try:
            answer = await self.client.invoke_endpoint(**arguments(self.endpoint, invocation))
            async with answer["Body"] as body:
                content = await body.read()
        except ClientError as error:
            refusal = Rejected(status_of(error), code_of(error), told_by(error), original_status_of(error))
            return container_error(refusal, error)
        except NO_ANSWER as error:
            raise Unacknowledged(cause_of(error)) from error
        except UNREADABLE as error:
            raise Unacknowledged("unreadable answer") from error
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        whole = whole_answer(self.expect, status, lambda: answer.get("ContentType"), content)
        return by_variant(whole, answer.get("InvokedProductionVariant")) if self.names_variant else whole


def whole_answer(expect: Expect | None, status: int, content_type: Callable[[], str | None], body: bytes) -> Answered:
    """An answer of a good status as the end of a request: right, or wrong by what is expected of it."""
    found = None if expect is None else expect.difference(content_type(), body)
    if found is None:
        return Answered(Outcome.COMPLETED, status, None, len(body))
    wrong, reason = found
    return Answered(Outcome.FAILED, status, reason, len(body), wrong)


def by_variant(answer: Answered, variant: str | None) -> Answered:
    """The same answer, with the variant that gave it."""
    return msgspec.structs.replace(answer, variant=variant)


def container_error(refusal: Rejected, cause: Exception | None = None) -> Answered:
    """The container's own error as the end of a request that was taken; raises any other refusal."""
    if (end := own_error(refusal)) is not None:
        return end
    raise refusal from cause


def own_error(refusal: Rejected) -> Answered | None:
    """The same; None where the refusal is another's."""
    return Answered(Outcome.FAILED, refusal.status_code, refusal.reason) if refusal.code == CONTAINERS_OWN else None


def arguments(endpoint: str, invocation: Invocation) -> dict[str, Any]:
    """Of either synchronous call, in botocore's names. Only what was given: botocore refuses None."""
    body = invocation.body or b""
    wanted = {
        "EndpointName": endpoint,
        "InferenceId": invocation.inference_id,
        "Body": body if len(body) <= _AT_ONCE_BYTES else io.BytesIO(body),
        "ContentType": invocation.content_type,
        "Accept": invocation.accept,
        "CustomAttributes": invocation.custom_attributes,
        "TargetModel": invocation.target_model,
        "TargetVariant": invocation.target_variant,
        "TargetContainerHostname": invocation.target_container,
        "InferenceComponentName": invocation.inference_component,
        "EnableExplanations": invocation.explanations,
    }
    return {name: value for name, value in wanted.items() if value is not None}
