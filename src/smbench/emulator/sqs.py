"""The emulated SQS: standard queues, long polls, batches, and AWS's own errors."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from smbench.emulator import messages
from smbench.emulator.codecs import ServiceError, not_implemented
from smbench.emulator.faults import Draws
from smbench.emulator.front import Operation
from smbench.emulator.http import HttpRequest
from smbench.emulator.queue import Message, Place, Queue
from smbench.emulator.site import Site
from smbench.model.agenda import Entry
from smbench.scenario.seeds import stream

_S = 1_000_000_000
_PREFIX = "AWS.SimpleQueueService."
_QUERY_CODES = {
    "QueueDoesNotExist": _PREFIX + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    **{
        code: _PREFIX + code
        for code in (
            "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
            "MessageNotInflight", "PurgeQueueInProgress", "QueueDeletedRecently", "TooManyEntriesInBatchRequest",
            "UnsupportedOperation",
        )
    },
}  # fmt: skip
_RANGES = {  # attribute: default, least, most
    "DelaySeconds": (0, 0, 900),
    "MaximumMessageSize": (1_048_576, 1_024, 1_048_576),
    "MessageRetentionPeriod": (345_600, 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 0, 20),
    "VisibilityTimeout": (30, 0, 43_200),
}
_TEXTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
_SETTABLE = {*_RANGES, *_TEXTS, "SqsManagedSseEnabled"}
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
_READABLE = {*_SETTABLE, *_COUNTS, "QueueArn", "CreatedTimestamp", "LastModifiedTimestamp", "FifoQueue"}
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_RECEIPT = re.compile("AQEB([0-9a-f]{8})([0-9a-f]{12})([0-9a-f]{8})")
_BATCH_MAX = 10
_VISIBILITY_MAX_S = 43_200
_AGAIN_AFTER_NS = 60 * _S  # both rules: purging again, and making a queue anew
_SENDER_ID = "AIDAEXAMPLEEXAMPLE000"


def sqs_error(code: str, message: str, status: int = 400) -> ServiceError:
    """An SQS error with the code that clients of the query era know."""
    return ServiceError(code, message, status, query_error_code=_QUERY_CODES.get(code, code))


@dataclass(slots=True)
class _Poll:
    """A parked ReceiveMessage."""

    reply: "asyncio.Future[dict[str, Any]]"
    params: dict[str, Any]
    expiry: Entry | None = None


@dataclass(slots=True)
class HostedQueue:
    """A queue with its name, its attributes and those who wait at it."""

    name: str
    arn: str
    serial: int
    queue: Queue
    attributes: dict[str, str]
    tags: dict[str, str]
    created_ns: int
    modified_ns: int
    purged_ns: int | None = None
    polls: deque[_Poll] = field(default_factory=deque)
    wake: Entry | None = None  # when a hidden message next shows, while somebody waits
    wake_ns: int = 0

    def number(self, attribute: str) -> int:
        return int(self.attributes[attribute])


class Sqs:
    """The service.

    Args:
        redelivered: Share of messages that show once more although they were deleted.
        seed: The scenario's seed for faults.
    """

    service = "sqs"

    def __init__(self, site: Site, *, redelivered: float = 0.0, seed: int = 0) -> None:
        self._site = site
        self._redelivered = redelivered
        self._draws = Draws(stream(seed, "faults.messages_redelivered"))
        self._queues: dict[str, HostedQueue] = {}
        self._deleted_ns: dict[str, int] = {}
        self._n_queues = self._n_messages = 0
        self.operations: dict[str, Operation] = {
            "CreateQueue": self._create_queue,
            "GetQueueUrl": self._get_queue_url,
            "GetQueueAttributes": self._get_queue_attributes,
            "SetQueueAttributes": self._set_queue_attributes,
            "ListQueues": self._list_queues,
            "DeleteQueue": self._delete_queue,
            "PurgeQueue": self._purge_queue,
            "TagQueue": self._tag_queue,
            "UntagQueue": self._untag_queue,
            "ListQueueTags": self._list_queue_tags,
            "SendMessage": self._send_message,
            "SendMessageBatch": self._send_message_batch,
            "ReceiveMessage": self._receive_message,
            "DeleteMessage": self._delete_message,
            "DeleteMessageBatch": self._delete_message_batch,
            "ChangeMessageVisibility": self._change_message_visibility,
            "ChangeMessageVisibilityBatch": self._change_message_visibility_batch,
        }

    # for the other services

    def find(self, arn: str) -> HostedQueue | None:
        """The queue of an ARN."""
        hosted = self._queues.get(arn.rpartition(":")[2])
        return hosted if hosted is not None and hosted.arn == arn else None

    def send(self, hosted: HostedQueue, body: str, attributes: messages.Attributes | None = None) -> str:
        """Put a message into a queue, as a service of AWS does; its id."""
        return self._put(hosted, body, attributes or {}, delay_s=hosted.number("DelaySeconds")).message_id

    # queues

    def _create_queue(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        name, asked = params["QueueName"], params.get("Attributes", {})
        if name.endswith(".fifo") or asked.get("FifoQueue") == "true":
            raise not_implemented("sqs", "CreateQueue of a FIFO queue")
        if not _QUEUE_NAME.fullmatch(name):
            raise sqs_error(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            )
        _check_attributes(asked)
        existing = self._queues.get(name)
        if existing is not None:
            for attribute, value in asked.items():
                if existing.attributes.get(attribute) != value:
                    raise sqs_error(
                        "QueueNameExists",
                        f"A queue already exists with the same name and a different value for attribute {attribute}",
                    )
            return {"QueueUrl": self._url(existing)}
        now_ns = self._site.now_ns
        if name in self._deleted_ns and now_ns < self._deleted_ns[name] + _AGAIN_AFTER_NS:
            raise sqs_error(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            )
        self._n_queues += 1
        attributes = {attribute: str(default) for attribute, (default, _, _) in _RANGES.items()}
        hosted = HostedQueue(
            name=name,
            arn=self._site.arn("sqs", name),
            serial=self._n_queues,
            queue=Queue(int(attributes["MessageRetentionPeriod"]) * _S),
            attributes=attributes | {"SqsManagedSseEnabled": "true"},
            tags=dict(params.get("tags", {})),
            created_ns=now_ns,
            modified_ns=now_ns,
        )
        self._queues[name] = hosted
        self._apply(hosted, asked)
        return {"QueueUrl": self._url(hosted)}

    def _get_queue_url(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return {"QueueUrl": self._url(self._named(params["QueueName"]))}

    def _get_queue_attributes(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted = self._at(params)
        asked = params.get("AttributeNames", [])
        for name in asked:
            if name != "All" and name not in _READABLE:
                raise sqs_error("InvalidAttributeName", f"Unknown Attribute {name}.")
        site, counts = self._site, hosted.queue.statistics(self._site.now_ns)
        known = hosted.attributes | {
            "QueueArn": hosted.arn,
            "CreatedTimestamp": str(site.utc_ns(hosted.created_ns) // _S),
            "LastModifiedTimestamp": str(site.utc_ns(hosted.modified_ns) // _S),
            **dict(zip(_COUNTS, map(str, (counts.n_visible, counts.n_in_flight, counts.n_delayed)), strict=True)),
        }
        shown = {name: value for name, value in known.items() if value and ("All" in asked or name in asked)}
        return {"Attributes": shown} if shown else {}

    def _set_queue_attributes(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted = self._at(params)
        _check_attributes(params["Attributes"])
        self._apply(hosted, params["Attributes"])
        hosted.modified_ns = self._site.now_ns

    def _apply(self, hosted: HostedQueue, attributes: dict[str, str]) -> None:
        hosted.attributes.update(attributes)
        hosted.queue.retention_ns = hosted.number("MessageRetentionPeriod") * _S
        redrive = hosted.attributes.get("RedrivePolicy")
        if not redrive:
            hosted.queue.max_receives = hosted.queue.on_dead = None
            return
        policy = orjson.loads(redrive)
        hosted.queue.max_receives = int(policy["maxReceiveCount"])
        hosted.queue.on_dead = self._bury(hosted, str(policy["deadLetterTargetArn"]))

    def _bury(self, source: HostedQueue, arn: str) -> Callable[[Message], None]:
        def bury(message: Message) -> None:
            grave = self.find(arn)
            if grave is not None:
                system = message.system_attributes | {"DeadLetterQueueSourceArn": source.arn}
                self._put(grave, message.body, message.attributes, system=system, message_id=message.message_id)

        return bury

    def _list_queues(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        prefix, limit = params.get("QueueNamePrefix", ""), params.get("MaxResults", 1000)
        after = params.get("NextToken", "")
        names = [name for name in sorted(self._queues) if name.startswith(prefix) and name > after]
        result: dict[str, Any] = {"QueueUrls": [self._url(self._queues[name]) for name in names[:limit]]}
        if len(names) > limit:
            result["NextToken"] = names[limit - 1]
        return result

    def _delete_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted = self._at(params)
        del self._queues[hosted.name]
        self._deleted_ns[hosted.name] = self._site.now_ns
        for poll in hosted.polls:
            _end(poll, {})

    def _purge_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted, now_ns = self._at(params), self._site.now_ns
        if hosted.purged_ns is not None and now_ns < hosted.purged_ns + _AGAIN_AFTER_NS:
            raise sqs_error(
                "PurgeQueueInProgress", f"Only one PurgeQueue operation on {hosted.name} is allowed every 60 seconds."
            )
        hosted.queue.purge()
        hosted.purged_ns = now_ns

    def _tag_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        self._at(params).tags.update(params["Tags"])

    def _untag_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        tags = self._at(params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)

    def _list_queue_tags(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        tags = self._at(params).tags
        return {"Tags": dict(tags)} if tags else {}

    # sending

    def _send_message(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted = self._at(params)
        return self._sent(hosted, params)

    def _send_message_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted, entries = self._at(params), _batch(params)
        total = sum(messages.size_bytes(e["MessageBody"], e.get("MessageAttributes", {})) for e in entries)
        if total > _RANGES["MaximumMessageSize"][2]:
            raise sqs_error(
                "BatchRequestTooLong",
                f"Batch requests cannot be longer than 1048576 bytes. You have sent {total} bytes.",
            )
        return _each(entries, lambda entry: self._sent(hosted, entry))

    def _sent(self, hosted: HostedQueue, params: dict[str, Any]) -> dict[str, Any]:
        body, attributes = params["MessageBody"], params.get("MessageAttributes", {})
        if forbidden := messages.first_forbidden(body):
            raise sqs_error(
                "InvalidMessageContents",
                f"Invalid binary character '#x{ord(forbidden):X}' was found in the message body, "
                "the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
                "#x10000 to #x10FFFF",
            )
        if not body:
            raise sqs_error("MissingParameter", "The request must contain the parameter MessageBody.")
        if wrong := messages.complaint(attributes):
            raise sqs_error("InvalidParameterValue", wrong)
        limit = hosted.number("MaximumMessageSize")
        if messages.size_bytes(body, attributes) > limit:
            reason = f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            raise sqs_error("InvalidParameterValue", reason)
        delay_s = _ranged(params, "DelaySeconds", 0, 900, hosted.number("DelaySeconds"))
        message = self._put(hosted, body, attributes, delay_s=delay_s)
        reply = {"MessageId": message.message_id, "MD5OfMessageBody": message.md5}
        if attributes:
            reply["MD5OfMessageAttributes"] = message.md5_of_attributes
        return reply

    def _put(
        self,
        hosted: HostedQueue,
        body: str,
        attributes: messages.Attributes,
        *,
        delay_s: int = 0,
        system: dict[str, str] | None = None,
        message_id: str = "",
    ) -> Message:
        serial = self._n_messages
        self._n_messages += 1
        message = Message(
            serial=serial,
            message_id=message_id or self._site.new_id(),
            body=body,
            md5=messages.md5_of_body(body),
            sent_ns=self._site.now_ns,
            attributes=attributes,
            md5_of_attributes=messages.md5_of_attributes(attributes) if attributes else "",
            system_attributes=system or {},
            comes_again=self._redelivered > 0.0 and self._draws[serial] < self._redelivered,
        )
        hosted.queue.put(message, delay_ns=delay_s * _S)
        if hosted.polls:
            self._serve_polls(hosted)
        return message

    # receiving

    def _receive_message(
        self, params: dict[str, Any], request: HttpRequest
    ) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        hosted = self._at(params)
        _ranged(params, "MaxNumberOfMessages", 1, 10, 1)
        _ranged(params, "VisibilityTimeout", 0, _VISIBILITY_MAX_S, 0)
        wait_s = _ranged(params, "WaitTimeSeconds", 0, 20, hosted.number("ReceiveMessageWaitTimeSeconds"))
        result = self._take(hosted, params)
        if result or wait_s == 0:
            return result
        poll = _Poll(asyncio.get_running_loop().create_future(), params)
        poll.expiry = self._site.agenda.at(self._site.now_ns + wait_s * _S, lambda: _end(poll, {}))
        hosted.polls.append(poll)
        self._arm(hosted)
        return poll.reply

    def _take(self, hosted: HostedQueue, params: dict[str, Any]) -> dict[str, Any]:
        visibility_s = params.get("VisibilityTimeout", hosted.number("VisibilityTimeout"))
        taken = hosted.queue.take(params.get("MaxNumberOfMessages", 1), self._site.now_ns, visibility_s * _S)
        if not taken:
            return {}
        asked = {*params.get("MessageSystemAttributeNames", ()), *params.get("AttributeNames", ())}
        names = params.get("MessageAttributeNames", [])
        return {"Messages": [self._shown(hosted, message, asked, names) for message in taken]}

    def _shown(self, hosted: HostedQueue, message: Message, asked: set[str], names: list[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "MessageId": message.message_id,
            "ReceiptHandle": _receipt(hosted, message),
            "MD5OfBody": message.md5,
            "Body": message.body,
        }
        if asked:
            known = self._system_attributes(message)
            shown["Attributes"] = known if "All" in asked else {name: known[name] for name in known if name in asked}
        if names and message.attributes:
            chosen = {name: value for name, value in message.attributes.items() if _is_asked(name, names)}
            if chosen:
                shown["MessageAttributes"] = chosen
                shown["MD5OfMessageAttributes"] = messages.md5_of_attributes(chosen)
        return shown

    def _system_attributes(self, message: Message) -> dict[str, str]:
        utc_ns = self._site.utc_ns(0)
        return {
            "SenderId": _SENDER_ID,
            "SentTimestamp": str((utc_ns + message.sent_ns) // 1_000_000),
            "ApproximateReceiveCount": str(message.n_receives),
            "ApproximateFirstReceiveTimestamp": str((utc_ns + message.first_received_ns) // 1_000_000),
            **message.system_attributes,
        }

    def _serve_polls(self, hosted: HostedQueue) -> None:
        """Give what is visible to those who have waited longest; wake again when a hidden message shows."""
        polls = hosted.polls
        while polls:
            if not polls[0].reply.done():
                result = self._take(hosted, polls[0].params)
                if not result:
                    break
                _end(polls[0], result)
            polls.popleft()
        self._arm(hosted)

    def _arm(self, hosted: HostedQueue) -> None:
        due_ns = hosted.queue.next_due_ns() if hosted.polls else None
        if due_ns is None or (hosted.wake is not None and hosted.wake_ns <= due_ns):
            return
        if hosted.wake is not None:
            hosted.wake.cancel()

        def wake() -> None:
            hosted.wake = None
            self._serve_polls(hosted)

        hosted.wake_ns = due_ns
        hosted.wake = self._site.agenda.at(due_ns, wake)

    # by receipt

    def _delete_message(self, params: dict[str, Any], request: HttpRequest) -> None:
        self._delete(self._at(params), params)

    def _delete_message_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted, entries = self._at(params), _batch(params)
        return _each(entries, lambda entry: self._delete(hosted, entry))

    def _delete(self, hosted: HostedQueue, params: dict[str, Any]) -> None:
        serial, n_receives = _read_receipt(hosted, params["ReceiptHandle"])
        hosted.queue.delete(serial, n_receives, self._site.now_ns)
        if hosted.polls:  # a planned redelivery shows at once
            self._serve_polls(hosted)

    def _change_message_visibility(self, params: dict[str, Any], request: HttpRequest) -> None:
        self._change(self._at(params), params)

    def _change_message_visibility_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted, entries = self._at(params), _batch(params)
        return _each(entries, lambda entry: self._change(hosted, entry))

    def _change(self, hosted: HostedQueue, params: dict[str, Any]) -> None:
        handle = params["ReceiptHandle"]
        serial, n_receives = _read_receipt(hosted, handle)
        timeout_s = _ranged(params, "VisibilityTimeout", 0, _VISIBILITY_MAX_S, 0)
        now_ns = self._site.now_ns
        received_ns = hosted.queue.received_ns(serial)
        if received_ns is not None and now_ns + timeout_s * _S > received_ns + _VISIBILITY_MAX_S * _S:
            raise sqs_error(
                "InvalidParameterValue",
                f"Value {timeout_s} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for "
                f"the message is beyond the limit [{_VISIBILITY_MAX_S} seconds].",
            )
        was = hosted.queue.change_visibility(serial, n_receives, now_ns + timeout_s * _S, now_ns)
        if was is Place.GONE:
            raise sqs_error(
                "InvalidParameterValue",
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                "available for visibility timeout change.",
            )
        if was is not Place.IN_FLIGHT:
            raise sqs_error("MessageNotInflight", "The message referred to is not in flight.")
        self._serve_polls(hosted)

    # names

    def _url(self, hosted: HostedQueue) -> str:
        return f"{self._site.url}/{self._site.account}/{hosted.name}"

    def _at(self, params: dict[str, Any]) -> HostedQueue:
        return self._named(params["QueueUrl"].rpartition("/")[2])

    def _named(self, name: str) -> HostedQueue:
        hosted = self._queues.get(name)
        if hosted is None:
            raise sqs_error("QueueDoesNotExist", "The specified queue does not exist.")
        return hosted


def _end(poll: _Poll, result: dict[str, Any]) -> None:
    if not poll.reply.done():
        poll.reply.set_result(result)
    if poll.expiry is not None:
        poll.expiry.cancel()


def _is_asked(name: str, names: list[str]) -> bool:
    return any(
        asked in ("All", ".*", name) or (asked.endswith(".*") and name.startswith(asked[:-1])) for asked in names
    )


def _receipt(hosted: HostedQueue, message: Message) -> str:
    return f"AQEB{hosted.serial:08x}{message.serial:012x}{message.n_receives:08x}"


def _read_receipt(hosted: HostedQueue, handle: str) -> tuple[int, int]:
    match = _RECEIPT.fullmatch(handle)
    if match is None or int(match[1], 16) != hosted.serial:
        raise sqs_error("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    return int(match[2], 16), int(match[3], 16)


def _ranged(params: dict[str, Any], name: str, low: int, high: int, default: int) -> int:
    value: int = params.get(name, default)
    if not low <= value <= high:
        reason = f"Must be between {low} and {high}, if provided."
        raise sqs_error("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")
    return value


def _check_attributes(attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        if name not in _SETTABLE:
            raise sqs_error("InvalidAttributeName", f"Unknown Attribute {name}.")
        if name in _RANGES:
            _, low, high = _RANGES[name]
            is_valid = value.isascii() and value.isdecimal() and low <= int(value) <= high
        else:
            is_valid = not value or name not in ("Policy", "RedrivePolicy") or _is_document(name, value)
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
    count = str(document.get("maxReceiveCount", ""))
    return count.isdecimal() and 1 <= int(count) <= 1000 and isinstance(document.get("deadLetterTargetArn"), str)


def _batch(params: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = params["Entries"]
    if not entries:
        raise sqs_error("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _BATCH_MAX:
        raise sqs_error(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {_BATCH_MAX}. You have sent {len(entries)}.",
        )
    ids = [entry["Id"] for entry in entries]
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


def _each(entries: list[dict[str, Any]], act: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
    """Act on every entry; one that fails is told of and stops no other."""
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **(act(entry) or {})})
        except ServiceError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": successful, "Failed": failed}
