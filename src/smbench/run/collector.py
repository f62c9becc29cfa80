"""Hears every end: overlapping long polls on the run's queue, deletes in batches, asks S3 for what was never told."""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from smbench.clock import Clock
from smbench.ports import Notices, Outputs
from smbench.records import Delivery, Event, Notice, Unacknowledged
from smbench.run.tracker import Tracker

_BATCH = 10  # SQS takes at most ten receipts in one DeleteMessageBatch
_DELETE_TRIES = 3
_RETRY_AFTER_S = 0.5
_RECEIVE_LINGER_S = 0.25  # scenario time, after a receive that brought little: ten messages cost no more than one
_DELETE_LINGER_S = 0.5  # of the loop's time: far below the queue's visibility time-out of 60 s
_KEPT_ASIDE = 1000  # unreadable messages whose text is kept; all are counted
_KEPT_CHARACTERS = 2000


@dataclass(slots=True)
class CollectorCounts:
    """What the collector saw beyond the notices the tracker counts."""

    n_messages: int = 0
    n_test_notifications: int = 0
    n_foreign: int = 0
    n_malformed: int = 0
    n_undeleted: int = 0
    n_receive_errors: int = 0


class Collector:
    """Receives until stopped.

    Args:
        is_prompt: Ends are waited for, by a closed loop: never linger between two receives.
        on_event: Gets test notifications and messages that could not be read, the first thousand of these.
    """

    def __init__(
        self,
        notices: Notices,
        tracker: Tracker,
        clock: Clock,
        receivers: int,
        on_event: Callable[[Event], None],
        *,
        is_prompt: bool = False,
    ) -> None:
        self.notices, self.tracker, self.clock = notices, tracker, clock
        self.receivers, self.on_event = receivers, on_event
        self._linger_ns = 0 if is_prompt else round(_RECEIVE_LINGER_S * 1e9)
        self.counts = CollectorCounts()
        self._receiving = anyio.CancelScope()
        self._deleters = anyio.Semaphore(receivers)

    async def run(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Listen until `stop`, then delete what was received. Started means that every receiver is about to call."""
        done_send, done_receive = anyio.create_memory_object_stream[str](10_000)
        async with anyio.create_task_group() as deleting:
            deleting.start_soon(self._delete, done_receive, deleting)
            async with done_send, anyio.create_task_group() as receiving:
                self._receiving = receiving.cancel_scope
                for _ in range(self.receivers):
                    receiving.start_soon(self._receive, done_send.clone())
                task_status.started()

    def stop(self) -> None:
        """Receive no more; `run` returns when the messages at hand are deleted."""
        self._receiving.cancel()

    async def _receive(self, done: MemoryObjectSendStream[str]) -> None:
        async with done:
            while True:
                try:
                    deliveries = await self.notices.receive()
                except Unacknowledged:
                    self.counts.n_receive_errors += 1
                    await self.clock.sleep_until_ns(self.clock.now_ns() + round(_RETRY_AFTER_S * 1e9))
                    continue
                seen_ns = self.clock.now_ns()
                for delivery in deliveries:
                    self._take(delivery, seen_ns)
                    await done.send(delivery.receipt)
                if deliveries:
                    missing = max(0, _BATCH - len(deliveries))
                    await self.clock.sleep_until_ns(seen_ns + self._linger_ns * missing // _BATCH)

    def _take(self, delivery: Delivery, seen_ns: int) -> None:
        counts, content = self.counts, delivery.content
        counts.n_messages += 1
        if isinstance(content, Notice):
            self.tracker.noticed(content, seen_ns)
            return
        if content.kind == "test_notification":
            counts.n_test_notifications += 1
            self.on_event(Event("test_notification", "TestNotification", seen_ns, seen_ns))
            return
        if content.kind == "foreign":
            counts.n_foreign += 1
        else:
            counts.n_malformed += 1
        if counts.n_foreign + counts.n_malformed <= _KEPT_ASIDE:
            kept = {"kind": content.kind, "body": content.body[:_KEPT_CHARACTERS]}
            self.on_event(Event("malformed_message", content.kind, seen_ns, seen_ns, detail=dict(kept)))

    async def _delete(self, done: MemoryObjectReceiveStream[str], deleting: anyio.abc.TaskGroup) -> None:
        """Deletes are in no hurry, so they wait a little for one another: ten cost hardly more than one."""
        async with done:
            async for first in done:
                receipts = [first]
                with anyio.move_on_after(_DELETE_LINGER_S):
                    while len(receipts) < _BATCH:
                        try:
                            receipts.append(await done.receive())
                        except anyio.EndOfStream:
                            break
                await self._deleters.acquire()
                deleting.start_soon(self._delete_batch, receipts)

    async def _delete_batch(self, receipts: list[str]) -> None:
        """Delete, trying again what failed; what cannot be deleted is counted, and will come again."""
        left = receipts
        try:
            for _ in range(_DELETE_TRIES):
                try:
                    left = await self.notices.delete(left)
                except Unacknowledged:
                    await self.clock.sleep_until_ns(self.clock.now_ns() + round(_RETRY_AFTER_S * 1e9))
                if not left:
                    break
        finally:
            self.counts.n_undeleted += len(left)
            self._deleters.release()


async def look_up_rest(tracker: Tracker, outputs: Outputs, clock: Clock, *, at_once: int = 16) -> int:
    """Ask S3 for every accepted request of whose end nothing was heard; returns how many were found."""
    limiter = anyio.CapacityLimiter(at_once)
    n_found = 0

    async def look(index: int) -> None:
        nonlocal n_found
        async with limiter:
            try:
                found = await outputs.look_up(*tracker.locations(index))
            except Unacknowledged:
                return  # not known, and the row says so
        if found is not None:
            n_found += 1
            tracker.found(index, found, clock.now_ns())

    async with anyio.create_task_group() as looks:
        for index in tracker.waiting():
            looks.start_soon(look, index)
    return n_found
