"""The collector hears everything, soon enough, with few calls; what it took it deletes, whatever fails in between.

Method: virtual time; a queue whose messages come at instants that are known, whose calls take a while and may fail.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.abc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles import RUN, SECOND, FakeEndpoint, ledger
from smbench.clock import Clock, LoopClock, WarpLoop
from smbench.generator.receiving import collector as collector_module
from smbench.generator.receiving.collector import Collector
from smbench.generator.receiving.deletions import Deletions
from smbench.generator.tracking.tracker import Tracker
from smbench.records import Delivery, Event, Notice, Outcome, Unacknowledged, Unreadable

MS = 1_000_000
VISIBILITY_NS = 60 * SECOND


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


@dataclass
class TimedQueue:
    """A queue in which message k comes at `arrivals_ns[k]` and stays until it is deleted.

    `trip_ns` passes on the way back of a receive, and during a delete. `receive_fails` and `delete_fails` say by the
    number of the call whether its answer is lost: what was taken comes again when its visibility time-out is over,
    what was deleted is deleted.
    """

    clock: Clock
    arrivals_ns: Sequence[int]
    trip_ns: int = 50 * MS
    delete_ns: int = 50 * MS
    receive_fails: Callable[[int], bool] = lambda _n: False
    delete_fails: Callable[[int], bool] = lambda _n: False
    brought: list[int] = field(default_factory=list)  # by each receive
    deleted: list[int] = field(default_factory=list)  # how many were asked to go, by each delete
    overlap: int = 0
    overlap_max: int = 0
    n_deletes: int = 0
    n_receives: int = 0

    def __post_init__(self) -> None:
        self.there = set(range(len(self.arrivals_ns)))  # not deleted
        self._visible = [(at_ns, message) for message, at_ns in enumerate(self.arrivals_ns)]  # a heap
        heapq.heapify(self._visible)
        self._turn = anyio.Lock()

    async def receive(self) -> list[Delivery]:
        number, self.n_receives = self.n_receives, self.n_receives + 1
        self.overlap += 1
        self.overlap_max = max(self.overlap_max, self.overlap)
        taken: list[int] = []
        try:
            with anyio.move_on_after(20.0):  # a long poll; those who wait are served in turn
                async with self._turn:
                    taken = await self._take()
            await self.clock.sleep_until_ns(self.clock.now_ns() + self.trip_ns)
            if self.receive_fails(number):
                raise Unacknowledged("read timeout")
        finally:
            self.overlap -= 1
        self.brought.append(len(taken))
        return [self._delivery(message) for message in taken]

    async def _take(self) -> list[int]:
        while self._visible:
            now_ns, taken = self.clock.now_ns(), list[int]()
            while self._visible and self._visible[0][0] <= now_ns and len(taken) < 10:
                _, message = heapq.heappop(self._visible)
                if message in self.there:
                    taken.append(message)
            for message in taken:
                heapq.heappush(self._visible, (now_ns + VISIBILITY_NS, message))
            if taken:
                return taken
            if self._visible:
                await self.clock.sleep_until_ns(self._visible[0][0])
        await anyio.sleep_forever()  # nothing will ever come: until the long poll ends
        return []

    def _delivery(self, message: int) -> Delivery:
        at_ns = self.arrivals_ns[message]
        notice = Notice(f"{RUN}-0-{message}", Outcome.COMPLETED, at_ns, at_ns, at_ns)
        return Delivery(str(message), notice)

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        assert 1 <= len(receipts) <= 10
        number, self.n_deletes = self.n_deletes, self.n_deletes + 1
        await self.clock.sleep_until_ns(self.clock.now_ns() + self.delete_ns)
        self.deleted.append(len(receipts))
        for receipt in receipts:
            self.there.discard(int(receipt))
        if self.delete_fails(number):
            raise Unacknowledged("connection reset")
        return []


@dataclass
class Heard:
    """What a collector made of a queue."""

    tracker: Tracker
    queue: TimedQueue
    collector: Collector
    n_receivers: list[int]  # once a second

    def lags_s(self) -> list[float]:
        """How late each message was heard, in the order in which they came."""
        rows = self.tracker.ledger
        return [(seen - done) / 1e9 for seen, done in zip(rows.seen_ns, rows.done_ns, strict=True)]


async def heard(
    arrivals_ns: Sequence[int], *, until_s: int, receivers_max: int = 16, is_prompt: bool = False, **queue: Any
) -> Heard:
    """Let a collector listen until an instant, beating once a second, then stop it and let it delete."""
    clock = LoopClock()
    rows = ledger([0] * len(arrivals_ns))
    tracker = Tracker(rows)
    for index in range(rows.n):
        tracker.sent(index, 0)
    timed = TimedQueue(clock, arrivals_ns, **queue)
    collector = Collector(timed, tracker, clock, receivers_max, lambda _event: None, is_prompt=is_prompt)
    n_receivers = []
    async with anyio.create_task_group() as tasks:
        await tasks.start(listen(collector))
        for second in range(1, until_s + 1):
            await clock.sleep_until_ns(second * SECOND)
            collector.receivers.beat()
            n_receivers.append(collector.receivers.n)
        collector.stop()
    return Heard(tracker, timed, collector, n_receivers)


def listen(collector: Collector) -> Callable[..., Any]:
    async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        await collector.run(task_status=task_status)

    return run


def steady(rate_hz: int, seconds: int, *, from_s: int = 0) -> list[int]:
    return [from_s * SECOND + index * SECOND // rate_hz for index in range(rate_hz * seconds)]


@pytest.mark.slow
async def test_receivers_grow_until_ends_are_heard_in_time_and_fall_back_when_it_is_quiet() -> None:
    # A receive that takes 50 ms brings at most 200/s: two hear 400/s of 1,000/s; five would do, were all always full.
    one_later = 40 * SECOND
    run = await heard([*steady(1000, 10), one_later], until_s=42)
    lags_s = run.lags_s()
    assert max(lags_s) <= 0.5  # while they grow
    assert max(lags_s[1000:]) <= 0.16  # 0.1 s of lingering at most, and the way back
    assert 5 <= max(run.n_receivers) <= 12
    assert run.n_receivers[31:] == [2] * 11  # the long polls that were under way in vain ended after 20 s
    assert lags_s[-1] == pytest.approx(0.05)  # and who is left hears at once
    assert sum(run.queue.deleted) == 10_001
    assert len(run.queue.deleted) <= 1_050


@pytest.mark.slow
async def test_ends_that_come_one_by_one_are_received_some_at_a_time_and_not_much_later() -> None:
    """By the figures beside `_LINGER_S`: at 100/s and 10 ms a receive 27 receives a second where there would be 94."""
    run = await heard(steady(100, 5), until_s=6, trip_ns=10 * MS)
    assert 100 <= run.queue.n_receives <= 180
    assert 0.01 <= max(run.lags_s()) <= 0.12


@pytest.mark.slow
async def test_never_more_overlap_than_the_maximum_and_that_they_are_too_few_is_known() -> None:
    run = await heard(steady(1000, 10), until_s=38, receivers_max=3)
    assert run.queue.overlap_max == 3
    assert max(run.lags_s()) > 5  # 600/s of 1,000/s
    assert set(run.tracker.ledger.notices) == {1}
    assert run.collector.receivers.saturated_s == 0.0  # all was taken after 16.7 s, and the next long poll was in vain
    half = await heard(steady(1000, 10), until_s=10, receivers_max=3)
    assert 9 <= half.collector.receivers.saturated_s <= 10


@pytest.mark.parametrize(("rate_hz", "receives_hz"), [(100, 32), (500, 85)])
@pytest.mark.slow
async def test_ends_that_come_close_together_are_fetched_and_deleted_together(rate_hz: int, receives_hz: int) -> None:
    run = await heard(steady(rate_hz, 10), until_s=12, trip_ns=5 * MS, delete_ns=5 * MS)
    assert len([n for n in run.queue.brought if n]) <= 10 * receives_hz
    assert max(run.lags_s()) <= 0.11
    assert max(run.n_receivers) <= 5
    assert len(run.queue.deleted) <= rate_hz + 30  # full but for one every half second


async def test_a_single_end_is_heard_at_once() -> None:
    run = await heard(steady(1, 5), until_s=6)
    assert run.lags_s() == pytest.approx([0.05] * 5)


@pytest.mark.slow
async def test_a_closed_loop_hears_each_end_at_once() -> None:
    # 100/s at 50 ms a receive keep five away at any time; with one or two more, one is always there.
    run = await heard(steady(100, 20), until_s=20, is_prompt=True)
    assert run.lags_s()[1000:1900] == pytest.approx([0.05] * 900)
    assert max(run.n_receivers) <= 8


@pytest.mark.slow
async def test_a_queue_that_does_not_answer_is_asked_again_counted_and_nothing_is_lost() -> None:
    # Ten seconds of it: two receivers, each every half second and its own 50 ms. What was taken comes after a minute.
    run = await heard(steady(20, 15), until_s=90, receive_fails=lambda n: n < 36)
    assert run.collector.counts.n_receive_errors == 36
    assert min(run.tracker.ledger.seen_ns) >= 36 // 2 * 550 * MS, "each asked again after its pause"
    assert set(run.tracker.ledger.notices) == {1}
    assert run.queue.there == set()


async def test_where_deletes_cannot_follow_receivers_wait_and_are_counted() -> None:
    # Two deleters, 5 s a call: 4 a second of 100; each receiver may find 200 owed and bring ten more.
    run = await heard(steady(100, 10), until_s=20, receivers_max=2, delete_ns=5 * SECOND)
    n_messages = run.collector.counts.n_messages
    assert run.collector.deletions.n_waits > 0
    assert 200 < n_messages <= 200 + 20 + 4 * 20
    assert sum(run.queue.deleted) == n_messages  # all that was taken, though receivers waited when they were stopped
    assert len(run.queue.there) == 1000 - n_messages


async def test_a_delete_that_is_not_answered_is_tried_three_times_then_counted_and_not_taken_for_done() -> None:
    run = await heard([0] * 10, until_s=5, delete_fails=lambda _n: True)
    assert run.queue.deleted == [10, 10, 10]
    assert run.collector.deletions.n_undeleted == 10


@settings(max_examples=60)
@given(
    gaps_ms=st.lists(st.sampled_from([0, 0, 0, 1, 5, 20, 100, 1000, 25_000]), min_size=1, max_size=120),
    receivers_max=st.integers(1, 8),
    is_prompt=st.booleans(),
    trip_ms=st.sampled_from([0, 5, 200]),
    delete_ms=st.sampled_from([0, 50, 3000]),
    lost_answers=st.lists(st.booleans(), max_size=8),
    lost_deletes=st.lists(st.booleans(), max_size=8),
)
@pytest.mark.slow
def test_whatever_comes_when_and_whatever_fails_every_notice_is_taken_and_deleted_and_once_where_nothing_failed(
    gaps_ms: list[int],
    receivers_max: int,
    is_prompt: bool,
    trip_ms: int,
    delete_ms: int,
    lost_answers: list[bool],
    lost_deletes: list[bool],
) -> None:
    arrivals_ns = [int(at) for at in np.cumsum(gaps_ms) * MS]

    async def listened() -> Heard:
        return await heard(
            arrivals_ns,
            until_s=arrivals_ns[-1] // SECOND + 200,
            receivers_max=receivers_max,
            is_prompt=is_prompt,
            trip_ns=trip_ms * MS,
            delete_ns=delete_ms * MS,
            receive_fails=lambda n: n < len(lost_answers) and lost_answers[n],
            delete_fails=lambda n: n < len(lost_deletes) and lost_deletes[n],
        )

    run = anyio.run(listened, backend_options={"loop_factory": WarpLoop})
    rows = run.tracker.ledger
    assert run.queue.there == set()
    assert all(seen_ns >= at_ns for seen_ns, at_ns in zip(rows.seen_ns, arrivals_ns, strict=True))
    assert min(rows.notices) >= 1
    assert run.queue.overlap_max <= receivers_max
    if not any(lost_answers) and not any(lost_deletes):
        assert set(rows.notices) == {1}
        assert sum(run.queue.deleted) == len(arrivals_ns)


async def test_a_receive_with_room_left_is_followed_by_a_pause_as_long_as_the_room_and_an_empty_one_by_none() -> None:
    """One receiver; at most 0.1 s of pause, here for seven of ten; a long poll in vain ends 50 ms after its 20 s."""
    run = await heard([0, 0, 0, 60 * MS, 20_340 * MS], until_s=21, receivers_max=1)
    assert run.queue.brought == [3, 1, 0, 1]
    assert run.lags_s()[3] == pytest.approx(0.05 + 0.07 + 0.05 - 0.06)
    assert run.lags_s()[4] == pytest.approx(0.05)  # the poll in vain was over at 0.26 + 20.05


class Unreadables(FakeEndpoint):
    """A queue with nothing in it that could be read."""

    async def receive(self) -> list[Delivery]:
        await self.clock.sleep_until_ns(self.clock.now_ns() + SECOND)
        kinds = ["malformed", "foreign", "foreign", "foreign", "test_notification"]
        return [Delivery(kind, Unreadable(kind, "x" * 5000)) for kind in kinds]


async def test_what_is_not_deleted_when_time_is_up_counts_as_undeleted_with_all_that_waited() -> None:
    class Hanging(Unreadables):
        async def delete(self, _receipts: Sequence[str]) -> list[str]:
            await anyio.sleep_forever()
            return []

    clock = LoopClock()
    deletions = Deletions(Hanging(clock), clock, at_once=2)
    with anyio.move_on_after(5):
        async with deletions.working():
            deletions.add([str(number) for number in range(35)])
    assert deletions.n_undeleted == 35


async def test_messages_that_cannot_be_read_are_counted_kept_aside_and_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector_module, "_KEPT_ASIDE", 7)
    clock = LoopClock()
    queue, events = Unreadables(clock), list[Event]()
    collector = Collector(queue, Tracker(ledger([0])), clock, 1, events.append)
    async with anyio.create_task_group() as tasks:
        await tasks.start(listen(collector))
        await clock.sleep_until_ns(5 * SECOND // 2)
        collector.stop()
    counts = collector.counts
    assert (counts.n_malformed, counts.n_foreign, counts.n_test_notifications) == (2, 6, 2)
    assert Counter(event.kind for event in events) == {"malformed_message": 7, "test_notification": 2}
    assert all(len(str(event.detail.get("body", ""))) <= 2000 for event in events)
    assert len(queue.deleted) == 10


async def test_a_message_is_deleted_only_when_what_it_says_is_on_disk() -> None:
    clock = LoopClock()
    rows = ledger([0] * 3)
    tracker = Tracker(rows)
    for index in range(rows.n):
        tracker.sent(index, 0)
    queue, hurries = TimedQueue(clock, [SECOND, 2 * SECOND, 3 * SECOND]), list[int]()

    def hurry() -> None:
        hurries.append(clock.now_ns())
        collector.hold()()

    collector = Collector(queue, tracker, clock, 2, lambda _event: None, hurry=hurry)
    async with anyio.create_task_group() as tasks:
        await tasks.start(listen(collector))
        await clock.sleep_until_ns(2_500_000_000)
        is_written = collector.hold()  # two were heard: a write of them begins
        await clock.sleep_until_ns(10 * SECOND)
        assert queue.deleted == []
        is_written()
        await clock.sleep_until_ns(12 * SECOND)
        assert sum(queue.deleted) == 2
        assert hurries == []
        collector.stop()
    assert sum(queue.deleted) == 3, "the last is written, then deleted, before the collector ends"
    assert len(hurries) == 1
