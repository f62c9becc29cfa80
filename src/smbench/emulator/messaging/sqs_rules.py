"""What SQS accepts and how it refuses: attributes, names, ranges, batches, receipts."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.sqs_query import CODES

RANGES = {  # attribute: default, least, most
    "DelaySeconds": (0, 0, 900),
    "MaximumMessageSize": (1_048_576, 1_024, 1_048_576),
    "MessageRetentionPeriod": (345_600, 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 0, 20),
    "VisibilityTimeout": (30, 0, 43_200),
}
_TEXTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
_SETTABLE = {*RANGES, *_TEXTS, "SqsManagedSseEnabled"}
COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
READABLE = {*_SETTABLE, *COUNTS, "QueueArn", "CreatedTimestamp", "LastModifiedTimestamp", "FifoQueue"}
_READABLE_OF_MESSAGES = {
    "All", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "AWSTraceHeader", "DeadLetterQueueSourceArn",
    "MessageDeduplicationId", "MessageGroupId", "SenderId", "SentTimestamp", "SequenceNumber",
}  # fmt: skip
TAGS_MAX = 50
_KMS_REUSE_S = "300"  # where a caller names a key and no period
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_RECEIPT = re.compile("AQEB([0-9a-f]{8})([0-9a-f]{12})([0-9a-f]{8})")
_BATCH_MAX = 10


def sqs_error(code: str, message: str, status: int = 400) -> ServiceError:
    """An SQS error with the code that clients of the query era know."""
    return ServiceError(code, message, status, query_error_code=CODES.get(code, code))


def ranged(params: dict[str, Any], name: str, low: int, high: int, default: int) -> int:
    """A number parameter, or its default. Raises ServiceError: outside of the range, ends included."""
    value: int = params.get(name, default)
    if not low <= value <= high:
        reason = f"Must be between {low} and {high}, if provided."
        raise sqs_error("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")
    return value


def encryption_of(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes that are set, with what they mean for the other kind of encryption: a queue has one at a time."""
    if attributes.get("KmsMasterKeyId"):
        return {"KmsDataKeyReusePeriodSeconds": _KMS_REUSE_S} | dict(attributes) | {"SqsManagedSseEnabled": "false"}
    if attributes.get("SqsManagedSseEnabled") == "true":
        return dict(attributes) | {"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": ""}
    return dict(attributes)


def check_attributes(attributes: dict[str, str]) -> None:
    """Raises ServiceError: an attribute that cannot be set, or a value out of range."""
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        text = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS"
        raise sqs_error("InvalidAttributeName", f"{text} SSE.")
    for name, value in attributes.items():
        if name not in _SETTABLE:
            raise sqs_error("InvalidAttributeName", f"Unknown Attribute {name}.")
        if name in RANGES:
            _, low, high = RANGES[name]
            is_valid = _is_within(value, low, high)
        elif name == "SqsManagedSseEnabled":
            is_valid = value in ("true", "false")
        elif name == "KmsDataKeyReusePeriodSeconds":
            is_valid = _is_within(value, 60, 86_400)
        else:
            is_valid = not value or name == "KmsMasterKeyId" or _is_document(name, value)
        if not is_valid:
            raise sqs_error("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _is_document(name: str, text: str) -> bool:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(document, dict):
        return False
    if name == "Policy":
        return "Statement" in document
    if name == "RedriveAllowPolicy":
        return document.get("redrivePermission") in ("allowAll", "denyAll", "byQueue")
    is_count = _is_within(str(document.get("maxReceiveCount", "")), 1, 1000)
    return is_count and isinstance(document.get("deadLetterTargetArn"), str)


def _is_within(digits: str, low: int, high: int) -> bool:
    number = whole(digits)
    return number is not None and low <= number <= high


def check_asked(params: dict[str, Any]) -> None:
    """Raises ServiceError: ReceiveMessage asks for a system attribute that no message has."""
    for name in (*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ())):
        if name not in _READABLE_OF_MESSAGES:
            raise sqs_error("InvalidAttributeName", f"Unknown Attribute {name}.")


def system_attributes_of(params: dict[str, Any]) -> dict[str, str] | None:
    """What a sent message says of itself beside its own attributes; None: nothing.

    Raises:
        ServiceError: what only a FIFO queue takes, or an attribute that SQS does not know.
    """
    if "MessageDeduplicationId" in params:
        text = "Reason: The request include parameter that is not valid for this queue type."
        value = params["MessageDeduplicationId"]
        raise sqs_error(
            "InvalidParameterValue", f"Value {value} for parameter MessageDeduplicationId is invalid. {text}"
        )
    given = params.get("MessageSystemAttributes", {})
    for name in given:
        if name != "AWSTraceHeader":
            text = "Reason: Message system attribute name is invalid."
            raise sqs_error(
                "InvalidParameterValue", f"Value {name} for parameter MessageSystemAttributes is invalid. {text}"
            )
    found = {name: str(value.get("StringValue", "")) for name, value in given.items()}
    if "MessageGroupId" in params:  # of a fair queue
        found["MessageGroupId"] = params["MessageGroupId"]
    return found or None


def batch(params: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a batch. Raises ServiceError: none, more than ten, ids not valid or not distinct."""
    entries: list[dict[str, Any]] = params["Entries"]
    if not entries:
        raise sqs_error("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _BATCH_MAX:
        raise sqs_error(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {_BATCH_MAX}. You have sent {len(entries)}.",
        )
    ids = [entry["Id"] for entry in entries]
    if len(set(ids)) == len(ids) and all(map(_BATCH_ID.fullmatch, ids)):
        return entries
    for entry_id in ids:
        if not _BATCH_ID.fullmatch(entry_id):
            raise sqs_error(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
        if ids.count(entry_id) > 1:
            raise sqs_error("BatchEntryIdsNotDistinct", f"Id {entry_id} repeated.")
    return entries


def each(entries: list[dict[str, Any]], act: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
    """Act on every entry; one that fails is reported and stops no other."""
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **(act(entry) or {})})
        except ServiceError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": successful, "Failed": failed}


def is_asked(name: str, names: list[str]) -> bool:
    """Whether an attribute is among the names asked for; `All`, `.*` and `prefix.*` are understood."""
    return any(
        asked in ("All", ".*", name) or (asked.endswith(".*") and name.startswith(asked[:-1])) for asked in names
    )


def receipt(queue: int, message: int, n_receives: int) -> str:
    """The handle of one receive, from the serial numbers of queue and message."""
    return f"AQEB{queue:08x}{message:012x}{n_receives:08x}"


def read_receipt(queue: int, handle: str) -> tuple[int, int]:
    """Serial number of the message and number of the receive.

    Raises:
        ServiceError: ReceiptHandleIsInvalid, also for a handle of another queue.
    """
    match = _RECEIPT.fullmatch(handle)
    if match is None or int(match[1], 16) != queue:
        raise sqs_error("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    return int(match[2], 16), int(match[3], 16)
