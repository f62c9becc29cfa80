"""Goal: a run's own queue hears of each of its ends, of nobody else's, and leaves nothing in the account.

Method: the emulator over HTTP in virtual time, through the same clients a run has, the SDK's and the wire; faults of
SNS and SQS switched on.
"""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from emulated_aws import WARP, EmulatedAws, emulated_aws
from smbench.aws.setup.run_queue import run_queue
from smbench.aws.setup.uploads import Upload, input_prefix, upload
from smbench.ports import Notices
from smbench.records import Accepted, Delivery, Invocation, Notice, Outcome, Unacknowledged, Unreadable

pytestmark = pytest.mark.slow
SECOND = 1_000_000_000


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(params=["sdk", "wire"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def submit(aws: EmulatedAws, *ids: str) -> list[Accepted]:
    transport = aws.transport()
    return [await transport.submit(Invocation(seq, name, body=b"{}")) for seq, name in enumerate(ids)]


async def heard(notices: Notices, within_s: float = 120.0) -> list[Delivery]:
    """Everything that comes within this long, deleted as it comes."""
    deliveries: list[Delivery] = []
    with anyio.move_on_after(within_s):
        while True:
            batch = await notices.receive()
            deliveries.extend(batch)
            assert await notices.delete([delivery.receipt for delivery in batch]) == []
    return deliveries


def contents(deliveries: Sequence[Delivery]) -> list[Notice]:
    return [delivery.content for delivery in deliveries if isinstance(delivery.content, Notice)]


async def test_every_end_of_the_run_is_heard_once_and_nobody_elses(by: str) -> None:
    async with emulated_aws(by=by) as aws:
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
            await submit(aws, *(f"r1-0-{seq}" for seq in range(12)), "r1-1-0", "r2-0-0", "somebody-else")
            notices = contents(await heard(aws.notices(queue.url, run_prefix="r1-0-")))
        assert sorted(notice.inference_id for notice in notices) == sorted(f"r1-0-{seq}" for seq in range(12))
        assert queue.left == []


async def test_a_notice_tells_the_truth_to_the_millisecond(by: str) -> None:
    async with (
        emulated_aws({"service": "2s"}, by=by) as aws,
        run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue,
    ):
        await aws.clock.sleep_until_ns(10 * SECOND)
        (accepted,) = await submit(aws, "r1-0-0")
        (notice,) = contents(await heard(aws.notices(queue.url)))
    assert notice.outcome is Outcome.COMPLETED
    assert notice.output_location == accepted.output_location
    epoch_ns = aws.clock.epoch_ns
    assert notice.recv_utc_ns == epoch_ns + 10 * SECOND
    assert notice.done_utc_ns == epoch_ns + 12 * SECOND
    assert notice.pub_utc_ns is not None
    assert notice.pub_utc_ns > notice.done_utc_ns


async def test_a_container_error_is_heard_as_a_failure_with_its_reason(by: str) -> None:
    async with emulated_aws({"faults": {"container_errors": 1.0}}, by=by) as aws:
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
            (accepted,) = await submit(aws, "r1-0-0")
            (notice,) = contents(await heard(aws.notices(queue.url)))
        assert notice.outcome is Outcome.FAILED
        assert "server error (500)" in (notice.failure_reason or "")
        found = await aws.outputs().look_up(accepted.output_location, accepted.failure_location)
    assert found is not None
    assert found.outcome is Outcome.FAILED
    assert found.failure_reason == '{"error":"the emulated container failed"}'


async def test_an_expiry_is_heard_as_an_expiry(by: str) -> None:
    async with emulated_aws({"service": "300s"}, by=by) as aws:
        transport = aws.transport()
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
            for seq in range(2):  # one instance, one at a time: the second waits longer than it may
                await transport.submit(Invocation(seq, f"r1-0-{seq}", body=b"{}", ttl_s=60))
            notices = contents(await heard(aws.notices(queue.url), within_s=400))
    assert {notice.inference_id: notice.outcome for notice in notices} == {
        "r1-0-0": Outcome.COMPLETED,
        "r1-0-1": Outcome.EXPIRED,
    }


async def test_what_the_world_does_to_messages_is_seen_as_what_it_is(by: str) -> None:
    faults = {"notices_duplicated": 1.0, "malformed_messages": 1.0}
    async with (
        emulated_aws({"faults": faults}, by=by) as aws,
        run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue,
    ):
        await submit(aws, "r1-0-0")
        deliveries = await heard(aws.notices(queue.url))
    assert len(contents(deliveries)) == 2
    odd = [delivery.content for delivery in deliveries if isinstance(delivery.content, Unreadable)]
    assert {content.kind for content in odd} == {"malformed"}


async def test_a_request_whose_notice_was_lost_is_found_in_s3(by: str) -> None:
    async with emulated_aws({"faults": {"notices_lost": 1.0}}, by=by) as aws:
        outputs = aws.outputs()
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
            (accepted,) = await submit(aws, "r1-0-0")
            assert await outputs.look_up(accepted.output_location, accepted.failure_location) is None
            assert await heard(aws.notices(queue.url), within_s=30) == []
            found = await outputs.look_up(accepted.output_location, accepted.failure_location)
    assert found is not None
    assert found.outcome is Outcome.COMPLETED
    assert found.done_utc_ns == aws.clock.epoch_ns + 1 * SECOND


async def test_a_message_that_is_not_deleted_comes_again_with_another_receipt(by: str) -> None:
    async with emulated_aws(by=by) as aws, run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
        notices = aws.notices(queue.url)
        await submit(aws, "r1-0-0")
        (first,) = await notices.receive()
        (again,) = [delivery for _ in range(2) for delivery in await notices.receive()]  # hidden for 30 s of 40
    assert first.receipt != again.receipt
    assert first.content == again.content


async def test_nothing_of_a_run_is_left_in_the_account(by: str) -> None:
    async with emulated_aws(by=by) as aws:
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
            assert (await aws.clients.sqs.list_queues())["QueueUrls"] == [queue.url]
            assert len((await aws.clients.sns.list_subscriptions())["Subscriptions"]) == 2
        assert not (await aws.clients.sqs.list_queues()).get("QueueUrls")
        assert (await aws.clients.sns.list_subscriptions())["Subscriptions"] == []
        with pytest.raises(Unacknowledged, match="NonExistentQueue"):
            await aws.notices(queue.url).receive()


@pytest.mark.parametrize("is_raw", ["true", "false"])
async def test_a_queue_of_the_users_is_heard_through_however_it_is_subscribed_and_stays(by: str, is_raw: str) -> None:
    async with emulated_aws(by=by) as aws, run_queue(aws.clients, aws.target, run_id="mine", worker=0) as mine:
        for arn in mine.subscriptions:
            await aws.clients.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue=is_raw
            )
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0, existing_url=mine.url) as queue:
            await submit(aws, "mine-0-0")
            (notice,) = contents(await heard(aws.notices(queue.url)))
            assert notice.done_utc_ns is not None
            assert notice.pub_utc_ns is not None
            assert notice.pub_utc_ns > notice.done_utc_ns
        assert (await aws.clients.sqs.list_queues())["QueueUrls"] == [mine.url]


async def test_inputs_beside_the_endpoints_outputs_are_found_by_it(by: str) -> None:
    async with emulated_aws(by=by) as aws:
        assert aws.target.output_path is not None
        prefix = input_prefix(aws.target.output_path)
        items = [Upload("small", b"{}", "application/json", ".json"), Upload("large", bytes(3 << 20))]
        locations = await upload(aws.clients, items, prefix, store=aws.store)
        assert await upload(aws.clients, items, prefix, store=aws.store) == locations
        transport = aws.transport()
        async with run_queue(aws.clients, aws.target, run_id="r1", worker=0) as queue:
            for seq, location in enumerate(locations):
                await transport.submit(Invocation(seq, f"r1-0-{seq}", input_location=location))
            notices = contents(await heard(aws.notices(queue.url)))
    assert [notice.outcome for notice in notices] == [Outcome.COMPLETED, Outcome.COMPLETED]
