"""SNS messages of an asynchronous endpoint: with SageMaker's own key order and spelling."""

import base64
from dataclasses import dataclass
from typing import Any

from smbench.emulator.sagemaker.invocation import PendingInvocation
from smbench.emulator.site import iso_ms

TEST_NOTIFICATION = '{"eventVersion":"1.0","eventSource":"aws:sagemaker","eventName":"TestNotification"}'
RUBBISH = "{ this is no JSON"

DOWNLOAD_FAILED = "ClientError: Failed to download the request payload from InputLocation."
UPLOAD_FAILED = "ClientError: Failed to upload the response to the S3 output path."

RESPONSE_MAX_BYTES = 128 * 1024  # a larger response is left out of the message (AsyncInferenceNotificationConfig)
_RESPONSE_MESSAGE = "Check S3 path location(if configured) or Cloudwatch for additional details."


@dataclass(slots=True)
class Result:
    """How an inference ended, as its message reports it. `failure_reason` is None when it completed."""

    event_utc_ns: int
    received_utc_ns: int
    failure_reason: str | None
    location: str | None  # where the output or the container's error stands in S3
    response: bytes | None = None  # set where IncludeInferenceResponseIn asks for it
    content_type: str = "application/json"


def result_document(taken: PendingInvocation, result: Result, *, endpoint: str, region: str) -> dict[str, Any]:
    """What SageMaker publishes at an inference's end, its keys in SageMaker's order.

    What the caller did not send is left out.
    """
    message: dict[str, Any] = {
        "awsRegion": region,
        "eventTime": iso_ms(result.event_utc_ns),
        "receivedTime": iso_ms(result.received_utc_ns),
        "invocationStatus": "Completed" if result.failure_reason is None else "Failed",
    }
    if result.failure_reason is not None:
        message["failureReason"] = result.failure_reason
    parameters = {
        "accept": taken.accept,
        "contentType": taken.content_type,
        "customAttributes": taken.custom_attributes,
        "endpointName": endpoint,
        "inputLocation": taken.input_location,
    }
    message["requestParameters"] = {name: value for name, value in parameters.items() if value is not None}
    if result.failure_reason is None:
        where = {} if result.location is None else {"outputLocation": result.location}
        message["responseParameters"] = {"contentType": result.content_type} | where
    elif result.location is not None:
        message["responseParameters"] = {"failureLocation": result.location}
    if result.response is not None and len(result.response) <= RESPONSE_MAX_BYTES:
        message["responseBody"] = {
            "content": base64.b64encode(result.response).decode("ascii"),
            "message": _RESPONSE_MESSAGE,
            "encoding": "BASE64",
        }
    message["inferenceId"] = taken.call.inference_id
    message["eventVersion"] = "1.0"
    message["eventSource"] = "aws:sagemaker"
    message["eventName"] = "InferenceResult"
    return message
