"""The emulated SQS: standard queues, long polls, batches, and AWS's own errors."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from smbench.emulator.faults import Draws
from smbench.emulator.messaging import message_attributes
from smbench.emulator.messaging.dead_letters import DeadLetters, check_redrive
from smbench.emulator.messaging.hosted_queue import HostedQueue
from smbench.emulator.messaging.polls import Polls
from smbench.emulator.messaging.queue import Message, Place, Queue
from smbench.emulator.messaging.sqs_permissions import Permissions
from smbench.emulator.messaging.sqs_rules import (
    COUNTS,
    QUEUE_NAME,
    RANGES,
    READABLE,
    TAGS_MAX,
    batch,
    check_asked,
    check_attributes,
    each,
    encryption_of,
    is_asked,
    ranged,
    read_receipt,
    receipt,
    sqs_error,
    system_attributes_of,
)
from smbench.emulator.protocol.codecs import not_implemented
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site
from smbench.scenario.values.seeds import stream

_S = 1_000_000_000
_VISIBILITY_MAX_S = 43_200
_AGAIN_AFTER_NS = 60 * _S  # both rules: purging again, and making a queue anew
_SENDER_ID = "AIDAEXAMPLEEXAMPLE000"
_NONE: dict[str, Any] = {}  # shared by all messages without attributes, and never written to
_SENT_ONLY = {"SentTimestamp"}


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
        self.queues: dict[str, HostedQueue] = {}
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
        self.operations |= Permissions(self.at).operations
        self.operations |= DeadLetters(site, self, lambda to, one: self._put(to, one.body, one.attributes)).operations

    # for the other services

    def find(self, arn: str) -> HostedQueue | None:
        """The queue of an ARN."""
        hosted = self.queues.get(arn.rpartition(":")[2])
        return hosted if hosted is not None and hosted.arn == arn else None

    def tagged(self) -> dict[str, dict[str, str]]:
        """Every queue's tags, by its ARN."""
        return {hosted.arn: hosted.tags for hosted in self.queues.values()}

    def send(self, hosted: HostedQueue, body: str, attributes: message_attributes.Attributes | None = None) -> str:
        """Put a message into a queue, as a service of AWS does; its id."""
        return self._put(hosted, body, attributes or _NONE, delay_s=hosted.number("DelaySeconds")).message_id

    # queues

    def _create_queue(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        name, asked = params["QueueName"], params.get("Attributes", {})
        if name.endswith(".fifo") or asked.get("FifoQueue") == "true":
            raise not_implemented("sqs", "CreateQueue of a FIFO queue")
        if not QUEUE_NAME.fullmatch(name):
            raise sqs_error(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            )
        check_attributes(asked)
        check_redrive(self.find, self._site.arn("sqs", name), asked)
        existing = self.queues.get(name)
        if existing is not None:
            for attribute, value in asked.items():
                if existing.attributes.get(attribute) != value:
                    raise sqs_error(
                        "QueueNameExists",
                        f"A queue already exists with the same name and a different value for attribute {attribute}",
                    )
            return {"QueueUrl": self.url(existing)}
        now_ns = self._site.now_ns
        if name in self._deleted_ns and now_ns < self._deleted_ns[name] + _AGAIN_AFTER_NS:
            raise sqs_error(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            )
        self._n_queues += 1
        attributes = {attribute: str(default) for attribute, (default, _, _) in RANGES.items()}
        queue = Queue(int(attributes["MessageRetentionPeriod"]) * _S)
        hosted = HostedQueue(
            name=name,
            arn=self._site.arn("sqs", name),
            serial=self._n_queues,
            queue=queue,
            attributes=attributes | {"SqsManagedSseEnabled": "true"},
            tags=dict(params.get("tags", {})),
            created_ns=now_ns,
            modified_ns=now_ns,
            polls=Polls(self._site.event_queue, queue),
        )
        self.queues[name] = hosted
        self._apply(hosted, asked)
        return {"QueueUrl": self.url(hosted)}

    def _get_queue_url(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        if params.get("QueueOwnerAWSAccountId", self._site.account) != self._site.account:
            raise sqs_error("QueueDoesNotExist", "The specified queue does not exist.")
        return {"QueueUrl": self.url(self._named(params["QueueName"]))}

    def _get_queue_attributes(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted = self.at(params)
        asked = params.get("AttributeNames", [])
        for name in asked:
            if name != "All" and name not in READABLE:
                raise sqs_error("InvalidAttributeName", f"Unknown Attribute {name}.")
        site, counts = self._site, hosted.queue.statistics(self._site.now_ns)
        known = hosted.attributes | {
            "QueueArn": hosted.arn,
            "CreatedTimestamp": str(site.utc_ns(hosted.created_ns) // _S),
            "LastModifiedTimestamp": str(site.utc_ns(hosted.modified_ns) // _S),
            **dict(zip(COUNTS, map(str, (counts.n_visible, counts.n_in_flight, counts.n_delayed)), strict=True)),
        }
        shown = {name: value for name, value in known.items() if value and ("All" in asked or name in asked)}
        return {"Attributes": shown} if shown else {}

    def _set_queue_attributes(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted = self.at(params)
        check_attributes(params["Attributes"])
        check_redrive(self.find, hosted.arn, params["Attributes"])
        self._apply(hosted, params["Attributes"])
        hosted.modified_ns = self._site.now_ns

    def _apply(self, hosted: HostedQueue, attributes: dict[str, str]) -> None:
        hosted.attributes.update(encryption_of(attributes))
        hosted.queue.retention_ns = hosted.number("MessageRetentionPeriod") * _S
        redrive = hosted.attributes.get("RedrivePolicy")
        if not redrive:
            hosted.queue.max_receives = hosted.queue.on_dead = None
            return
        hosted.queue.max_receives = int(orjson.loads(redrive)["maxReceiveCount"])
        hosted.queue.on_dead = self._bury(hosted)

    def _bury(self, source: HostedQueue) -> Callable[[Message], bool]:
        def bury(message: Message) -> bool:
            """Whether there is a queue for it; it is as old there as it was."""
            grave = self.find(source.dead_letters)
            if grave is None:
                return False
            system = message.system_attributes | {"DeadLetterQueueSourceArn": source.arn}
            known = message.message_id, message.sent_ns
            self._put(grave, message.body, message.attributes, system=system, known=known)
            return True

        return bury

    def _list_queues(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        prefix, limit = params.get("QueueNamePrefix", ""), ranged(params, "MaxResults", 1, 1000, 1000)
        after = params.get("NextToken", "")
        names = [name for name in sorted(self.queues) if name.startswith(prefix) and name > after]
        result: dict[str, Any] = {"QueueUrls": [self.url(self.queues[name]) for name in names[:limit]]}
        if len(names) > limit:
            result["NextToken"] = names[limit - 1]
        return result

    def _delete_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted = self.at(params)
        del self.queues[hosted.name]
        self._deleted_ns[hosted.name] = self._site.now_ns
        hosted.polls.dismiss()

    def _purge_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted, now_ns = self.at(params), self._site.now_ns
        if hosted.purged_ns is not None and now_ns < hosted.purged_ns + _AGAIN_AFTER_NS:
            raise sqs_error(
                "PurgeQueueInProgress", f"Only one PurgeQueue operation on {hosted.name} is allowed every 60 seconds."
            )
        hosted.queue.purge()
        hosted.purged_ns = now_ns

    def _tag_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        hosted = self.at(params)
        if len(tags := hosted.tags | params["Tags"]) > TAGS_MAX:
            text = f"Too many tags added for queue {hosted.name}. The limit is {TAGS_MAX} tags per queue."
            raise sqs_error("InvalidParameterValue", text)
        hosted.tags = tags

    def _untag_queue(self, params: dict[str, Any], request: HttpRequest) -> None:
        tags = self.at(params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)

    def _list_queue_tags(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        tags = self.at(params).tags
        return {"Tags": dict(tags)} if tags else {}

    # sending

    def _send_message(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted = self.at(params)
        return self._sent(hosted, params)

    def _send_message_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted, entries = self.at(params), batch(params)
        total = sum(message_attributes.size_bytes(e["MessageBody"], e.get("MessageAttributes", {})) for e in entries)
        if total > RANGES["MaximumMessageSize"][2]:
            raise sqs_error(
                "BatchRequestTooLong",
                f"Batch requests cannot be longer than 1048576 bytes. You have sent {total} bytes.",
            )
        return each(entries, lambda entry: self._sent(hosted, entry))

    def _sent(self, hosted: HostedQueue, params: dict[str, Any]) -> dict[str, Any]:
        body, attributes = params["MessageBody"], params.get("MessageAttributes", {})
        system = system_attributes_of(params)
        if forbidden := message_attributes.first_forbidden(body):
            raise sqs_error(
                "InvalidMessageContents",
                f"Invalid binary character '#x{ord(forbidden):X}' was found in the message body, "
                "the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
                "#x10000 to #x10FFFF",
            )
        if not body:
            raise sqs_error("MissingParameter", "The request must contain the parameter MessageBody.")
        if wrong := message_attributes.complaint(attributes):
            raise sqs_error("InvalidParameterValue", wrong)
        limit = hosted.number("MaximumMessageSize")
        if message_attributes.size_bytes(body, attributes) > limit:
            reason = f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            raise sqs_error("InvalidParameterValue", reason)
        delay_s = ranged(params, "DelaySeconds", 0, 900, hosted.number("DelaySeconds"))
        message = self._put(hosted, body, attributes, delay_s=delay_s, system=system)
        reply = {"MessageId": message.message_id, "MD5OfMessageBody": message.md5}
        if attributes:
            reply["MD5OfMessageAttributes"] = message.md5_of_attributes
        return reply

    def _put(
        self,
        hosted: HostedQueue,
        body: str,
        attributes: message_attributes.Attributes,
        *,
        delay_s: int = 0,
        system: dict[str, str] | None = None,
        known: tuple[str, int] | None = None,  # of a message that is there already: its id, and when it was sent
    ) -> Message:
        serial = self._n_messages
        self._n_messages += 1
        message = Message(
            serial=serial,
            message_id=known[0] if known else self._site.new_id(),
            body=body,
            md5=message_attributes.md5_of_body(body),
            sent_ns=known[1] if known else self._site.now_ns,
            attributes=attributes,
            md5_of_attributes=message_attributes.md5_of_attributes(attributes) if attributes else "",
            system_attributes=system or _NONE,
            comes_again=self._redelivered > 0.0 and self._draws[serial] < self._redelivered,
        )
        hosted.queue.put(message, delay_ns=delay_s * _S)
        hosted.polls.serve()
        return message

    # receiving

    def _receive_message(
        self, params: dict[str, Any], request: HttpRequest
    ) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        hosted = self.at(params)
        check_asked(params)
        ranged(params, "MaxNumberOfMessages", 1, 10, 1)
        ranged(params, "VisibilityTimeout", 0, _VISIBILITY_MAX_S, 0)
        wait_s = ranged(params, "WaitTimeSeconds", 0, 20, hosted.number("ReceiveMessageWaitTimeSeconds"))
        result = self._take(hosted, params)
        if result or wait_s == 0:
            return result
        return hosted.polls.wait(lambda: self._take(hosted, params), wait_s)

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
            "ReceiptHandle": receipt(hosted.serial, message.serial, message.n_receives),
            "MD5OfBody": message.md5,
            "Body": message.body,
        }
        if asked == _SENT_ONLY:  # what our own client asks, ten times in each of its calls
            shown["Attributes"] = {"SentTimestamp": self._sent_ms(message)}
        elif asked:
            known = self._system_attributes(message)
            shown["Attributes"] = known if "All" in asked else {name: known[name] for name in known if name in asked}
        if names and message.attributes:
            chosen = {name: value for name, value in message.attributes.items() if is_asked(name, names)}
            if chosen:
                shown["MessageAttributes"] = chosen
                shown["MD5OfMessageAttributes"] = message_attributes.md5_of_attributes(chosen)
        return shown

    def _system_attributes(self, message: Message) -> dict[str, str]:
        return {
            "SenderId": _SENDER_ID,
            "SentTimestamp": self._sent_ms(message),
            "ApproximateReceiveCount": str(message.n_receives),
            "ApproximateFirstReceiveTimestamp": str(self._site.utc_ns(message.first_received_ns) // 1_000_000),
            **message.system_attributes,
        }

    def _sent_ms(self, message: Message) -> str:
        return str(self._site.utc_ns(message.sent_ns) // 1_000_000)

    # by receipt

    def _delete_message(self, params: dict[str, Any], request: HttpRequest) -> None:
        self._delete(self.at(params), params)

    def _delete_message_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted, entries = self.at(params), batch(params)
        return each(entries, lambda entry: self._delete(hosted, entry))

    def _delete(self, hosted: HostedQueue, params: dict[str, Any]) -> None:
        serial, n_receives = read_receipt(hosted.serial, params["ReceiptHandle"])
        hosted.queue.delete(serial, n_receives, self._site.now_ns)
        if hosted.queue.has_visible:  # a planned redelivery shows at once
            hosted.polls.serve()

    def _change_message_visibility(self, params: dict[str, Any], request: HttpRequest) -> None:
        self._change(self.at(params), params)

    def _change_message_visibility_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        hosted, entries = self.at(params), batch(params)
        return each(entries, lambda entry: self._change(hosted, entry))

    def _change(self, hosted: HostedQueue, params: dict[str, Any]) -> None:
        handle = params["ReceiptHandle"]
        serial, n_receives = read_receipt(hosted.serial, handle)
        timeout_s = ranged(params, "VisibilityTimeout", 0, _VISIBILITY_MAX_S, 0)
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
        hosted.polls.serve()

    # names

    def url(self, hosted: HostedQueue) -> str:
        return f"{self._site.url}/{self._site.account}/{hosted.name}"

    def at(self, params: dict[str, Any]) -> HostedQueue:
        return self._named(params["QueueUrl"].rpartition("/")[2])

    def _named(self, name: str) -> HostedQueue:
        hosted = self.queues.get(name)
        if hosted is None:
            raise sqs_error("QueueDoesNotExist", "The specified queue does not exist.")
        return hosted
