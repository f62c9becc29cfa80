"""Receives every end: as many long polls as the ends need, deletes in tens; asks S3 for ends without a notice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio
import anyio.abc

from smbench.clock import Clock
from smbench.generator.receiving.deletions import Deletions
from smbench.generator.receiving.receivers import BATCH, Receivers
from smbench.generator.tracking.ledger import State
from smbench.generator.tracking.tracker import Tracker
from smbench.ports import Notices, Outputs
from smbench.records import Event, Notice, Unacknowledged, Unreadable

_RETRY_AFTER_S = 0.5
# Scenario time, after a receive that brought next to nothing; less after a fuller one: ten messages cost hardly more
# than one. With Poisson ends and 10 ms a receive, 0.1 s takes 27 receives a second at 100/s and 83 at 500/s; half of
# the ends are heard within 31 and 24 ms, none later than 0.11 s. Without it there would be 94 and 194 receives, 3 ms of
# CPU each through the SDK; 0.25 s would still take 19 and 73, and be 0.24 s late.
_LINGER_S = 0.1
_HELD_MAX = 20_000  # messages received and not yet on disk; SQS hands out 120,000 before it refuses more
_KEPT_ASIDE = 1000  # unreadable messages whose text is kept; all are counted
_KEPT_CHARACTERS = 2000


@dataclass(slots=True)
class CollectorCounts:
    """What the collector saw beyond the notices the tracker counts."""

    n_messages: int = 0
    n_test_notifications: int = 0
    n_foreign: int = 0
    n_malformed: int = 0
    n_receive_errors: int = 0


class Collector:
    """Receives until stopped.

    Args:
        receivers_max: The most long polls, and the most deletes, that may overlap.
        is_prompt: Ends are waited for, by a closed loop: never linger between two receives.
        on_event: Gets test notifications and messages that could not be read, the first thousand of these.
        hurry: Asks for what was received to be written down now. With it, a message is deleted only after `hold` was
            called and what it returned, so what a killed run had received comes again; None: deleted at once.
    """

    def __init__(
        self,
        notices: Notices,
        tracker: Tracker,
        clock: Clock,
        receivers_max: int,
        on_event: Callable[[Event], None],
        *,
        is_prompt: bool = False,
        hurry: Callable[[], None] | None = None,
    ) -> None:
        self.notices, self.tracker, self.clock, self.on_event = notices, tracker, clock, on_event
        self.receivers = Receivers(receivers_max, is_prompt=is_prompt)
        self.deletions = Deletions(notices, clock, receivers_max)
        self.counts = CollectorCounts()
        self._linger_ns = 0 if is_prompt else round(_LINGER_S * 1e9)
        self._receiving = anyio.CancelScope()
        self._hurry, self._held, self._n_held = hurry, list[str](), 0
        self._released, self._is_over = anyio.Event(), False

    async def run(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Listen until `stop`, then delete what was received. Started means that every receiver is about to call."""
        async with self.deletions.working():
            async with anyio.create_task_group() as receiving:
                self._receiving = receiving.cancel_scope
                for _ in range(self.receivers.n):
                    receiving.start_soon(self._receive, receiving)
                task_status.started()
            try:
                while self._n_held and self._hurry is not None:
                    released = self._released
                    self._hurry()
                    await released.wait()
            finally:
                self._is_over = True

    def hold(self) -> Callable[[], None]:
        """A write begins; call what this returns when it is done, and what was received before is deleted."""
        receipts, self._held = self._held, []

        def written() -> None:
            self._n_held -= len(receipts)
            if not self._is_over:
                self.deletions.add(receipts)
            self._released.set()
            self._released = anyio.Event()

        return written

    def stop(self) -> None:
        """Receive no more; `run` returns when the messages at hand are deleted."""
        self._receiving.cancel()

    async def _receive(self, receiving: anyio.abc.TaskGroup) -> None:
        while True:
            try:
                deliveries = await self.notices.receive()
            except Unacknowledged:
                self.counts.n_receive_errors += 1
                await self.clock.sleep_until_ns(self.clock.now_ns() + round(_RETRY_AFTER_S * 1e9))
                continue
            seen_ns = self.clock.now_ns()
            self.counts.n_messages += len(deliveries)
            for delivery in deliveries:
                if isinstance(delivery.content, Notice):
                    self.tracker.noticed(delivery.content, seen_ns)
                else:
                    self._take_unreadable(delivery.content, seen_ns)
            self._done_with([delivery.receipt for delivery in deliveries])
            change = self.receivers.came_back(len(deliveries), seen_ns)
            if change < 0:
                return
            if change > 0:
                receiving.start_soon(self._receive, receiving)
            await self.deletions.wait_room()
            while self._n_held > _HELD_MAX:
                await self._released.wait()
            if 0 < len(deliveries) < BATCH and self._linger_ns:
                missing = BATCH - len(deliveries)
                await self.clock.sleep_until_ns(seen_ns + self._linger_ns * missing // BATCH)

    def _done_with(self, receipts: list[str]) -> None:
        if self._hurry is None:
            self.deletions.add(receipts)
        else:
            self._held += receipts
            self._n_held += len(receipts)

    def _take_unreadable(self, content: Unreadable, seen_ns: int) -> None:
        counts = self.counts
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


async def look_up_rest(
    tracker: Tracker, outputs: Outputs, clock: Clock, rows: Sequence[int] | None = None, *, at_once: int = 16
) -> int:
    """Ask S3 for accepted requests whose end is not known; returns how many were found.

    Args:
        rows: Of these only; None: of all.
    """
    due = iter(tracker.waiting() if rows is None else rows)
    n_found = 0

    async def look() -> None:
        nonlocal n_found
        for index in due:
            if tracker.ledger.state[index] != State.WAITING:
                continue  # its notice came meanwhile
            try:
                found = await outputs.look_up(*tracker.locations(index))
            except Unacknowledged:
                continue  # not known, and the row says so
            if found is not None:
                n_found += 1
                tracker.found(index, found, clock.now_ns())

    async with anyio.create_task_group() as looks:
        for _ in range(at_once):
            looks.start_soon(look)
    return n_found
