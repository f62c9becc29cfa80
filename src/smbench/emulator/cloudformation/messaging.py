"""Kinds of resources that carry messages: topics, queues, their policies, and subscriptions."""

from typing import Any

import orjson

from smbench.emulator.cloudformation.intrinsics import text_of
from smbench.emulator.cloudformation.kind import INSIDE, Account, Calls, Kind, Physical, Tags, short
from smbench.emulator.messaging.sqs_rules import RANGES
from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.tags import pairs_of

_TOPIC_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_QUEUE_DOCUMENTS = ("RedrivePolicy", "RedriveAllowPolicy")
_QUEUE_ATTRIBUTES = (
    *RANGES,
    *("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"),
    *_QUEUE_DOCUMENTS,
)
_SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
)
_QUEUE_NAME_MAX, _TOPIC_NAME_MAX = 80, 256


def _call(service: Any, operation: str, params: Params) -> dict[str, Any]:
    result: dict[str, Any] | None = service.operations[operation](params, INSIDE)
    return result or {}


def _attributes(given: Params, names: tuple[str, ...]) -> dict[str, str]:
    """Those of the properties that the service keeps as text; a document becomes JSON."""
    return {
        name: orjson.dumps(given[name]).decode() if isinstance(given[name], dict) else text_of(given[name])
        for name in names
        if name in given
    }


# topics


