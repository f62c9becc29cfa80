"""What an asynchronous endpoint says of a request that did not complete: in its notice, and in S3."""

from smbench.model.endpoints.jobs import CONTAINER_ERROR, INSTANCE_LOST, TIMEOUT, TTL

# Texts of container errors are AWS's own (seen with 400 and 500). The others are not known in public; ours say what
# happened, with the word in them that a client would look for.
CONTAINER_FAILED = (
    "ClientError: Received server error (500) from model. "
    "See the SageMaker Endpoint logs in your account for more information."
)
TIMED_OUT = "ClientError: Model invocation timed out: no response within InvocationTimeoutSeconds."
EXPIRED = "ClientError: Request expired: it waited in the queue for longer than RequestTTLSeconds."
FAILURE_REASONS = {
    CONTAINER_ERROR: CONTAINER_FAILED,
    TIMEOUT: TIMED_OUT,
    TTL: EXPIRED,
    INSTANCE_LOST: "ClientError: The instance that processed the request was lost.",
}

_CONTAINER_ANSWERED = '{"error":"the emulated container failed"}'


def error_object(reason: str) -> str:
    """The error object in S3 of a request that failed for a reason of `Ended`: what the container said, if it did."""
    return _CONTAINER_ANSWERED if reason == CONTAINER_ERROR else FAILURE_REASONS[reason]
