"""SNS: topics and subscriptions through aiobotocore over HTTP, delivery into queues, queue policies.

Method: the envelope byte by byte, because a consumer may parse it with anything.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plain_services import PlainServices, isolate_aws, serving
from smbench.clock import WarpLoop
from smbench.emulator.messaging.queue_policy import allows_topic
from smbench.emulator.protocol.codecs import ServiceError

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)


def queue_policy(**changes: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})


@dataclass
class At:
    """A topic, a queue that lets it send, and clients for both."""

    services: PlainServices
    sns: Any
    sqs: Any
    url: str

    async def subscribe(self, **attributes: str) -> str:
        reply = await self.sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE, Attributes=attributes)
        arn: str = reply["SubscriptionArn"]
        return arn

    async def bodies(self) -> list[str]:
        reply = await self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return [message["Body"] for message in reply.get("Messages", [])]


@pytest.fixture
async def at() -> AsyncIterator[At]:
    async with serving() as services:
        sns, sqs = await services.client("sns"), await services.client("sqs")
        url = (await sqs.create_queue(QueueName="q", Attributes={"Policy": queue_policy()}))["QueueUrl"]
        assert (await sns.create_topic(Name="t"))["TopicArn"] == TOPIC
        yield At(services, sns, sqs, url)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


# topics and subscriptions


async def test_a_topic_is_made_once_listed_tagged_and_deleted(at: At) -> None:
    assert (await at.sns.create_topic(Name="t"))["TopicArn"] == TOPIC
    await at.sns.tag_resource(ResourceArn=TOPIC, Tags=[{"Key": "run", "Value": "1"}, {"Key": "by", "Value": "me"}])
    await at.sns.untag_resource(ResourceArn=TOPIC, TagKeys=["by"])
    assert (await at.sns.list_tags_for_resource(ResourceArn=TOPIC))["Tags"] == [{"Key": "run", "Value": "1"}]
    await at.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue="<&>")
    shown = (await at.sns.get_topic_attributes(TopicArn=TOPIC))["Attributes"]
    assert (shown["DisplayName"], shown["Owner"], shown["SubscriptionsConfirmed"]) == ("<&>", "123456789012", "0")
    assert [topic["TopicArn"] for topic in (await at.sns.list_topics())["Topics"]] == [TOPIC]
    await at.sns.delete_topic(TopicArn=TOPIC)
    await at.sns.delete_topic(TopicArn=TOPIC)
    with pytest.raises(ClientError) as error:
        await at.sns.get_topic_attributes(TopicArn=TOPIC)
    assert refusal(error) == ("NotFound", 404)


async def test_a_subscription_is_one_for_each_topic_and_queue(at: At) -> None:
    arn = await at.subscribe(RawMessageDelivery="true")
    for same in ({"RawMessageDelivery": "true"}, {}, {"FilterPolicyScope": "MessageAttributes"}):
        assert await at.subscribe(**same) == arn
    with pytest.raises(ClientError) as error:
        await at.subscribe(RawMessageDelivery="false")
    assert refusal(error) == ("InvalidParameter", 400)
    expected = {
        "SubscriptionArn": arn,
        "Owner": "123456789012",
        "Protocol": "sqs",
        "Endpoint": QUEUE,
        "TopicArn": TOPIC,
    }
    assert (await at.sns.list_subscriptions())["Subscriptions"] == [expected]
    assert (await at.sns.list_subscriptions_by_topic(TopicArn=TOPIC))["Subscriptions"] == [expected]
    shown = (await at.sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"]
    assert shown["PendingConfirmation"] == "false"
    assert shown["RawMessageDelivery"] == "true"
    await at.sns.unsubscribe(SubscriptionArn=arn)
    await at.sns.unsubscribe(SubscriptionArn=arn)
    with pytest.raises(ClientError) as error:
        await at.sns.get_subscription_attributes(SubscriptionArn=arn)
    assert refusal(error) == ("NotFound", 404)


async def test_more_than_a_hundred_topics_come_in_pages(at: At) -> None:
    for i in range(120):
        at.services.sns.create(f"more-{i}")
    pages = [page["Topics"] async for page in at.sns.get_paginator("list_topics").paginate()]
    assert [len(page) for page in pages] == [100, 21]


async def test_a_wrong_change_of_a_subscription_changes_nothing(at: At) -> None:
    arn = await at.subscribe(FilterPolicy='{"k": ["a"]}')
    with pytest.raises(ClientError) as error:
        await at.sns.set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"k": "a"}'
        )
    assert refusal(error) == ("InvalidParameter", 400)
    shown = (await at.sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"]
    assert shown["FilterPolicy"] == '{"k": ["a"]}'
    assert shown["FilterPolicyScope"] == "MessageAttributes"


# delivery


async def test_the_envelope_is_printed_as_sns_prints_it(at: At) -> None:
    arn = await at.subscribe()
    message = '{"a":"é \\" <x>"}'
    message_id = at.services.sns.publish(TOPIC, message, 1_234_567_890)
    (body,) = await at.bodies()
    host = "https://sns.us-east-1.amazonaws.com/"
    assert body.split("\n") == [
        "{",
        '  "Type" : "Notification",',
        f'  "MessageId" : "{message_id}",',
        f'  "TopicArn" : "{TOPIC}",',
        '  "Message" : "{\\"a\\":\\"é \\\\\\" <x>\\"}",',
        '  "Timestamp" : "2026-01-01T00:00:01.234Z",',
        '  "SignatureVersion" : "1",',
        '  "Signature" : "RW11bGF0ZWQgYnkgc21iZW5jaDogdGhpcyBpcyBubyBzaWduYXR1cmUu",',
        f'  "SigningCertURL" : "{host}SimpleNotificationService-00000000000000000000000000000000.pem",',
        f'  "UnsubscribeURL" : "{host}?Action=Unsubscribe&SubscriptionArn={arn}"',
        "}",
    ]
    assert json.loads(body)["Message"] == message


async def test_a_subject_and_attributes_are_in_the_envelope_only_when_given(at: At) -> None:
    await at.subscribe()
    attributes = {
        "s": {"DataType": "String", "StringValue": 'q"'},
        "b": {"DataType": "Binary", "BinaryValue": b"\xff"},
    }
    await at.sns.publish(TopicArn=TOPIC, Message="m", Subject="Hello", MessageAttributes=attributes)
    (body,) = await at.bodies()
    read = json.loads(body)
    assert list(read)[3] == "Subject"
    assert read["Subject"] == "Hello"
    assert read["MessageAttributes"] == {
        "s": {"Type": "String", "Value": 'q"'},
        "b": {"Type": "Binary", "Value": "/w=="},
    }


async def test_raw_delivery_is_the_message_and_its_attributes(at: At) -> None:
    await at.subscribe(RawMessageDelivery="true")
    attributes = {"n": {"DataType": "Number", "StringValue": "1"}}
    await at.sns.publish(TopicArn=TOPIC, Message="plain", MessageAttributes=attributes)
    reply = await at.sqs.receive_message(QueueUrl=at.url, MessageAttributeNames=["All"])
    assert reply["Messages"][0]["Body"] == "plain"
    assert reply["Messages"][0]["MessageAttributes"] == attributes


async def test_a_message_by_protocol_takes_the_queues_entry(at: At) -> None:
    await at.subscribe(RawMessageDelivery="true")
    for message in ('{"default": "d", "sqs": "s"}', '{"default": "d"}'):
        await at.sns.publish(TopicArn=TOPIC, Message=message, MessageStructure="json")
    assert await at.bodies() == ["s", "d"]


async def test_a_batch_is_published_and_its_bad_entries_named(at: At) -> None:
    await at.subscribe(RawMessageDelivery="true")
    reply = await at.sns.publish_batch(
        TopicArn=TOPIC,
        PublishBatchRequestEntries=[{"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2", "Subject": "\n"}],
    )
    assert [entry["Id"] for entry in reply["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"]) for entry in reply["Failed"]] == [("b", "InvalidParameter")]
    assert await at.bodies() == ["1"]


async def test_a_queue_whose_policy_does_not_allow_the_topic_gets_nothing(at: At) -> None:
    await at.subscribe()
    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"Policy": ""})
    await at.sns.publish(TopicArn=TOPIC, Message="m")
    assert await at.bodies() == []
    assert at.services.sns.counts.n_dropped == 1
    assert at.services.sns.queues(TOPIC) == []


async def test_a_message_to_a_deleted_queue_is_dropped_and_counted(at: At) -> None:
    await at.subscribe()
    await at.sqs.delete_queue(QueueUrl=at.url)
    await at.sns.publish(TopicArn=TOPIC, Message="m")
    counts = at.services.sns.counts
    assert (counts.n_published, counts.n_delivered, counts.n_dropped) == (1, 0, 1)


async def test_what_cannot_be_delivered_goes_to_the_subscriptions_own_queue(at: At) -> None:
    grave = (await at.sqs.create_queue(QueueName="grave"))["QueueUrl"]
    grave_arn = QUEUE.replace(":q", ":grave")
    policy = queue_policy(Resource=grave_arn)
    await at.sqs.set_queue_attributes(QueueUrl=grave, Attributes={"Policy": policy})
    arn = await at.subscribe(RawMessageDelivery="true")
    redrive = json.dumps({"deadLetterTargetArn": grave_arn})
    await at.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=redrive)
    shown = (await at.sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"]
    assert shown["RedrivePolicy"] == redrive
    await at.sns.publish(TopicArn=TOPIC, Message="arrives")
    await at.sqs.delete_queue(QueueUrl=at.url)
    await at.sns.publish(TopicArn=TOPIC, Message="dies")
    (buried,) = (await at.sqs.receive_message(QueueUrl=grave, MaxNumberOfMessages=10))["Messages"]
    counts = at.services.sns.counts
    assert (buried["Body"], counts.n_delivered, counts.n_dropped) == ("dies", 1, 1)
    for wrong in ("[]", '{"deadLetterTargetArn": "nonsense"}'):
        with pytest.raises(ClientError) as refused:
            await at.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=wrong
            )
        assert refusal(refused) == ("InvalidParameter", 400)


async def test_a_subscription_by_mail_waits_for_a_confirmation_that_never_comes(at: At) -> None:
    by_mail = {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "a@example.com"}
    assert (await at.sns.subscribe(**by_mail))["SubscriptionArn"] == "pending confirmation"
    arn = (await at.sns.subscribe(**by_mail, ReturnSubscriptionArn=True))["SubscriptionArn"]
    (listed,) = (await at.sns.list_subscriptions_by_topic(TopicArn=TOPIC))["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Protocol"]) == ("PendingConfirmation", "email")
    shown = (await at.sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"]
    assert (shown["SubscriptionArn"], shown["PendingConfirmation"]) == (arn, "true")
    topic = (await at.sns.get_topic_attributes(TopicArn=TOPIC))["Attributes"]
    assert (topic["SubscriptionsConfirmed"], topic["SubscriptionsPending"]) == ("0", "1")
    await at.sns.publish(TopicArn=TOPIC, Message="m")
    counts = at.services.sns.counts
    assert (counts.n_published, counts.n_delivered, counts.n_dropped) == (1, 0, 0)


async def test_a_run_hears_only_of_its_own_inferences(at: At) -> None:
    await at.subscribe(
        FilterPolicy='{"inferenceId": [{"prefix": "run7-w0-"}]}',
        FilterPolicyScope="MessageBody",
        RawMessageDelivery="true",
    )
    ours = '{"inferenceId":"run7-w0-12","requestParameters":{"inferenceId":"x"}}'
    for message in (ours, '{"inferenceId":"run7-w1-12"}', '{"eventName":"TestNotification"}', "no json", "[]", "1"):
        at.services.sns.publish(TOPIC, message)
    assert await at.bodies() == [ours]
    assert at.services.sns.counts.n_filtered == 5


async def test_publishing_to_no_topic_is_not_found(at: At) -> None:
    with pytest.raises(ServiceError, match="404 NotFound: Topic does not exist"):
        at.services.sns.publish(TOPIC + "x", "m")
    assert at.services.sns.queues(TOPIC + "x") == []


@pytest.mark.parametrize(
    ("operation", "params", "code", "status"),
    [
        ("create_topic", {"Name": "a b"}, "InvalidParameter", 400),
        ("create_topic", {"Name": "t", "Attributes": {"Odd": "1"}}, "InvalidParameter", 400),
        ("create_topic", {"Name": "t.fifo", "Attributes": {"FifoTopic": "true"}}, "NotImplemented", 501),
        ("publish", {"Message": "m"}, "InvalidParameter", 400),
        ("publish", {"TopicArn": "nonsense", "Message": "m"}, "InvalidParameter", 400),
        ("publish", {"TopicArn": TOPIC + "x", "Message": "m"}, "NotFound", 404),
        ("publish", {"TopicArn": TOPIC, "Message": ""}, "InvalidParameter", 400),
        ("publish", {"TopicArn": TOPIC, "Message": "m" * 262_145}, "InvalidParameter", 400),
        ("publish", {"TopicArn": TOPIC, "Message": "{}", "MessageStructure": "json"}, "InvalidParameter", 400),
        ("publish", {"PhoneNumber": "+1", "Message": "m"}, "NotImplemented", 501),
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "sms", "Endpoint": "+1"}, "NotImplemented", 501),
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "pigeon", "Endpoint": "a"}, "InvalidParameter", 400),
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "https", "Endpoint": "http://a"}, "InvalidParameter", 400),
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": "http://q"}, "InvalidParameter", 400),
        ("publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": []}, "EmptyBatchRequest", 400),
        ("list_phone_numbers_opted_out", {}, "NotImplemented", 501),
    ],
)
async def test_a_wrong_request_gets_its_own_error(
    at: At, operation: str, params: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as error:
        await getattr(at.sns, operation)(**params)
    assert refusal(error) == (code, status)


# queue policies


@pytest.mark.parametrize(
    ("changes", "is_allowed"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Action": ["sqs:ReceiveMessage", "SQS:*"]}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": QUEUE + "x"}, False),
        ({"Condition": {}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:t"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:sns:*"}}}, False),
        ({"Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": [TOPIC + "x", TOPIC]}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC + "x"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_a_queue_policy_allows_what_it_says(changes: dict[str, Any], is_allowed: bool) -> None:
    assert allows_topic(queue_policy(**changes), QUEUE, TOPIC) is is_allowed


def test_a_deny_outweighs_an_allow() -> None:
    both = json.loads(queue_policy())
    both["Statement"] += json.loads(queue_policy(Effect="Deny"))["Statement"]
    assert not allows_topic(json.dumps(both), QUEUE, TOPIC)