def _make_topic(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = {
        "Name": given.get("TopicName", short(name, _TOPIC_NAME_MAX)),
        "Tags": pairs_of(tags),
        "Attributes": _attributes(given, _TOPIC_ATTRIBUTES),
    }
    arn = _call(account.sns, "CreateTopic", params)["TopicArn"]
    for one in given.get("Subscription", []):
        _call(account.sns, "Subscribe", {"TopicArn": arn, "Protocol": one["Protocol"], "Endpoint": one["Endpoint"]})
    return Physical(arn, {"TopicArn": arn, "TopicName": params["Name"]})


def _change_topic(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    attributes = dict.fromkeys(("DisplayName", "KmsMasterKeyId"), "") | _attributes(given, _TOPIC_ATTRIBUTES)
    for name, value in attributes.items():
        params = {"TopicArn": made.id, "AttributeName": name, "AttributeValue": value}
        _call(account.sns, "SetTopicAttributes", params)
    kept = account.sns.tagged()[made.id]
    kept.clear()
    kept.update(tags)


def _remove_topic(account: Account, made: Physical) -> None:
    _call(account.sns, "DeleteTopic", {"TopicArn": made.id})


def _make_topic_policy(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    document = orjson.dumps(given["PolicyDocument"]).decode()
    for arn in given["Topics"]:
        params = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": document}
        _call(account.sns, "SetTopicAttributes", params)
    return Physical(name, {"Id": name, "topics": ",".join(given["Topics"])})


def _remove_topic_policy(account: Account, made: Physical) -> None:
    for arn in filter(account.sns.exists, made.attributes["topics"].split(",")):
        account.sns.restore_policy(arn)


def _make_subscription(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    params = {
        "TopicArn": given["TopicArn"],
        "Protocol": given["Protocol"],
        "Endpoint": given.get("Endpoint", ""),
        "Attributes": _attributes(given, _SUBSCRIPTION_ATTRIBUTES),
        "ReturnSubscriptionArn": True,  # also of one that waits for its confirmation
    }
    arn = _call(account.sns, "Subscribe", params)["SubscriptionArn"]
    return Physical(arn, {"Arn": arn})


def _change_subscription(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    wanted = {"RawMessageDelivery": "false"} | _attributes(given, _SUBSCRIPTION_ATTRIBUTES)
    steps = [("FilterPolicy", ""), ("FilterPolicyScope", wanted.pop("FilterPolicyScope", "")), *wanted.items()]
    for name, value in steps:  # a policy is held against the scope that is there when it comes
        params = {"SubscriptionArn": made.id, "AttributeName": name, "AttributeValue": value}
        _call(account.sns, "SetSubscriptionAttributes", params)


def _remove_subscription(account: Account, made: Physical) -> None:
    _call(account.sns, "Unsubscribe", {"SubscriptionArn": made.id})


# queues


def _has_queue(account: Account, name: str) -> bool:
    return any(arn.rpartition(":")[2] == name for arn in account.sqs.tagged())


def _make_queue(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    queue_name = given.get("QueueName", short(name, _QUEUE_NAME_MAX))
    attributes = _attributes(given, _QUEUE_ATTRIBUTES)
    if _has_queue(account, queue_name):
        raise ServiceError("QueueAlreadyExists", f"{queue_name} already exists", 409)
    url = _call(account.sqs, "CreateQueue", {"QueueName": queue_name, "Attributes": attributes, "tags": dict(tags)})[
        "QueueUrl"
    ]
    asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
    arn = _call(account.sqs, "GetQueueAttributes", asked)["Attributes"]["QueueArn"]
    return Physical(url, {"Arn": arn, "QueueName": queue_name, "QueueUrl": url})


def _change_queue(account: Account, made: Physical, given: Params, tags: Tags) -> None:
    unset = {name: str(default) for name, (default, _, _) in RANGES.items()} | dict.fromkeys(_QUEUE_DOCUMENTS, "")
    params = {"QueueUrl": made.id, "Attributes": unset | _attributes(given, _QUEUE_ATTRIBUTES)}
    _call(account.sqs, "SetQueueAttributes", params)
    kept = account.sqs.tagged()[made.attributes["Arn"]]
    kept.clear()
    kept.update(tags)


def _remove_queue(account: Account, made: Physical) -> None:
    if _has_queue(account, made.attributes["QueueName"]):
        _call(account.sqs, "DeleteQueue", {"QueueUrl": made.id})


def _make_queue_policy(account: Account, name: str, given: Params, tags: Tags) -> Physical:
    document = orjson.dumps(given["PolicyDocument"]).decode()
    for url in given["Queues"]:
        _call(account.sqs, "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": document}})
    return Physical(name, {"Id": name, "queues": ",".join(given["Queues"])})


def _remove_queue_policy(account: Account, made: Physical) -> None:
    for url in made.attributes["queues"].split(","):
        if _has_queue(account, url.rpartition("/")[2]):
            _call(account.sqs, "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": ""}})


KINDS: dict[str, Kind] = {
    "AWS::SNS::Topic": Kind(
        frozenset({"TopicName", "Tags", "Subscription", *_TOPIC_ATTRIBUTES}),
        _make_topic,
        _remove_topic,
        _change_topic,
        frozenset({"TopicName", "Subscription"}),
    ),
    "AWS::SNS::TopicPolicy": Kind(frozenset({"Topics", "PolicyDocument"}), _make_topic_policy, _remove_topic_policy),
    "AWS::SNS::Subscription": Kind(
        frozenset({"TopicArn", "Protocol", "Endpoint", *_SUBSCRIPTION_ATTRIBUTES}),
        _make_subscription,
        _remove_subscription,
        _change_subscription,
        frozenset({"TopicArn", "Protocol", "Endpoint"}),
    ),
    "AWS::SQS::Queue": Kind(
        frozenset({"QueueName", "Tags", *_QUEUE_ATTRIBUTES}),
        _make_queue,
        _remove_queue,
        _change_queue,
        frozenset({"QueueName"}),
    ),
    "AWS::SQS::QueuePolicy": Kind(frozenset({"Queues", "PolicyDocument"}), _make_queue_policy, _remove_queue_policy),
}
CALLS: dict[str, Calls] = {
    "AWS::SNS::Topic": Calls("sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes"),
    "AWS::SNS::TopicPolicy": Calls("sns:SetTopicAttributes", "sns:SetTopicAttributes"),
    "AWS::SNS::Subscription": Calls("sns:Subscribe", "sns:Unsubscribe", "sns:SetSubscriptionAttributes"),
    "AWS::SQS::Queue": Calls("sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"),
    "AWS::SQS::QueuePolicy": Calls("sqs:SetQueueAttributes", "sqs:SetQueueAttributes"),
}
