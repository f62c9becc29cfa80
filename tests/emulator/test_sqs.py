"""SQS: each operation through aiobotocore over HTTP, in virtual time; the queue's state machine on its own.

Method: each call in JSON and in the query protocol, by the service model of botocore 1.29.70; the client validates each
reply against botocore's output shapes; hypothesis drives a queue and a slow, obvious model of one with the same steps.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from plain_services import PlainServices, isolate_aws, serving
from smbench.clock import WarpLoop
from smbench.emulator.messaging.message_attributes import Attributes, md5_of_attributes
from smbench.emulator.messaging.queue import Message, Place, Queue

S = 1_000_000_000


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)


@dataclass
class At:
    """A client, a queue to work on, and the emulator behind them."""

    services: PlainServices
    sqs: Any
    url: str
    is_new: bool

    async def receive(self, **params: Any) -> list[dict[str, Any]]:
        reply = await self.sqs.receive_message(QueueUrl=self.url, **params)
        messages: list[dict[str, Any]] = reply.get("Messages", [])
        return messages

    async def counts(self) -> tuple[int, int, int]:
        names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
        reply = await self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        visible, hidden, delayed = (int(reply["Attributes"][name]) for name in names)
        return visible, hidden, delayed


@pytest.fixture(params=["json", "query"])
async def at(request: pytest.FixtureRequest) -> AsyncIterator[At]:
    """In the protocol of today, and in that of clients of before late 2023."""
    async with serving() as services:
        sqs = await services.client("sqs", is_old=request.param == "query")
        url = (await sqs.create_queue(QueueName="q"))["QueueUrl"]
        yield At(services, sqs, url, request.param == "json")


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


# queues


async def test_a_queue_is_found_by_name_and_listed_by_prefix(at: At) -> None:
    await at.sqs.create_queue(QueueName="other")
    assert at.url == f"{at.services.site.url}/123456789012/q"
    assert (await at.sqs.get_queue_url(QueueName="q"))["QueueUrl"] == at.url
    assert (await at.sqs.list_queues(QueueNamePrefix="q"))["QueueUrls"] == [at.url]
    first = await at.sqs.list_queues(MaxResults=1)
    rest = await at.sqs.list_queues(MaxResults=1, NextToken=first["NextToken"])
    assert len({*first["QueueUrls"], *rest["QueueUrls"]}) == 2
    assert "NextToken" not in rest


async def test_creating_a_queue_again_is_fine_unless_an_attribute_differs(at: At) -> None:
    assert (await at.sqs.create_queue(QueueName="q"))["QueueUrl"] == at.url
    assert (await at.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"}))["QueueUrl"] == at.url
    with pytest.raises(ClientError) as error:
        await at.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "31"})
    assert refusal(error) == ("QueueAlreadyExists", 400)


async def test_attributes_are_read_back_as_strings(at: At) -> None:
    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"VisibilityTimeout": "7", "Policy": ""})
    shown = (await at.sqs.get_queue_attributes(QueueUrl=at.url, AttributeNames=["All"]))["Attributes"]
    assert shown["VisibilityTimeout"] == "7"
    assert shown["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:q"
    assert shown["CreatedTimestamp"] == "1767225600"
    assert shown["MessageRetentionPeriod"] == "345600"
    assert "Policy" not in shown
    assert "Attributes" not in await at.sqs.get_queue_attributes(QueueUrl=at.url)


async def test_tags_are_added_and_removed(at: At) -> None:
    await at.sqs.tag_queue(QueueUrl=at.url, Tags={"run": "1", "by": "me"})
    await at.sqs.untag_queue(QueueUrl=at.url, TagKeys=["by", "absent"])
    assert (await at.sqs.list_queue_tags(QueueUrl=at.url))["Tags"] == {"run": "1"}


async def test_a_deleted_queue_is_gone_and_its_name_rests_for_a_minute(at: At) -> None:
    await at.sqs.delete_queue(QueueUrl=at.url)
    with pytest.raises(ClientError) as error:
        await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    assert refusal(error) == ("AWS.SimpleQueueService.NonExistentQueue", 400)
    with pytest.raises(ClientError) as error:
        await at.sqs.create_queue(QueueName="q")
    assert refusal(error) == ("AWS.SimpleQueueService.QueueDeletedRecently", 400)
    await anyio.sleep(61)
    await at.sqs.create_queue(QueueName="q")


async def test_a_purge_forgets_all_and_may_not_be_repeated_at_once(at: At) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    await at.sqs.purge_queue(QueueUrl=at.url)
    assert await at.counts() == (0, 0, 0)
    with pytest.raises(ClientError) as error:
        await at.sqs.purge_queue(QueueUrl=at.url)
    assert refusal(error) == ("AWS.SimpleQueueService.PurgeQueueInProgress", 400)


# messages


async def test_a_message_comes_back_whole_with_its_digests_and_stamps(at: At) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "é"},
        "n": {"DataType": "Number", "StringValue": "1.5"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    await anyio.sleep(1.25)
    sent = await at.sqs.send_message(QueueUrl=at.url, MessageBody="héllo", MessageAttributes=attributes)
    await anyio.sleep(2)
    names = "MessageSystemAttributeNames" if at.is_new else "AttributeNames"
    (message,) = await at.receive(**{names: ["All"], "MessageAttributeNames": ["All"]})
    assert message["Body"] == "héllo"
    assert message["MessageAttributes"] == attributes
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5("héllo".encode()).hexdigest()
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"] == {
        "SenderId": "AIDAEXAMPLEEXAMPLE000",
        "SentTimestamp": "1767225601250",
        "ApproximateReceiveCount": "1",
        "ApproximateFirstReceiveTimestamp": "1767225603250",
    }


def test_the_digest_of_attributes_is_the_documented_one() -> None:
    # Length and bytes of name and type, a mark for the kind of value, length and bytes of the value; by hand:
    by_hand = b"\0\0\0\1a\0\0\0\6String\1\0\0\0\2xy" + b"\0\0\0\1b\0\0\0\6Binary\2\0\0\0\1\xff"
    attributes: Attributes = {
        "b": {"DataType": "Binary", "BinaryValue": b"\xff"},
        "a": {"DataType": "String", "StringValue": "xy"},
    }
    assert md5_of_attributes(attributes) == hashlib.md5(by_hand).hexdigest()


async def test_only_the_attributes_asked_for_come_back(at: At) -> None:
    attributes = {name: {"DataType": "String", "StringValue": "x"} for name in ("a.one", "a.two", "b")}
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x", MessageAttributes=attributes)
    (message,) = await at.receive(AttributeNames=["SentTimestamp"], MessageAttributeNames=["a.*"], VisibilityTimeout=0)
    assert set(message["MessageAttributes"]) == {"a.one", "a.two"}
    assert set(message["Attributes"]) == {"SentTimestamp"}
    (message,) = await at.receive()
    assert not {"MessageAttributes", "Attributes"} & set(message)


async def test_an_empty_queue_answers_without_the_key(at: At) -> None:
    assert "Messages" not in await at.sqs.receive_message(QueueUrl=at.url)


async def test_a_received_message_is_hidden_until_its_visibility_ends(at: At) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    (first,) = await at.receive(VisibilityTimeout=10)
    assert await at.counts() == (0, 1, 0)
    await anyio.sleep(9.9)
    assert await at.receive() == []
    await anyio.sleep(0.1)
    (second,) = await at.receive(AttributeNames=["ApproximateReceiveCount"])
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]


async def test_only_the_newest_receipt_deletes(at: At) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    (first,) = await at.receive(VisibilityTimeout=0)
    (second,) = await at.receive()
    await at.sqs.delete_message(QueueUrl=at.url, ReceiptHandle=first["ReceiptHandle"])
    assert await at.counts() == (0, 1, 0)
    await at.sqs.delete_message(QueueUrl=at.url, ReceiptHandle=second["ReceiptHandle"])
    assert await at.counts() == (0, 0, 0)
    await at.sqs.delete_message(QueueUrl=at.url, ReceiptHandle=second["ReceiptHandle"])


async def test_a_delayed_message_shows_when_its_delay_ends(at: At) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x", DelaySeconds=5)
    assert await at.counts() == (0, 0, 1)
    (message,) = await at.receive(WaitTimeSeconds=20)
    assert message["Body"] == "x"
    assert at.services.site.now_ns == pytest.approx(5 * S, abs=S // 10)


async def test_a_new_visibility_timer_replaces_the_old_one(at: At) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    (message,) = await at.receive(VisibilityTimeout=10)
    handle = message["ReceiptHandle"]
    await at.sqs.change_message_visibility(QueueUrl=at.url, ReceiptHandle=handle, VisibilityTimeout=100)
    await anyio.sleep(50)
    assert await at.counts() == (0, 1, 0)
    await at.sqs.change_message_visibility(QueueUrl=at.url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert await at.counts() == (1, 0, 0)
    with pytest.raises(ClientError) as error:
        await at.sqs.change_message_visibility(QueueUrl=at.url, ReceiptHandle=handle, VisibilityTimeout=5)
    assert refusal(error) == ("AWS.SimpleQueueService.MessageNotInflight", 400)


async def test_a_message_too_old_is_dropped(at: At) -> None:
    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"MessageRetentionPeriod": "60"})
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    await anyio.sleep(61)
    assert await at.receive() == []


async def test_a_message_received_too_often_goes_to_the_dead_letter_queue(at: At) -> None:
    dead = (await at.sqs.create_queue(QueueName="dead"))["QueueUrl"]
    redrive = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": "2"}'
    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"RedrivePolicy": redrive})
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    assert [len(await at.receive(VisibilityTimeout=0)) for _ in range(3)] == [1, 1, 0]
    reply = await at.sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])
    assert reply["Messages"][0]["Body"] == "x"
    assert reply["Messages"][0]["Attributes"]["DeadLetterQueueSourceArn"].endswith(":q")


DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"


async def with_dead_letters(at: At, name: str = "q") -> tuple[str, str]:
    """A dead-letter queue and one that uses it after a single receive; their URLs."""
    dead = (await at.sqs.create_queue(QueueName="dead"))["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 1})
    source = (await at.sqs.create_queue(QueueName=name))["QueueUrl"]
    await at.sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "0"})
    return dead, source


async def test_a_dead_message_is_as_old_as_it_was_and_without_a_grave_it_stays_where_it_is(at: At) -> None:
    dead, source = await with_dead_letters(at)
    await at.sqs.send_message(QueueUrl=source, MessageBody="x")
    await anyio.sleep(100)
    first = (await at.sqs.receive_message(QueueUrl=source, AttributeNames=["SentTimestamp"]))["Messages"][0]
    await at.sqs.receive_message(QueueUrl=source)
    buried = (await at.sqs.receive_message(QueueUrl=dead, AttributeNames=["SentTimestamp"]))["Messages"][0]
    assert (buried["MessageId"], buried["Attributes"]) == (first["MessageId"], first["Attributes"])
    await at.sqs.delete_queue(QueueUrl=dead)
    await at.sqs.send_message(QueueUrl=source, MessageBody="y")
    for _ in range(3):
        (kept,) = (await at.sqs.receive_message(QueueUrl=source))["Messages"]
        assert kept["Body"] == "y"


async def test_the_sources_of_a_dead_letter_queue_are_listed_in_pages(at: At) -> None:
    for name in ("a", "b", "q"):
        dead, _ = await with_dead_letters(at, name)
    assert not (await at.sqs.list_dead_letter_source_queues(QueueUrl=at.url)).get("queueUrls")
    first = await at.sqs.list_dead_letter_source_queues(QueueUrl=dead, MaxResults=2)
    rest = await at.sqs.list_dead_letter_source_queues(QueueUrl=dead, MaxResults=2, NextToken=first["NextToken"])
    found = [url.rpartition("/")[2] for url in (*first["queueUrls"], *rest["queueUrls"])]
    assert found == ["a", "b", "q"]


async def test_dead_messages_are_moved_back_as_new_ones(at: At) -> None:
    if not hasattr(at.sqs, "start_message_move_task"):
        pytest.skip("clients of early 2023 do not know it")
    dead, source = await with_dead_letters(at)
    for body in ("1", "2"):
        await at.sqs.send_message(QueueUrl=source, MessageBody=body)
    for _ in range(2):
        await at.sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10)
    await anyio.sleep(10)
    await at.sqs.start_message_move_task(SourceArn=DEAD)
    moved = (await at.sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, AttributeNames=["All"]))["Messages"]
    assert [one["Body"] for one in moved] == ["1", "2"]
    assert all(one["Attributes"]["ApproximateReceiveCount"] == "1" for one in moved)
    await at.sqs.send_message(QueueUrl=dead, MessageBody="from nowhere")
    await at.sqs.start_message_move_task(SourceArn=DEAD)
    await at.sqs.start_message_move_task(SourceArn=DEAD, DestinationArn=DEAD.replace(":dead", ":q"))
    tasks = (await at.sqs.list_message_move_tasks(SourceArn=DEAD, MaxResults=10))["Results"]
    said = [(one["Status"], one["ApproximateNumberOfMessagesMoved"], one.get("FailureReason")) for one in tasks]
    assert said == [("COMPLETED", 1, None), ("FAILED", 0, "CouldNotDetermineMessageSource"), ("COMPLETED", 2, None)]
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        await at.sqs.start_message_move_task(SourceArn=DEAD.replace(":dead", ":q"))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        await at.sqs.list_message_move_tasks(SourceArn=DEAD + "er")


async def test_a_dead_letter_queue_says_which_queues_may_use_it(at: At) -> None:
    dead, _ = await with_dead_letters(at)
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 1})}
    by_queue = {"redrivePermission": "byQueue", "sourceQueueArns": [DEAD.replace(":dead", ":b")]}
    for allow, is_allowed in (({"redrivePermission": "denyAll"}, False), (by_queue, True)):
        attributes = {"RedriveAllowPolicy": json.dumps(allow)}
        await at.sqs.set_queue_attributes(QueueUrl=dead, Attributes=attributes)
        with pytest.raises(ClientError, match="does not allow this source queue"):
            await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes=redrive)
        if is_allowed:
            await at.sqs.create_queue(QueueName="b", Attributes=redrive)


async def test_a_queue_has_one_kind_of_encryption(at: At) -> None:
    async def shown() -> dict[str, str]:
        names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
        found: dict[str, str] = (await at.sqs.get_queue_attributes(QueueUrl=at.url, AttributeNames=names))["Attributes"]
        return found

    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    by_key = {"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false"}
    assert await shown() == by_key
    both = {"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"}
    with pytest.raises(ClientError, match="one type of server-side encryption"):
        await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes=both)
    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"SqsManagedSseEnabled": "true"})
    assert await shown() == {"SqsManagedSseEnabled": "true"}


async def test_permissions_are_statements_of_the_policy(at: At) -> None:
    async def policy() -> Any:
        reply = await at.sqs.get_queue_attributes(QueueUrl=at.url, AttributeNames=["Policy"])
        return json.loads(reply["Attributes"]["Policy"]) if "Attributes" in reply else None

    add = {"QueueUrl": at.url, "Label": "one", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]}
    await at.sqs.add_permission(**add)
    await at.sqs.add_permission(**add | {"Label": "two", "Actions": ["SendMessage", "ReceiveMessage"]})
    first, second = (await policy())["Statement"]
    assert first == {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "SQS:SendMessage",
        "Resource": DEAD.replace(":dead", ":q"),
    }
    assert second["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage"]
    for wrong, said in (({}, "Already exists"), ({"Label": "x", "Actions": ["CreateQueue"]}, "valid actions")):
        with pytest.raises(ClientError, match=said):
            await at.sqs.add_permission(**add | wrong)
    for label in ("one", "two"):
        await at.sqs.remove_permission(QueueUrl=at.url, Label=label)
    assert await policy() is None
    with pytest.raises(ClientError, match="can't find label"):
        await at.sqs.remove_permission(QueueUrl=at.url, Label="one")


# long polls


async def test_a_long_poll_returns_as_soon_as_a_message_comes(at: At) -> None:
    got: list[tuple[Any, int]] = []

    async def poll() -> None:
        messages = await at.receive(WaitTimeSeconds=20, MaxNumberOfMessages=10)
        got.append((at.services.site.now_ns, len(messages)))

    async with anyio.create_task_group() as group:
        group.start_soon(poll)
        await anyio.sleep(7)
        await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    assert got == [(pytest.approx(7 * S, abs=S // 100), 1)]


async def test_a_long_poll_ends_empty_when_its_time_is_over(at: At) -> None:
    assert await at.receive(WaitTimeSeconds=20) == []
    assert at.services.site.now_ns == pytest.approx(20 * S, abs=S // 100)


async def test_a_long_poll_wakes_when_a_visibility_timeout_ends(at: At) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    await at.receive(VisibilityTimeout=15)
    assert len(await at.receive(WaitTimeSeconds=20)) == 1
    assert at.services.site.now_ns == pytest.approx(15 * S, abs=S // 100)


@pytest.mark.parametrize(("timeout_s", "shown_at_s"), [(0, 3), (2, 5), (60, None)])
async def test_a_long_poll_follows_a_changed_visibility(at: At, timeout_s: int, shown_at_s: int | None) -> None:
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    (message,) = await at.receive(VisibilityTimeout=10)
    got: list[tuple[int, int]] = []

    async def poll() -> None:
        got.append((len(await at.receive(WaitTimeSeconds=20)), at.services.site.now_ns))

    async with anyio.create_task_group() as group:
        group.start_soon(poll)
        await anyio.sleep(3)
        await at.sqs.change_message_visibility(
            QueueUrl=at.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=timeout_s
        )
    ((n_messages, at_ns),) = got
    assert n_messages == (shown_at_s is not None)
    assert at_ns == pytest.approx((shown_at_s or 20) * S, abs=S // 100)


async def test_those_who_wait_are_served_in_turn_each_message_once(at: At) -> None:
    got: list[str] = []

    async def poll() -> None:
        got.extend(message["Body"] for message in await at.receive(WaitTimeSeconds=20))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(poll)
        await anyio.sleep(1)
        entries = [{"Id": str(i), "MessageBody": str(i)} for i in range(3)]
        await at.sqs.send_message_batch(QueueUrl=at.url, Entries=entries)
    assert sorted(got) == ["0", "1", "2"]
    assert await at.counts() == (0, 3, 0)


async def test_a_poll_whose_client_left_takes_no_message(at: At) -> None:
    with anyio.move_on_after(1):
        await at.receive(WaitTimeSeconds=20)
    await anyio.sleep(1)
    await at.sqs.send_message(QueueUrl=at.url, MessageBody="x")
    assert await at.counts() == (1, 0, 0)


# batches


async def test_a_batch_tells_of_each_entry(at: At) -> None:
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "\x01"}]
    sent = await at.sqs.send_message_batch(QueueUrl=at.url, Entries=entries)
    assert [entry["Id"] for entry in sent["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"]) for entry in sent["Failed"]] == [("b", "InvalidMessageContents")]

    (message,) = await at.receive()
    handles = [{"Id": "good", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "bad", "ReceiptHandle": "AQEBxx"}]
    changed = await at.sqs.change_message_visibility_batch(
        QueueUrl=at.url, Entries=[{**handle, "VisibilityTimeout": 99} for handle in handles]
    )
    deleted = await at.sqs.delete_message_batch(QueueUrl=at.url, Entries=handles)
    for reply in (changed, deleted):
        assert [entry["Id"] for entry in reply["Successful"]] == ["good"]
        (failed,) = reply["Failed"]
        assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "ReceiptHandleIsInvalid", True)
    assert await at.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "EmptyBatchRequest"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        (["a b"], "InvalidBatchEntryId"),
        ([str(i) for i in range(11)], "TooManyEntriesInBatchRequest"),
    ],
)
async def test_a_batch_that_is_none_is_refused(at: At, ids: list[str], code: str) -> None:
    with pytest.raises(ClientError) as error:
        await at.sqs.delete_message_batch(
            QueueUrl=at.url, Entries=[{"Id": entry_id, "ReceiptHandle": "x"} for entry_id in ids]
        )
    assert refusal(error) == (f"AWS.SimpleQueueService.{code}", 400)


# refusals


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("receive_message", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ("receive_message", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ("receive_message", {"VisibilityTimeout": 43_201}, "InvalidParameterValue"),
        ("send_message", {"MessageBody": ""}, "MissingParameter"),
        ("send_message", {"MessageBody": "\x00"}, "InvalidMessageContents"),
        ("send_message", {"MessageBody": "x" * 1025}, "InvalidParameterValue"),
        ("send_message", {"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
        (
            "send_message",
            {"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "?"}}},
            "InvalidParameterValue",
        ),
        ("delete_message", {"ReceiptHandle": "nonsense"}, "ReceiptHandleIsInvalid"),
        ("get_queue_attributes", {"AttributeNames": ["Odd"]}, "InvalidAttributeName"),
        ("set_queue_attributes", {"Attributes": {"Odd": "1"}}, "InvalidAttributeName"),
        ("set_queue_attributes", {"Attributes": {"VisibilityTimeout": "x"}}, "InvalidAttributeValue"),
        ("set_queue_attributes", {"Attributes": {"Policy": "{"}}, "InvalidAttributeValue"),
        ("set_queue_attributes", {"Attributes": {"RedrivePolicy": "{}"}}, "InvalidAttributeValue"),
    ],
)
async def test_a_wrong_parameter_gets_its_own_error(at: At, operation: str, params: dict[str, Any], code: str) -> None:
    await at.sqs.set_queue_attributes(QueueUrl=at.url, Attributes={"MaximumMessageSize": "1024"})
    with pytest.raises(ClientError) as error:
        await getattr(at.sqs, operation)(QueueUrl=at.url, **params)
    assert refusal(error) == (code, 400)


async def test_what_the_emulator_lacks_is_501_with_its_name(at: At) -> None:
    with pytest.raises(ClientError, match="FIFO") as error:
        await at.sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})
    assert refusal(error) == ("NotImplemented", 501)


# planned redelivery


async def test_a_planned_redelivery_shows_the_message_once_more_after_its_deletion() -> None:
    async with serving(redelivered=1.0) as services:
        sqs = await services.client("sqs")
        at = At(services, sqs, (await sqs.create_queue(QueueName="q"))["QueueUrl"], True)
        await sqs.send_message(QueueUrl=at.url, MessageBody="x")
        ids = []
        for n_left in (1, 0):
            (message,) = await at.receive()
            await sqs.delete_message(QueueUrl=at.url, ReceiptHandle=message["ReceiptHandle"])
            assert await at.counts() == (n_left, 0, 0)
            ids.append(message["MessageId"])
        assert len(set(ids)) == 1


# the queue on its own


@dataclass
class Plain:
    """A queue as one would explain it: a list that is searched. The oracle."""

    places: dict[int, tuple[Place, int, int]] = field(default_factory=dict)  # serial -> place, due, receives

    def wake(self, now_ns: int) -> None:
        for serial, (place, due_ns, n) in self.places.items():
            if place in (Place.DELAYED, Place.IN_FLIGHT) and due_ns <= now_ns:
                self.places[serial] = (Place.VISIBLE, 0, n)

    def in_place(self, place: Place) -> set[int]:
        return {serial for serial, (where, _, _) in self.places.items() if where is place}


STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 3)),
    st.tuples(st.just("take"), st.integers(1, 4), st.integers(0, 4)),
    st.tuples(st.just("delete"), st.integers(0, 15), st.integers(0, 2)),
    st.tuples(st.just("change"), st.integers(0, 15), st.integers(0, 2), st.integers(0, 4)),
    st.tuples(st.just("sleep"), st.integers(1, 3)),
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(steps=st.lists(STEP, max_size=60))
def test_every_message_is_in_exactly_one_place(steps: list[tuple[Any, ...]]) -> None:
    queue, plain, now = Queue(retention_ns=10**9), Plain(), 0
    for kind, *args in steps:
        plain.wake(now)
        if kind == "put":
            serial = len(plain.places)
            queue.put(Message(serial, "", "", "", now), delay_ns=args[0])
            plain.places[serial] = (Place.DELAYED if args[0] else Place.VISIBLE, now + args[0], 0)
        elif kind == "take":
            taken = [message.serial for message in queue.take(args[0], now, args[1])]
            assert set(taken) <= plain.in_place(Place.VISIBLE)
            assert len(taken) == min(args[0], len(plain.in_place(Place.VISIBLE)))
            for serial in taken:
                plain.places[serial] = (Place.IN_FLIGHT, now + args[1], plain.places[serial][2] + 1)
        elif kind == "sleep":
            now += args[0]
        else:
            apply_receipt(queue, plain, now, kind, args)
        plain.wake(now)
        seen = queue.statistics(now)
        expected = [len(plain.in_place(place)) for place in (Place.VISIBLE, Place.IN_FLIGHT, Place.DELAYED)]
        assert [seen.n_visible, seen.n_in_flight, seen.n_delayed] == expected
        dues = [due for place, due, _ in plain.places.values() if place in (Place.DELAYED, Place.IN_FLIGHT)]
        assert queue.next_due_ns() == (min(dues) if dues else None)


def apply_receipt(queue: Queue, plain: Plain, now: int, kind: str, args: list[Any]) -> None:
    serial, receipt = args[0], args[1]
    place, _, n_receives = plain.places.get(serial, (Place.GONE, 0, -1))
    is_newest = place is not Place.GONE and receipt == n_receives
    if kind == "delete":
        queue.delete(serial, receipt, now)
        if is_newest:
            plain.places[serial] = (Place.GONE, 0, n_receives)
        return
    was = queue.change_visibility(serial, receipt, now + args[2], now)
    assert (was is Place.GONE) is (place is Place.GONE)
    if is_newest and place is Place.IN_FLIGHT:
        assert was is Place.IN_FLIGHT
        plain.places[serial] = (Place.IN_FLIGHT, now + args[2], n_receives)


@pytest.mark.slow
def test_a_hundred_thousand_messages_cost_the_same_each() -> None:
    n = 100_000
    queue = Queue(retention_ns=10**18)
    for serial in range(n):
        queue.put(Message(serial, "", "", "", 0))
    now = 0
    while taken := queue.take(10, now, 30 * S):
        for message in taken:
            if message.serial % 2 == 0 or message.n_receives > 1:
                queue.delete(message.serial, message.n_receives, now)
        now += S // 10
    # Each message is looked at when it is taken and when its timer surfaces; half of them twice.
    assert queue.statistics(now + 100 * S).n_looked_at <= 4 * n
