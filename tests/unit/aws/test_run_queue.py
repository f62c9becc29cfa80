"""Goal: a run hears its own ends through a queue that is there before it and gone after it, however it ends.

Method: SQS and SNS in memory, which know what exists; every call made to fail once, every place cut short once.
"""

import json
from typing import Any

import anyio
import pytest
from botocore.exceptions import ReadTimeoutError

from fake_aws import ERROR_TOPIC, SUCCESS_TOPIC, FakeClient, client_error, fake_clients, target
from smbench.aws.access.clients import AwsClients
from smbench.aws.setup.run_queue import run_queue
from smbench.clock import WarpLoop
from smbench.errors import TargetError

ARN = "arn:aws:sqs:us-east-1:123456789012:smbench-r1-0"
URL = "https://sqs/123456789012/smbench-r1-0"


class Cloud:
    """Queues and subscriptions that exist. `refuse` names calls that fail; `hang` one that never returns."""

    def __init__(self, refuse: tuple[str, ...] = (), hang: str = "") -> None:
        self.queues: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.refuse, self.hang = refuse, hang
        self.clients: AwsClients = fake_clients()
        self.clients.sqs = self.clients.sns = self

    async def _may(self, call: str) -> None:
        await anyio.lowlevel.checkpoint()
        if call == self.hang:
            await anyio.sleep_forever()
        if call in self.refuse:
            raise client_error("AccessDenied", f"{call} is not allowed", status=403)

    async def create_queue(self, **given: Any) -> dict[str, Any]:
        await self._may("create_queue")
        self.queues[URL] = given
        await anyio.lowlevel.checkpoint()  # it exists, and the caller does not know yet
        return {"QueueUrl": URL}

    async def subscribe(self, **given: Any) -> dict[str, Any]:
        await self._may("subscribe")
        arn = f"{given['TopicArn']}:{len(self.subscriptions)}"
        self.subscriptions[arn] = given
        await anyio.lowlevel.checkpoint()
        return {"SubscriptionArn": arn}

    async def unsubscribe(self, **given: Any) -> dict[str, Any]:
        await self._may("unsubscribe")
        del self.subscriptions[given["SubscriptionArn"]]
        return {}

    async def delete_queue(self, **given: Any) -> dict[str, Any]:
        await self._may("delete_queue")
        if self.queues.pop(given["QueueUrl"], None) is None:
            raise client_error("AWS.SimpleQueueService.NonExistentQueue")
        return {}

    @property
    def is_empty(self) -> bool:
        return not self.queues and not self.subscriptions


async def test_the_queue_hears_both_topics_for_its_own_ids_only() -> None:
    cloud = Cloud()
    async with run_queue(cloud.clients, target(), run_id="r1", worker=0) as queue:
        assert queue.url == URL
        assert {given["TopicArn"] for given in cloud.subscriptions.values()} == {SUCCESS_TOPIC, ERROR_TOPIC}
        for given in cloud.subscriptions.values():
            assert (given["Protocol"], given["Endpoint"]) == ("sqs", ARN)
            assert given["Attributes"]["FilterPolicyScope"] == "MessageBody"
            assert given["Attributes"]["RawMessageDelivery"] == "true"
            assert json.loads(given["Attributes"]["FilterPolicy"]) == {"inferenceId": [{"prefix": "r1-0-"}]}
    assert cloud.is_empty
    assert queue.left == []


async def test_only_the_topics_may_write_and_they_may_from_the_first_moment() -> None:
    cloud = Cloud()
    async with run_queue(cloud.clients, target(), run_id="r1", worker=0, tags={"team": "ml"}):
        (made,) = cloud.queues.values()
        (statement,) = json.loads(made["Attributes"]["Policy"])["Statement"]
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Resource"] == ARN
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": [SUCCESS_TOPIC, ERROR_TOPIC]}}
        assert made["tags"] == {"smbench:run": "r1", "smbench:worker": "0", "team": "ml"}


async def test_one_topic_for_both_ends_is_subscribed_once() -> None:
    cloud = Cloud()
    async with run_queue(cloud.clients, target(error_topic=SUCCESS_TOPIC), run_id="r1", worker=0):
        assert len(cloud.subscriptions) == 1


async def test_another_partition_is_kept() -> None:
    cloud = Cloud()
    china = target(endpoint_arn="arn:aws-cn:sagemaker:cn-north-1:123456789012:endpoint/ep")
    async with run_queue(cloud.clients, china, run_id="r1", worker=0):
        assert {given["Endpoint"] for given in cloud.subscriptions.values()} == {
            "arn:aws-cn:sqs:cn-north-1:123456789012:smbench-r1-0"
        }


@pytest.mark.parametrize("call", ["create_queue", "subscribe"])
async def test_a_queue_that_cannot_be_made_leaves_nothing(call: str) -> None:
    cloud = Cloud(refuse=(call,))
    with pytest.raises(TargetError, match="not allowed"):
        async with run_queue(cloud.clients, target(), run_id="r1", worker=0):
            pytest.fail("the run began without its queue")
    assert cloud.is_empty


async def test_a_queue_whose_making_was_not_answered_is_found_again_and_not_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = Cloud()
    create, answers = cloud.create_queue, [ReadTimeoutError(endpoint_url="x")]

    async def unanswered_once(**given: Any) -> dict[str, Any]:
        made = await create(**given)
        if answers:
            raise answers.pop()
        return made

    monkeypatch.setattr(cloud, "create_queue", unanswered_once)
    async with run_queue(cloud.clients, target(), run_id="r1", worker=0) as queue:
        assert queue.url == URL
    assert cloud.is_empty


