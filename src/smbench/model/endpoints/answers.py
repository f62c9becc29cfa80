"""A synchronous call inside the endpoint: how the endpoint takes it, and what the emulated container answers."""

import orjson

from smbench.model.endpoints.jobs import (
    CONTAINER_ERROR,
    INSTANCE_LOST,
    OUT_OF_MEMORY,
    OVERLOADED,
    TIMEOUT,
    Ended,
    Job,
)
from smbench.model.endpoints.streaming import Streamed
from smbench.scenario.values.request import ANSWER_MAX_S, STREAM_MAX_S

ANSWERED, MODEL_ERROR, THROTTLED = 200, 424, 400  # HTTP status
CONTENT_TYPE = "application/json"
STREAM_CONTENT_TYPE = "application/jsonlines"
GAPS = "service.gaps"  # the use of chance that spaces the parts of answers

_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
_ENDPOINT = "[ENDPOINT NAME]"
_DEAD = (  # as users of SageMaker quote it: aws/amazon-sagemaker-examples issues 2815 and 3089
    f"Amazon SageMaker could not get a response from the {_ENDPOINT} endpoint. This can occur when CPU or memory "
    "utilization is high. To check your utilization, see Amazon CloudWatch. To fix this problem, use an instance type "
    "with more CPU capacity or memory."
)
_CONTAINER_ERRORS = {  # what the container answered, 0 where it did not, and with which words
    CONTAINER_ERROR: (500, '{"error":"the emulated container failed"}'),
    OVERLOADED: (503, '{"error":"the emulated container has no room for more requests"}'),
    OUT_OF_MEMORY: (0, _DEAD),
    TIMEOUT: (0, _TIMED_OUT),
    INSTANCE_LOST: (0, "The connection to the container was closed."),
}


# The API reference's own words, of ResponseStream.
_BROKEN = "The Transmission Control Protocol (TCP) connection between the client and the model was reset or closed."
_TOO_LONG = "The model failed to finish sending the response within the timeout period allowed by Amazon SageMaker."


def called(index: int, inference_id: str, recv_ns: int, context: object, streamed: Streamed | None = None) -> Job:
    """A call whose client waits. Its body is in the call, so the endpoint does not know its payload's class."""
    most_s = ANSWER_MAX_S if streamed is None else STREAM_MAX_S
    return Job(index, inference_id, "inline", most_s, most_s, recv_ns, context, is_awaited=True, streamed=streamed)


def answer_of(ended: Ended) -> bytes:
    """The body that a completed call is answered with; of `CONTENT_TYPE`."""
    return orjson.dumps({"inferenceId": ended.job.inference_id, "instance": ended.instance})


def part_of(inference_id: str, place: int) -> bytes:
    """One part of an answer in a stream, counted from 0; of `STREAM_CONTENT_TYPE`."""
    return orjson.dumps({"inferenceId": inference_id, "part": place}) + b"\n"


def stream_error_of(reason: str) -> tuple[str, str]:
    """Of an answer that ends amid its stream for a reason of `Ended`: ModelStreamError's ErrorCode and Message."""
    return ("ModelInvocationTimeExceeded", _TOO_LONG) if reason == TIMEOUT else ("StreamBroken", _BROKEN)


def container_error_of(ended: Ended) -> tuple[int, str]:
    """Of a failed call the container's own status, 0 where it gave no answer, and its words."""
    return _CONTAINER_ERRORS[ended.reason]


def error_message(
    status: int, words: str, *, endpoint: str, region: str = "us-east-1", account: str = "123456789012"
) -> str:
    """SageMaker's message about an error of a container."""
    logs = (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logEventViewer:group=/aws/sagemaker/Endpoints/{endpoint}"
    )
    text = f'Received server error ({status}) from primary with message "{words.replace(_ENDPOINT, endpoint)}".'
    return f"{text} See {logs} in account {account} for more information."
