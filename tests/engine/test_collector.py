"""The collector hears everything, soon enough, and with few calls.

Method: virtual time; a queue that tells when it was asked and deleted from.
"""

from typing import Any

import anyio
import pytest

from doubles import SECOND, FakeEndpoint, ledger
from smbench.clock import LoopClock
from smbench.records import Delivery, Event, Invocation, Unacknowledged, Unreadable
from smbench.run.collector import Collector
from smbench.run.tracker import Tracker


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


class CountingQueue(FakeEndpoint):
    """Notes how many messages each receive brought and each delete took."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock, ack_s=0.0, service_s=1.0)
        self.received: list[int] = []
        self.batches: list[int] = []
        self.failing = 0

    async def receive(self) -> list[Delivery]:
        if self.failing:
            self.failing -= 1
            raise Unacknowledged("connection reset")
        batch = await super().receive()
        self.received.append(len(batch))
        return batch

    async def delete(self, receipts: Any) -> list[str]:
        self.batches.append(len(receipts))
        return await super().delete(receipts)


async def heard(rate_hz: int, *, is_prompt: bool = False, failing: int = 0) -> tuple[Tracker, CountingQueue, Collector]:
    """Ten seconds of ends at a steady rate, heard by one receiver."""
    clock = LoopClock()
    n = 10 * rate_hz
    rows = ledger([index * SECOND // rate_hz for index in range(n)])
    tracker, queue = Tracker(rows), CountingQueue(clock)
    queue.failing = failing
    collector = Collector(queue, tracker, clock, 1, lambda _event: None, is_prompt=is_prompt)
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda *, task_status: collector.run(task_status=task_status))
        for index in range(n):
            await clock.sleep_until_ns(rows.sched_ns[index])
            tracker.sent(index, clock.now_ns())
            queue._accept(index, Invocation(index, rows.inference_id(index)))
        await clock.sleep_until_ns(12 * SECOND)
        collector.stop()
    return tracker, queue, collector


async def test_ends_that_come_close_together_are_fetched_and_deleted_together() -> None:
    tracker, queue, _ = await heard(20)
    assert sum(tracker.ledger.notices) == 200
    # Three to a receive make it linger 0.175 s, in which three and a half come; one by one it would be 200 receives.
    assert len([brought for brought in queue.received if brought]) <= 70
    assert sum(queue.batches) == 200
    assert len(queue.batches) <= 30


async def test_an_end_is_heard_within_a_quarter_of_a_second() -> None:
    tracker, _, _ = await heard(20)
    lags_ns = [seen - done for seen, done in zip(tracker.ledger.seen_ns, tracker.ledger.done_ns, strict=True)]
    assert max(lags_ns) <= SECOND // 4
    assert min(lags_ns) >= 0


async def test_a_full_receive_is_followed_by_the_next_at_once() -> None:
    tracker, queue, _ = await heard(400)
    assert sum(tracker.ledger.notices) == 4000
    assert max(queue.received) == 10


async def test_a_closed_loop_hears_each_end_at_once() -> None:
    tracker, _, _ = await heard(20, is_prompt=True)
    assert list(tracker.ledger.seen_ns) == list(tracker.ledger.done_ns)


async def test_a_queue_that_does_not_answer_is_asked_again_and_counted() -> None:
    tracker, _, collector = await heard(20, failing=3)
    assert sum(tracker.ledger.notices) == 200
    assert collector.counts.n_receive_errors == 3


class Rubbish(FakeEndpoint):
    """A queue with nothing in it that could be read."""

    async def receive(self) -> list[Delivery]:
        await self.clock.sleep_until_ns(self.clock.now_ns() + SECOND)
        kinds = ["malformed", "foreign", "test_notification"]
        return [Delivery(kind, Unreadable(kind, "x" * 5000)) for kind in kinds]


async def test_messages_that_cannot_be_read_are_counted_kept_aside_and_deleted() -> None:
    clock = LoopClock()
    queue, events = Rubbish(clock), list[Event]()
    collector = Collector(queue, Tracker(ledger([0])), clock, 1, events.append)
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda *, task_status: collector.run(task_status=task_status))
        await clock.sleep_until_ns(5 * SECOND // 2)
        collector.stop()
    counts = collector.counts
    assert (counts.n_malformed, counts.n_foreign, counts.n_test_notifications) == (2, 2, 2)
    assert {event.kind for event in events} == {"malformed_message", "test_notification"}
    assert all(len(str(event.detail.get("body", ""))) <= 2000 for event in events)
    assert len(queue.deleted) == 6
