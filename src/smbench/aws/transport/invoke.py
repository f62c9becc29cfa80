"""InvokeEndpointAsync as a Transport, through the SDK: the reference every other transport is compared with."""

from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, UNREADABLE, cause_of, code_of, status_of
from smbench.aws.access.refusals import told_by
from smbench.records import Accepted, Invocation, Rejected, Unacknowledged


class SdkTransport:
    """Submits through an aiobotocore client whose own retries are off (`clients.py`).

    Args:
        client: A `sagemaker-runtime` client.
    """

    def __init__(self, client: Any, endpoint: str) -> None:
        self.client, self.endpoint = client, endpoint

    async def submit(self, invocation: Invocation) -> Accepted:
        """See `ports.Transport`; one attempt, without retries of the SDK."""
        try:
            answer = await self.client.invoke_endpoint_async(**_arguments(self.endpoint, invocation))
        except ClientError as error:
            raise Rejected(status_of(error), code_of(error), told_by(error)) from error
        except NO_ANSWER as error:
            raise Unacknowledged(cause_of(error)) from error
        except UNREADABLE as error:
            raise Unacknowledged("unreadable answer") from error
        return Accepted(
            answer.get("OutputLocation"), answer.get("FailureLocation"), answer["ResponseMetadata"]["HTTPStatusCode"]
        )


def _arguments(endpoint: str, invocation: Invocation) -> dict[str, Any]:
    """Only what was given: botocore refuses None."""
    wanted = {
        "EndpointName": endpoint,
        "InferenceId": invocation.inference_id,
        "InputLocation": invocation.input_location,
        "Body": invocation.body,
        "ContentType": invocation.content_type,
        "Accept": invocation.accept,
        "CustomAttributes": invocation.custom_attributes,
        "RequestTTLSeconds": invocation.ttl_s,
        "InvocationTimeoutSeconds": invocation.timeout_s,
        "S3OutputPathExtension": invocation.output_extension,
        "Filename": invocation.filename,
    }
    return {name: value for name, value in wanted.items() if value is not None}
