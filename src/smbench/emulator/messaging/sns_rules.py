"""What SNS keeps and accepts: topics, subscriptions with their filters, parameters, batches, pages."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from smbench.emulator.messaging.filter_policy import Matcher, attribute_values, compile_policy
from smbench.emulator.messaging.filter_rules import FilterError
from smbench.emulator.messaging.sns_envelope import Publication
from smbench.emulator.protocol.codecs import ServiceError, not_implemented
from smbench.emulator.protocol.digits import whole

MESSAGE_MAX_BYTES = 262_144
PENDING = "PendingConfirmation"
_PAGE = 100
TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
SUBJECT = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,99}")
_TOPIC_SETTABLE = {
    "DeliveryPolicy", "DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig",
}  # fmt: skip
_FEEDBACK = re.compile(r"[A-Za-z]+(SuccessFeedback(RoleArn|SampleRate)|FailureFeedbackRoleArn)")
_SUBSCRIPTION_SETTABLE = {"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}
_QUEUE_ARN = re.compile(r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]+", re.ASCII)
_ENDPOINTS = {  # of protocols whose subscriptions wait for somebody to confirm them
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
    "email-json": re.compile(r"[^@\s]+@[^@\s]+"),
    "http": re.compile(r"http://\S+"),
    "https": re.compile(r"https://\S+"),
}
_ELSEWHERE = {"sms", "application", "lambda", "firehose"}  # what they reach is not emulated


@dataclass(slots=True)
class Subscription:
    """One queue's subscription, or one that was never confirmed; `matches` is None when it takes every message."""

    arn: str
    topic_arn: str
    endpoint: str
    attributes: dict[str, str]
    protocol: str = "sqs"
    matches: Matcher | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a confirmation, which cannot be given here; it gets nothing until then."""
        return self.protocol != "sqs"

    @property
    def shown_arn(self) -> str:
        """As a list has it, and the answer to Subscribe."""
        return PENDING if self.is_pending else self.arn

    @property
    def dead_letters(self) -> str:
        """The ARN of the queue for what cannot be delivered; empty without one."""
        policy = self.attributes.get("RedrivePolicy", "")
        return str(orjson.loads(policy)["deadLetterTargetArn"]) if policy else ""

    @property
    def is_raw(self) -> bool:
        """Whether the queue gets the bare message, without SNS's envelope."""
        return self.attributes.get("RawMessageDelivery", "").lower() == "true"

    @property
    def is_on_body(self) -> bool:
        """Whether its filter policy looks at the message's body instead of its attributes."""
        return self.attributes.get("FilterPolicyScope") == "MessageBody"


@dataclass(slots=True)
class Topic:
    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    n_unsubscribed: int = 0


def wants(subscription: Subscription, publication: Publication) -> bool:
    """Whether the filter policy lets a publication through. The subscription must have one."""
    assert subscription.matches is not None
    if not subscription.is_on_body:
        return subscription.matches(attribute_values(publication.attributes))
    body = publication.body()
    return isinstance(body, dict) and subscription.matches(body)


def compile_filter(subscription: Subscription, where: str = "") -> None:
    """Make the subscription's predicate from its attributes.

    Args:
        where: What SNS says before the reason: `Attributes Reason: ` of a Subscribe, nothing of a later change.

    Raises:
        ServiceError: InvalidParameter, in SNS's words.
    """
    attributes = subscription.attributes
    raw, scope = attributes.get("RawMessageDelivery", "false"), attributes.get("FilterPolicyScope", "MessageBody")
    if raw.lower() not in ("true", "false"):
        raise invalid(f"{where}RawMessageDelivery: Invalid value [{raw}]. Must be true or false.")
    if scope not in ("MessageAttributes", "MessageBody"):
        choice = "Please use either MessageBody or MessageAttributes"
        raise invalid(f"{where}FilterPolicyScope: Invalid value [{scope}]. {choice}")
    _check_redrive(attributes.get("RedrivePolicy", ""), where)
    policy = attributes.get("FilterPolicy", "")
    try:
        subscription.matches = compile_policy(policy, on_body=subscription.is_on_body) if policy else None
    except FilterError as error:
        raise invalid(f"{where}{error}") from None


