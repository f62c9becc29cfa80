"""The emulated SNS: standard topics with SQS subscriptions, filter policies, raw and enveloped delivery."""

from dataclasses import dataclass
from typing import Any

from smbench.emulator.messaging import message_attributes
from smbench.emulator.messaging.hosted_queue import HostedQueue
from smbench.emulator.messaging.queue_policy import allows_topic
from smbench.emulator.messaging.sns_envelope import Publication, envelope
from smbench.emulator.messaging.sns_rules import (
    MESSAGE_MAX_BYTES,
    SUBJECT,
    TOPIC_NAME,
    Subscription,
    Topic,
    check_arn,
    check_batch,
    check_endpoint,
    check_settable,
    check_topic_attribute,
    compile_filter,
    default_policy,
    invalid,
    message_for_sqs,
    paged,
    wants,
)
from smbench.emulator.messaging.sqs import Sqs
from smbench.emulator.protocol.codecs import ServiceError, not_implemented
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site, iso_ms
from smbench.emulator.tags import pairs_of, tags_of

_TAGS_MAX = 50
_DEFAULTS = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}


@dataclass(slots=True)
class SnsStatistics:
    """Messages since the start; the last three count one for each subscription."""

    n_published: int = 0
    n_delivered: int = 0
    n_filtered: int = 0
    n_dropped: int = 0  # no such queue, its policy does not allow the topic, or too many attributes for raw delivery


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
            self._topics[arn] = Topic(arn, {"DisplayName": "", "Policy": default_policy(arn, self._site.account)}, {})
        return arn

    def tagged(self) -> dict[str, dict[str, str]]:
        """Every topic's tags, by its ARN."""
        return {arn: topic.tags for arn, topic in self._topics.items()}

    def restore_policy(self, arn: str) -> None:
        """Give a topic the policy that a new one has."""
        self._topic(arn).attributes["Policy"] = default_policy(arn, self._site.account)

    def exists(self, arn: str) -> bool:
        """Whether there is a topic with this ARN."""
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
        attributes: message_attributes.Attributes | None = None,
        document: dict[str, Any] | None = None,
    ) -> str:
        """Send a message to every subscription that wants it; its id.

        Args:
            at_ns: The scenario instant its Timestamp shows; now by default. It is in the queues now.
            document: What the message says as JSON, from a caller that has it at hand.

        Raises:
            ServiceError: NotFound, when there is no such topic.
        """
        topic = self._topics.get(topic_arn) or self._topic(topic_arn)
        publication = Publication(
            self._site.new_id(), message, subject, iso_ms(self._site.utc_ns(at_ns)), attributes or {}, document
        )
        self._fan_out(topic, publication)
        return publication.message_id

    def _fan_out(self, topic: Topic, publication: Publication) -> None:
        self.counts.n_published += 1
        for subscription in topic.subscriptions.values():
            if subscription.is_pending:
                continue
            if subscription.matches is None or wants(subscription, publication):
                self._deliver(subscription, publication)
            else:
                self.counts.n_filtered += 1

    def _deliver(self, subscription: Subscription, publication: Publication) -> None:
        hosted = self._reachable(subscription)
        if hosted is None:
            self.counts.n_dropped += 1
            if buried := self._allowed(subscription.dead_letters, subscription.topic_arn):
                self._put(buried, subscription, publication)
        elif self._put(hosted, subscription, publication):
            self.counts.n_delivered += 1
        else:
            self.counts.n_dropped += 1

    def _put(self, hosted: HostedQueue, subscription: Subscription, publication: Publication) -> bool:
        """Whether it could be put into the queue: SQS takes so many attributes with a bare message."""
        if not subscription.is_raw:
            self._sqs.send(
                hosted, envelope(publication, topic_arn=subscription.topic_arn, subscription_arn=subscription.arn)
            )
        elif len(publication.attributes) <= message_attributes.ATTRIBUTES_MAX:
            self._sqs.send(hosted, publication.message, publication.attributes)
        else:
            return False
        return True

    def _reachable(self, subscription: Subscription) -> HostedQueue | None:
        """The queue of a subscription, if it exists and its policy allows the topic."""
        return None if subscription.is_pending else self._allowed(subscription.endpoint, subscription.topic_arn)

    def _allowed(self, queue_arn: str, topic_arn: str) -> HostedQueue | None:
        """The queue of an ARN, if it exists and its policy allows the topic."""
        hosted = self._sqs.find(queue_arn) if queue_arn else None
        if hosted is None:
            return None
        policy = hosted.attributes.get("Policy", "")
        return hosted if allows_topic(policy, hosted.arn, topic_arn) else None

    # topics

    def _create_topic(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        name, asked = params["Name"], params.get("Attributes", {})
        if name.endswith(".fifo") or asked.get("FifoTopic") == "true":
            raise not_implemented("sns", "CreateTopic of a FIFO topic")
        if not TOPIC_NAME.fullmatch(name):
            raise invalid("Topic Name")
        asked = {attribute: value for attribute, value in asked.items() if attribute != "FifoTopic"}  # a standard one
        for attribute, value in asked.items():
            check_topic_attribute("CreateTopic", attribute, value, "Attributes Reason: Unknown attribute: ")
        arn = self._site.arn("sns", name)
        tags = tags_of(params.get("Tags", []))
        existing = self._topics.get(arn)
        if existing is not None:
            if any(existing.attributes.get(attribute) != value for attribute, value in asked.items()):
                raise invalid("Attributes Reason: Topic already exists with different attributes")
            if tags and tags != existing.tags:
                raise invalid("Tags Reason: Topic already exists with different tags")
            return {"TopicArn": arn}
        self.create(name)
        self._topics[arn].attributes.update(asked)
        self._topics[arn].tags.update(tags)
        return {"TopicArn": arn}

    def _delete_topic(self, params: dict[str, Any], request: HttpRequest) -> None:
        check_arn(params["TopicArn"], "TopicArn")
        topic = self._topics.pop(params["TopicArn"], None)
        for arn in topic.subscriptions if topic else ():
            del self._subscriptions[arn]

    def _list_topics(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return paged("Topics", [{"TopicArn": arn} for arn in self._topics], params)

    def _get_topic_attributes(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic = self._topic(params["TopicArn"])
        n_pending = sum(one.is_pending for one in topic.subscriptions.values())
        return {
            "Attributes": topic.attributes
            | {
                "TopicArn": topic.arn,
                "Owner": self._site.account,
                "SubscriptionsConfirmed": str(len(topic.subscriptions) - n_pending),
                "SubscriptionsPending": str(n_pending),
                "SubscriptionsDeleted": str(topic.n_unsubscribed),
                "EffectiveDeliveryPolicy": "{}",
            }
        }

    def _set_topic_attributes(self, params: dict[str, Any], request: HttpRequest) -> None:
        topic = self._topic(params["TopicArn"])
        name, value = params["AttributeName"], params.get("AttributeValue", "")
        check_topic_attribute("SetTopicAttributes", name, value)
        topic.attributes[name] = value

    # subscriptions

    def _subscribe(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic, protocol = self._topic(params["TopicArn"]), params["Protocol"]
        endpoint, attributes = params.get("Endpoint", ""), dict(params.get("Attributes", {}))
        check_endpoint(protocol, endpoint)
        for name in attributes:
            check_settable(name)
        for existing in topic.subscriptions.values():
            if (existing.protocol, existing.endpoint) == (protocol, endpoint):
                held = _DEFAULTS | existing.attributes  # what the call does not name may be anything
                if any(held.get(name) != value for name, value in attributes.items()):
                    raise invalid("Attributes Reason: Subscription already exists with different attributes")
                return {"SubscriptionArn": self._answered(existing, params)}
        subscription = Subscription(f"{topic.arn}:{self._site.new_id()}", topic.arn, endpoint, attributes, protocol)
        compile_filter(subscription, "Attributes Reason: ")
        topic.subscriptions[subscription.arn] = self._subscriptions[subscription.arn] = subscription
        return {"SubscriptionArn": self._answered(subscription, params)}

    @staticmethod
    def _answered(subscription: Subscription, params: dict[str, Any]) -> str:
        if subscription.is_pending and not params.get("ReturnSubscriptionArn"):
            return "pending confirmation"
        return subscription.arn

    def _unsubscribe(self, params: dict[str, Any], request: HttpRequest) -> None:
        check_arn(params["SubscriptionArn"], "SubscriptionArn")
        subscription = self._subscriptions.pop(params["SubscriptionArn"], None)
        if subscription is not None:
            topic = self._topics[subscription.topic_arn]
            del topic.subscriptions[subscription.arn]
            topic.n_unsubscribed += 1

    def _list_subscriptions(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return paged("Subscriptions", [self._shown(s) for s in self._subscriptions.values()], params)

    def _list_subscriptions_by_topic(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic = self._topic(params["TopicArn"])
        return paged("Subscriptions", [self._shown(s) for s in topic.subscriptions.values()], params)

    def _shown(self, subscription: Subscription) -> dict[str, str]:
        return {
            "SubscriptionArn": subscription.shown_arn,
            "Owner": self._site.account,
            "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint,
            "TopicArn": subscription.topic_arn,
        }

    def _get_subscription_attributes(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        subscription = self._subscription(params["SubscriptionArn"])
        fixed = {
            "SubscriptionArn": subscription.arn,
            "ConfirmationWasAuthenticated": "false" if subscription.is_pending else "true",
            "PendingConfirmation": "true" if subscription.is_pending else "false",
            "SubscriptionPrincipal": f"arn:aws:iam::{self._site.account}:user/smbench",
        }
        shown = {"RawMessageDelivery": "false"} | subscription.attributes
        if "FilterPolicy" in shown:
            shown.setdefault("FilterPolicyScope", "MessageAttributes")
        else:
            shown.pop("FilterPolicyScope", None)
        return {"Attributes": self._shown(subscription) | fixed | shown}

    def _set_subscription_attributes(self, params: dict[str, Any], request: HttpRequest) -> None:
        subscription = self._subscription(params["SubscriptionArn"])
        name, before = params["AttributeName"], dict(subscription.attributes)
        check_settable(name)
        if value := params.get("AttributeValue", ""):
            subscription.attributes[name] = value
        else:
            subscription.attributes.pop(name, None)  # so a filter is taken off again
        try:
            compile_filter(subscription)
        except ServiceError:
            subscription.attributes = before
            raise

    # publishing

    def _publish(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        if "PhoneNumber" in params:
            raise not_implemented("sns", "Publish to a phone number")
        if "TopicArn" in params and "TargetArn" in params:
            raise invalid("TopicArn or TargetArn Reason: both were given")
        arn = params.get("TopicArn", params.get("TargetArn"))
        if arn is None:
            raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
        return self._published(self._topic(arn), params)

    def _publish_batch(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        topic, entries = self._topic(params["TopicArn"]), params["PublishBatchRequestEntries"]
        check_batch(entries)
        total = sum(message_attributes.size_bytes(one["Message"], one.get("MessageAttributes", {})) for one in entries)
        if total > MESSAGE_MAX_BYTES:
            text = f"The length of all the messages put together is more than the limit of {MESSAGE_MAX_BYTES} bytes."
            raise ServiceError("BatchRequestTooLong", text)
        successful: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for entry in entries:
            try:
                successful.append({"Id": entry["Id"], **self._published(topic, entry)})
            except ServiceError as error:
                failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
        return {"Successful": successful, "Failed": failed}

    def _published(self, topic: Topic, params: dict[str, Any]) -> dict[str, Any]:
        if "MessageDeduplicationId" in params:
            text = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
            raise invalid(f"MessageDeduplicationId Reason: {text}")
        message, subject, attributes = params["Message"], params.get("Subject", ""), params.get("MessageAttributes", {})
        if not message:
            raise invalid("Empty message")
        if message_attributes.size_bytes(message, attributes) > MESSAGE_MAX_BYTES:
            raise invalid("Message too long")
        if "Subject" in params and not SUBJECT.fullmatch(subject):
            raise invalid("Subject")
        if wrong := message_attributes.complaint(attributes):
            raise ServiceError("ParameterValueInvalid", wrong)
        if params.get("MessageStructure", "json") != "json":
            raise invalid("MessageStructure")
        if "MessageStructure" in params:
            message = message_for_sqs(message)
        return {"MessageId": self.publish(topic.arn, message, subject=subject, attributes=attributes)}

    # tags

    def _tag_resource(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        tags = self._tagged(params)
        given = tags_of(params["Tags"])
        if len(tags.keys() | given.keys()) > _TAGS_MAX:
            raise ServiceError("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
        tags.update(given)
        return {}

    def _untag_resource(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        tags = self._tagged(params)
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags_for_resource(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return {"Tags": pairs_of(self._tagged(params))}

    def _tagged(self, params: dict[str, Any]) -> dict[str, str]:
        topic = self._topics.get(params["ResourceArn"])
        if topic is None:
            raise ServiceError("ResourceNotFound", "Resource does not exist", 404)
        return topic.tags

    # names

    def _topic(self, arn: str) -> Topic:
        check_arn(arn, "TopicArn")
        topic = self._topics.get(arn)
        if topic is None:
            raise ServiceError("NotFound", "Topic does not exist", 404)
        return topic

    def _subscription(self, arn: str) -> Subscription:
        check_arn(arn, "SubscriptionArn")
        subscription = self._subscriptions.get(arn)
        if subscription is None:
            raise ServiceError("NotFound", "Subscription does not exist", 404)
        return subscription
