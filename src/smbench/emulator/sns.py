"""The emulated SNS: standard topics with SQS subscriptions, filter policies, raw and enveloped delivery."""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from smbench.emulator import messages
from smbench.emulator.codecs import ServiceError, not_implemented
from smbench.emulator.filters import FilterError, Matcher, attribute_values, compile_policy
from smbench.emulator.front import Operation
from smbench.emulator.http import HttpRequest
from smbench.emulator.policy import allows_topic
from smbench.emulator.site import Site, iso_ms
from smbench.emulator.sqs import HostedQueue, Sqs

MESSAGE_MAX_BYTES = 262_144
_PAGE = 100
_TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SUBJECT = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,99}")
_TOPIC_SETTABLE = {
    "DeliveryPolicy", "DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig",
}  # fmt: skip
_SUBSCRIPTION_SETTABLE = {"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}
# Signing each message would cost more than all the rest, and nobody here checks it.
_SIGNATURE = "RW11bGF0ZWQgYnkgc21iZW5jaDogdGhpcyBpcyBubyBzaWduYXR1cmUu"


@dataclass(slots=True)
class Subscription:
    """One queue's subscription; `matches` is None when it takes every message."""

    arn: str
    topic_arn: str
    endpoint: str
    attributes: dict[str, str]
    matches: Matcher | None = None

    @property
    def is_raw(self) -> bool:
        return self.attributes.get("RawMessageDelivery") == "true"

    @property
    def is_on_body(self) -> bool:
        return self.attributes.get("FilterPolicyScope") == "MessageBody"


@dataclass(slots=True)
class Topic:
    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    n_unsubscribed: int = 0


@dataclass(slots=True)
class SnsStatistics:
    """Messages since the start; the last three count one for each subscription."""

    n_published: int = 0
    n_delivered: int = 0
    n_filtered: int = 0
    n_dropped: int = 0  # no such queue, its policy does not allow the topic, or too many attributes for raw delivery


@dataclass(slots=True)
class _Publication:
    """One message on its way to the subscriptions; the body is parsed when the first filter asks."""

    message_id: str
    message: str
    subject: str
    timestamp: str
    attributes: messages.Attributes
    parsed: Any = None

    def body(self) -> Any:
        if self.parsed is None:
            try:
                self.parsed = orjson.loads(self.message)
            except orjson.JSONDecodeError:
                self.parsed = False
        return self.parsed


class Sns:
    """The service. Messages it delivers go into the queues of `sqs`."""

    service = "sns"

    def __init__(self, site: Site, sqs: Sqs) -> None:
        self._site, self._sqs = site, sqs
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self.counts = SnsStatistics()
        self.operations: dict[str, Operation] = {
            "CreateTopic": self._create_topic,
            "DeleteTopic": self._delete_topic,
            "ListTopics": self._list_topics,
            "GetTopicAttributes": self._get_topic_attributes,
            "SetTopicAttributes": self._set_topic_attributes,
            "Subscribe": self._subscribe,
            "Unsubscribe": self._unsubscribe,
            "ListSubscriptions": self._list_subscriptions,
            "ListSubscriptionsByTopic": self._list_subscriptions_by_topic,
            "GetSubscriptionAttributes": self._get_subscription_attributes,
            "SetSubscriptionAttributes": self._set_subscription_attributes,
            "Publish": self._publish,
            "PublishBatch": self._publish_batch,
            "TagResource": self._tag_resource,
            "UntagResource": self._untag_resource,
            "ListTagsForResource": self._list_tags_for_resource,
        }

    # for the other services

    def create(self, name: str) -> str:
        """Make a topic; its ARN. One that exists stays as it is."""
        arn = self._site.arn("sns", name)
        if arn not in self._topics:
            self._topics[arn] = Topic(arn, {"DisplayName": "", "Policy": _default_policy(arn, self._site.account)}, {})
        return arn

    def exists(self, arn: str) -> bool:
        return arn in self._topics

    def queues(self, arn: str) -> list[HostedQueue]:
        """The queues that subscribe to a topic and let it send; none when there is no such topic."""
        topic = self._topics.get(arn)
        found = [self._reachable(subscription) for subscription in (topic.subscriptions.values() if topic else ())]
        return [hosted for hosted in found if hosted is not None]

    def publish(
        self,
        topic_arn: str,
        message: str,
        at_ns: int | None = None,
        *,
        subject: str = "",
        attributes: messages.Attributes | None = None,
    ) -> str:
        """Send a message to every subscription that wants it; its id.

        Args:
            at_ns: The scenario instant its Timestamp shows; now by default. It is in the queues now.

        Raises:
            ServiceError: NotFound, when there is no such topic.
        """
        topic = self._topic(topic_arn)
        publication = _Publication(
            self._site.new_id(), message, subject, iso_ms(self._site.utc_ns(at_ns)), attributes or {}
        )
        self._fan_out(topic, publication)
        return publication.message_id

    def _fan_out(self, topic: Topic, publication: _Publication) -> None:
        self.counts.n_published += 1
        for subscription in topic.subscriptions.values():
            if subscription.matches is None or _wants(subscription, publication):
                self._deliver(subscription, publication)
            else:
                self.counts.n_filtered += 1

    def _deliver(self, subscription: Subscription, publication: _Publication) -> None:
        hosted = self._reachable(subscription)
        if hosted is None:
            self.counts.n_dropped += 1
            return
        if not subscription.is_raw:
            self._sqs.send(hosted, self._envelope(subscription, publication))
        elif len(publication.attributes) <= messages.ATTRIBUTES_MAX:
            self._sqs.send(hosted, publication.message, publication.attributes)
        else:
            self.counts.n_dropped += 1
            return
        self.counts.n_delivered += 1

    def _reachable(self, subscription: Subscription) -> HostedQueue | None:
        """The queue of a subscription, if it exists and its policy allows the topic."""
        hosted = self._sqs.find(subscription.endpoint)
        if hosted is None:
            return None
        policy = hosted.attributes.get("Policy", "")
        return hosted if allows_topic(policy, hosted.arn, subscription.topic_arn) else None

    def _envelope(self, subscription: Subscription, publication: _Publication) -> str:
        """The notification as SNS prints it: two spaces in, one before each colon, Subject only when there is one."""
        host = f"https://sns.{self._site.region}.amazonaws.com/"
        fields = [
            '"Type" : "Notification"',
            f'"MessageId" : "{publication.message_id}"',
            f'"TopicArn" : "{subscription.topic_arn}"',
            f'"Message" : {_quoted(publication.message)}',
            f'"Timestamp" : "{publication.timestamp}"',
            '"SignatureVersion" : "1"',
            f'"Signature" : "{_SIGNATURE}"',
            f'"SigningCertURL" : "{host}SimpleNotificationService-00000000000000000000000000000000.pem"',
            f'"UnsubscribeURL" : "{host}?Action=Unsubscribe&SubscriptionArn={subscription.arn}"',
        ]
        if publication.subject:
            fields.insert(3, f'"Subject" : {_quoted(publication.subject)}')
        if publication.attributes:
            shown = ",\n    ".join(_attribute_line(*item) for item in publication.attributes.items())
            fields.append('"MessageAttributes" : {\n    ' + shown + "\n  }")
        return "{\n  " + ",\n  ".join(fields) + "\n}"

    # topics

    def _create_topic(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        name, asked = params["Name"], params.get("Attributes", {})
        if name.endswith(".fifo") or asked.get("FifoTopic") == "true":
            raise not_implemented("sns", "CreateTopic of a FIFO topic")
        if not _TOPIC_NAME.fullmatch(name):
            raise _invalid("Topic Name")
        for attribute in asked:
            if attribute not in _TOPIC_SETTABLE:
                raise _invalid(f"Attributes Reason: Unknown attribute: {attribute}")
        arn = self._site.arn("sns", name)
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        existing = self._topics.get(arn)
        if existing is not None:
            if any(existing.attributes.get(attribute) != value for attribute, value in asked.items()):
                raise _invalid("Attributes Reason: Topic already exists with different attributes")
            if tags and tags != existing.tags:
                raise _invalid("Tags Reason: Topic already exists with different tags")
            return {"TopicArn": arn}
        self.create(name)
        self._topics[arn].attributes.update(asked)
        self._topics[arn].tags.update(tags)
        return {"TopicArn": arn}

    def _delete_topic(self, params: dict[str, Any], request: HttpRequest) -> None:
        _check_arn(params["TopicArn"], "TopicArn")
        topic = self._topics.pop(params["TopicArn"], None)
        for arn in topic.subscriptions if topic else ():
            del self._subscriptions[arn]

    def _list_topics(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return _page("Topics", [{"TopicArn": arn} for arn in self._topics], params)

    def _get_topic_attributes(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic = self._topic(params["TopicArn"])
        return {
            "Attributes": topic.attributes
            | {
                "TopicArn": topic.arn,
                "Owner": self._site.account,
                "SubscriptionsConfirmed": str(len(topic.subscriptions)),
                "SubscriptionsPending": "0",
                "SubscriptionsDeleted": str(topic.n_unsubscribed),
                "EffectiveDeliveryPolicy": "{}",
            }
        }

    def _set_topic_attributes(self, params: dict[str, Any], request: HttpRequest) -> None:
        topic = self._topic(params["TopicArn"])
        if params["AttributeName"] not in _TOPIC_SETTABLE:
            raise _invalid("AttributeName")
        topic.attributes[params["AttributeName"]] = params.get("AttributeValue", "")

    # subscriptions

    def _subscribe(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic, protocol = self._topic(params["TopicArn"]), params["Protocol"]
        if protocol != "sqs":
            raise not_implemented("sns", f"Subscribe with protocol {protocol}")
        endpoint, attributes = params.get("Endpoint", ""), dict(params.get("Attributes", {}))
        if not re.fullmatch(r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]+", endpoint):
            raise _invalid("SQS endpoint ARN")
        for name in attributes:
            _check_settable(name)
        for existing in topic.subscriptions.values():
            if existing.endpoint == endpoint:
                if existing.attributes != attributes:
                    raise _invalid("Attributes Reason: Subscription already exists with different attributes")
                return {"SubscriptionArn": existing.arn}
        subscription = Subscription(f"{topic.arn}:{self._site.new_id()}", topic.arn, endpoint, attributes)
        _compile(subscription)
        topic.subscriptions[subscription.arn] = self._subscriptions[subscription.arn] = subscription
        return {"SubscriptionArn": subscription.arn}

    def _unsubscribe(self, params: dict[str, Any], request: HttpRequest) -> None:
        _check_arn(params["SubscriptionArn"], "SubscriptionArn")
        subscription = self._subscriptions.pop(params["SubscriptionArn"], None)
        if subscription is not None:
            topic = self._topics[subscription.topic_arn]
            del topic.subscriptions[subscription.arn]
            topic.n_unsubscribed += 1

    def _list_subscriptions(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return _page("Subscriptions", [self._shown(s) for s in self._subscriptions.values()], params)

    def _list_subscriptions_by_topic(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic = self._topic(params["TopicArn"])
        return _page("Subscriptions", [self._shown(s) for s in topic.subscriptions.values()], params)

    def _shown(self, subscription: Subscription) -> dict[str, str]:
        return {
            "SubscriptionArn": subscription.arn,
            "Owner": self._site.account,
            "Protocol": "sqs",
            "Endpoint": subscription.endpoint,
            "TopicArn": subscription.topic_arn,
        }

    def _get_subscription_attributes(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        subscription = self._subscription(params["SubscriptionArn"])
        fixed = {
            "ConfirmationWasAuthenticated": "true",
            "PendingConfirmation": "false",
            "SubscriptionPrincipal": f"arn:aws:iam::{self._site.account}:user/smbench",
        }
        shown = {"RawMessageDelivery": "false"} | subscription.attributes
        if "FilterPolicy" in shown:
            shown.setdefault("FilterPolicyScope", "MessageAttributes")
        return {"Attributes": self._shown(subscription) | fixed | shown}

    def _set_subscription_attributes(self, params: dict[str, Any], request: HttpRequest) -> None:
        subscription = self._subscription(params["SubscriptionArn"])
        name, before = params["AttributeName"], dict(subscription.attributes)
        _check_settable(name)
        subscription.attributes[name] = params.get("AttributeValue", "")
        try:
            _compile(subscription)
        except ServiceError:
            subscription.attributes = before
            raise

    # publishing

    def _publish(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        if "PhoneNumber" in params:
            raise not_implemented("sns", "Publish to a phone number")
        arn = params.get("TopicArn", params.get("TargetArn"))
        if arn is None:
            raise _invalid("TopicArn or TargetArn Reason: no value for required parameter")
        return self._published(self._topic(arn), params)

    def _publish_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic, entries = self._topic(params["TopicArn"]), params["PublishBatchRequestEntries"]
        _check_batch(entries)
        successful: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for entry in entries:
            try:
                successful.append({"Id": entry["Id"], **self._published(topic, entry)})
            except ServiceError as error:
                failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
        return {"Successful": successful, "Failed": failed}

    def _published(self, topic: Topic, params: dict[str, Any]) -> dict[str, Any]:
        message, subject, attributes = params["Message"], params.get("Subject", ""), params.get("MessageAttributes", {})
        if not message:
            raise _invalid("Empty message")
        if messages.size_bytes(message, attributes) > MESSAGE_MAX_BYTES:
            raise _invalid("Message too long")
        if "Subject" in params and not _SUBJECT.fullmatch(subject):
            raise _invalid("Subject")
        if wrong := messages.complaint(attributes):
            raise ServiceError("ParameterValueInvalid", wrong)
        if params.get("MessageStructure") == "json":
            message = _message_for_sqs(message)
        return {"MessageId": self.publish(topic.arn, message, subject=subject, attributes=attributes)}

    # tags

    def _tag_resource(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        self._tagged(params).update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def _untag_resource(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        tags = self._tagged(params)
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags_for_resource(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(params).items()]}

    def _tagged(self, params: dict[str, Any]) -> dict[str, str]:
        topic = self._topics.get(params["ResourceArn"])
        if topic is None:
            raise ServiceError("ResourceNotFound", "Resource does not exist", 404)
        return topic.tags

    # names

    def _topic(self, arn: str) -> Topic:
        _check_arn(arn, "TopicArn")
        topic = self._topics.get(arn)
        if topic is None:
            raise ServiceError("NotFound", "Topic does not exist", 404)
        return topic

    def _subscription(self, arn: str) -> Subscription:
        _check_arn(arn, "SubscriptionArn")
        subscription = self._subscriptions.get(arn)
        if subscription is None:
            raise ServiceError("NotFound", "Subscription does not exist", 404)
        return subscription


def _wants(subscription: Subscription, publication: _Publication) -> bool:
    assert subscription.matches is not None
    if not subscription.is_on_body:
        return subscription.matches(attribute_values(publication.attributes))
    body = publication.body()
    return isinstance(body, dict) and subscription.matches(body)


def _compile(subscription: Subscription) -> None:
    attributes = subscription.attributes
    if attributes.get("RawMessageDelivery", "false").lower() not in ("true", "false"):
        raise _invalid("Attributes Reason: RawMessageDelivery: Invalid value [must be true or false]")
    if attributes.get("FilterPolicyScope", "MessageBody") not in ("MessageAttributes", "MessageBody"):
        raise _invalid("Attributes Reason: FilterPolicyScope: Invalid value [must be MessageBody or MessageAttributes]")
    policy = attributes.get("FilterPolicy", "")
    try:
        subscription.matches = compile_policy(policy, on_body=subscription.is_on_body) if policy else None
    except FilterError as error:
        raise _invalid(f"Attributes Reason: FilterPolicy: {error}") from None


def _message_for_sqs(message: str) -> str:
    try:
        by_protocol = orjson.loads(message)
    except orjson.JSONDecodeError:
        by_protocol = None
    if not isinstance(by_protocol, dict):
        raise _invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(by_protocol.get("default"), str):
        raise _invalid("Message Structure - No default entry in JSON message body")
    chosen = by_protocol.get("sqs", by_protocol["default"])
    return chosen if isinstance(chosen, str) else str(by_protocol["default"])


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _attribute_line(name: str, attribute: dict[str, Any]) -> str:
    binary = attribute.get("BinaryValue")
    value = attribute.get("StringValue", "") if binary is None else base64.b64encode(binary).decode("ascii")
    return f'{_quoted(name)} : {{"Type":{_quoted(attribute["DataType"])},"Value":{_quoted(value)}}}'


def _default_policy(arn: str, account: str) -> str:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes", "SNS:SetTopicAttributes"],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return orjson.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}).decode()


def _invalid(what: str) -> ServiceError:
    return ServiceError("InvalidParameter", f"Invalid parameter: {what}")


def _check_arn(arn: str, name: str) -> None:
    if len(arn.split(":")) < 6 or not arn.startswith("arn:"):
        raise _invalid(f"{name} Reason: An ARN must have at least 6 elements, not {len(arn.split(':'))}")


def _check_settable(name: str) -> None:
    if name not in _SUBSCRIPTION_SETTABLE:
        raise _invalid("AttributeName")


def _check_batch(entries: list[dict[str, Any]]) -> None:
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


def _page(name: str, items: list[Any], params: dict[str, Any]) -> dict[str, Any]:
    token = params.get("NextToken", "0")
    if not (token.isascii() and token.isdecimal()):
        raise _invalid("NextToken")
    start = int(token)
    page: dict[str, Any] = {name: items[start : start + _PAGE]}
    if start + _PAGE < len(items):
        page["NextToken"] = str(start + _PAGE)
    return page