def _check_redrive(policy: str, where: str) -> None:
    """Raises ServiceError: it is no document that names a standard queue."""
    if not policy:
        return
    try:
        document = orjson.loads(policy)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise invalid(f"{where}RedrivePolicy: failed to parse JSON.")
    target = document.get("deadLetterTargetArn")
    if not isinstance(target, str) or not _QUEUE_ARN.fullmatch(target):
        raise invalid(f"{where}RedrivePolicy: deadLetterTargetArn is an invalid arn")


def check_endpoint(protocol: str, endpoint: str) -> None:
    """Raises ServiceError: SNS knows no such protocol or endpoint, or what it reaches is not emulated (501)."""
    if protocol in _ELSEWHERE:
        raise not_implemented("sns", f"Subscribe with protocol {protocol}")
    if protocol == "sqs":
        if not _QUEUE_ARN.fullmatch(endpoint):
            raise invalid("SQS endpoint ARN")
    elif protocol not in _ENDPOINTS:
        raise invalid("Does not support this protocol string: " + protocol)
    elif not _ENDPOINTS[protocol].fullmatch(endpoint):
        text = "Email address" if protocol.startswith("email") else "Endpoint must match the specified protocol"
        raise invalid(text)


def message_for_sqs(message: str) -> str:
    """The `sqs` entry of a message by protocol, else `default`. Raises ServiceError: no JSON object, no default."""
    try:
        by_protocol = orjson.loads(message)
    except orjson.JSONDecodeError:
        by_protocol = None
    if not isinstance(by_protocol, dict):
        raise invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(by_protocol.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    chosen = by_protocol.get("sqs", by_protocol["default"])
    return chosen if isinstance(chosen, str) else str(by_protocol["default"])


def default_policy(arn: str, account: str) -> str:
    """The access policy of a new topic, as JSON: its owner may do everything."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes", "SNS:SetTopicAttributes"],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return orjson.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}).decode()


def invalid(what: str) -> ServiceError:
    """InvalidParameter in SNS's wording, to be raised."""
    return ServiceError("InvalidParameter", f"Invalid parameter: {what}")


def check_arn(arn: str, name: str) -> None:
    """Raises ServiceError: not an ARN of at least six parts."""
    if len(arn.split(":")) < 6 or not arn.startswith("arn:"):
        raise invalid(f"{name} Reason: An ARN must have at least 6 elements, not {len(arn.split(':'))}")


def check_settable(name: str) -> None:
    """Raises ServiceError: SNS has no such attribute of a subscription."""
    if name not in _SUBSCRIPTION_SETTABLE:
        raise invalid("AttributeName")


def check_topic_attribute(operation: str, name: str, value: str, unknown: str = "AttributeName") -> None:
    """Raises ServiceError: SNS has no such attribute of a topic or no such value, or it is not emulated (501).

    Args:
        unknown: What SNS says of a name that it does not know; one that ends with `: ` gets the name.
    """
    if _FEEDBACK.fullmatch(name) or (name, value) == ("SignatureVersion", "2"):
        raise not_implemented("sns", f"{operation} with {name}")
    if name not in _TOPIC_SETTABLE:
        raise invalid(unknown + name if unknown.endswith(": ") else unknown)
    choices = {"SignatureVersion": ("1",), "TracingConfig": ("PassThrough", "Active")}.get(name)
    if (choices and value not in choices) or (name in ("Policy", "DeliveryPolicy") and value and not _is_json(value)):
        raise invalid(f"{name} Reason: the value is not valid")


def _is_json(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def check_batch(entries: list[dict[str, Any]]) -> None:
    """Raises ServiceError: empty, more than ten entries, an id that is not valid or occurs twice."""
    if not entries:
        raise ServiceError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > 10:
        raise ServiceError(
            "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible (more than 10)."
        )
    ids = [entry["Id"] for entry in entries]
    if any(not _BATCH_ID.fullmatch(entry_id) for entry_id in ids):
        raise ServiceError(
            "InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if len(set(ids)) < len(ids):
        raise ServiceError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")


def paged(name: str, items: list[Any], params: dict[str, Any]) -> dict[str, Any]:
    """One page of a listing under its name, with NextToken where more follow. Raises ServiceError: a foreign token."""
    start = whole(params.get("NextToken", "0"))
    if start is None:
        raise invalid("NextToken")
    page: dict[str, Any] = {name: items[start : start + _PAGE]}
    if start + _PAGE < len(items):
        page["NextToken"] = str(start + _PAGE)
    return page