async def test_a_run_that_fails_leaves_nothing() -> None:
    cloud = Cloud()
    with pytest.raises(RuntimeError, match="the run"):
        async with run_queue(cloud.clients, target(), run_id="r1", worker=0):
            raise RuntimeError("the run")
    assert cloud.is_empty


@pytest.mark.parametrize("after", range(12))
async def test_cancelled_at_any_moment_nothing_is_left(after: int) -> None:
    cloud = Cloud()
    async with anyio.create_task_group() as group:

        async def live() -> None:
            async with run_queue(cloud.clients, target(), run_id="r1", worker=0):
                await anyio.sleep_forever()

        group.start_soon(live)
        for _ in range(after):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert cloud.is_empty


async def test_what_cannot_be_removed_is_named_and_the_rest_is_removed() -> None:
    cloud = Cloud(refuse=("unsubscribe",))
    async with run_queue(cloud.clients, target(), run_id="r1", worker=0) as queue:
        pass
    assert not cloud.queues
    assert queue.left == [
        f"subscription {SUCCESS_TOPIC}:0 (AccessDenied)",
        f"subscription {ERROR_TOPIC}:1 (AccessDenied)",
    ]


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": WarpLoop})])
async def test_a_removal_that_hangs_is_given_up_and_everything_named() -> None:
    cloud = Cloud(hang="unsubscribe")
    async with run_queue(cloud.clients, target(), run_id="r1", worker=0) as queue:
        begin_s = anyio.current_time()
    assert anyio.current_time() - begin_s == 20
    assert queue.left == [f"queue {URL}", f"subscription {SUCCESS_TOPIC}:0", f"subscription {ERROR_TOPIC}:1"]


async def test_a_queue_that_somebody_else_removed_is_not_left() -> None:
    cloud = Cloud()
    async with run_queue(cloud.clients, target(), run_id="r1", worker=0) as queue:
        cloud.queues.clear()
    assert queue.left == []


def existing(subscribed: str = ARN, waiting: str = "0", listing: object = None) -> AwsClients:
    """A queue of the user's, with what is subscribed to each topic."""
    attributes = {"Attributes": {"QueueArn": ARN, "ApproximateNumberOfMessages": waiting}}
    pages = [{"Subscriptions": []}, {"Subscriptions": [{"Endpoint": subscribed}]}]
    sns = FakeClient({"list_subscriptions_by_topic": listing or pages})
    return fake_clients(sqs=FakeClient({"get_queue_attributes": attributes}), sns=sns)


async def test_an_existing_queue_is_checked_and_left_as_it_is() -> None:
    clients = existing()
    async with run_queue(clients, target(), run_id="r1", worker=0, existing_url=URL) as queue:
        assert queue.url == URL
    assert queue.left == queue.notes == []
    assert {name for name, _ in clients.sqs.calls} == {"get_queue_attributes"}
    assert {name for name, _ in clients.sns.calls} == {"list_subscriptions_by_topic"}


async def test_a_topic_that_cannot_be_subscribed_is_named_with_what_can_do_without_it_and_nothing_is_left() -> None:
    cloud = Cloud(refuse=("subscribe",))
    with pytest.raises(TargetError, match=f"subscribe the queue .* to the topic {SUCCESS_TOPIC}") as refusal:
        async with run_queue(cloud.clients, target(), run_id="r1", worker=0):
            pytest.fail("the run began without its topics")
    assert "collector.queue" in refusal.value.advice
    assert "collector.tracking to s3" in refusal.value.advice
    assert cloud.is_empty


async def test_a_topic_that_does_not_exist_is_named_with_how_it_is_made_again() -> None:
    cloud = Cloud()

    async def missing(**_given: Any) -> None:
        raise client_error("NotFound", "Topic does not exist", status=404)

    cloud.subscribe = missing  # type: ignore[method-assign,assignment]
    with pytest.raises(TargetError, match=f"the topic {SUCCESS_TOPIC}, which does not exist") as refusal:
        async with run_queue(cloud.clients, target(), run_id="r1", worker=0):
            pytest.fail("the run began without its topics")
    assert f"create-topic --name {SUCCESS_TOPIC.rpartition(':')[2]}" in refusal.value.advice
    assert cloud.is_empty


async def test_an_existing_queue_that_does_not_hear_the_endpoint_is_refused() -> None:
    with pytest.raises(TargetError, match="not subscribed") as refusal:
        async with run_queue(existing("arn:other"), target(), run_id="r1", worker=0, existing_url=URL):
            pytest.fail("the run began deaf")
    assert "collector.queue" in refusal.value.advice


async def test_an_existing_queue_whose_topics_may_not_be_listed_is_used_with_a_note() -> None:
    clients = existing(listing=client_error("AuthorizationError"))
    async with run_queue(clients, target(), run_id="r1", worker=0, existing_url=URL) as queue:
        assert len(queue.notes) == 2
        assert "not known (AuthorizationError)" in queue.notes[0]


async def test_an_existing_queue_that_holds_messages_is_refused_before_any_is_deleted() -> None:
    clients = existing(waiting="3")
    with pytest.raises(TargetError, match="holds 3 messages already") as refusal:
        async with run_queue(clients, target(), run_id="r1", worker=0, existing_url=URL):
            pytest.fail("messages of others would be deleted")
    assert "purge-queue" in refusal.value.advice
    assert {name for name, _ in clients.sqs.calls} == {"get_queue_attributes"}


async def test_a_queue_that_is_not_there_is_a_target_error() -> None:
    clients = fake_clients(sqs=FakeClient({"get_queue_attributes": client_error("QueueDoesNotExist")}))
    with pytest.raises(TargetError, match="QueueDoesNotExist"):
        async with run_queue(clients, target(), run_id="r1", worker=0, existing_url=URL):
            pytest.fail("the run began without its queue")
