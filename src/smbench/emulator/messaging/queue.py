"""One standard SQS queue as a state machine: where each message is, and when that changes by itself.

Two rules. A message is in exactly one place: delayed, visible, in flight or deleted. Each step costs O(log n) at most:
timers live in a heap whose outdated entries are skipped when they surface, so no call ever scans the queue.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any

IN_FLIGHT_MAX = 120_000  # SQS developer guide, quotas of standard queues


class Place(IntEnum):
    """Where a message is."""

    DELAYED = auto()
    VISIBLE = auto()
    IN_FLIGHT = auto()
    GONE = auto()


@dataclass(slots=True)
class Message:
    """One message. `n_receives` is also the number of the newest receipt: only that one acts."""

    serial: int
    message_id: str
    body: str
    md5: str
    sent_ns: int
    attributes: dict[str, Any] = field(default_factory=dict)
    md5_of_attributes: str = ""
    system_attributes: dict[str, str] = field(default_factory=dict)
    comes_again: bool = False  # a planned fault: the first deletion does not last
    place: Place = Place.VISIBLE
    due_ns: int = 0  # when `place` ends by itself, for DELAYED and IN_FLIGHT
    n_receives: int = 0
    first_received_ns: int = 0
    received_ns: int = 0


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    n_visible: int
    n_in_flight: int
    n_delayed: int
    n_looked_at: int  # entries of the deque and the heap examined since the queue was made


class Queue:
    """Messages and their timers. Instants are scenario nanoseconds and never decrease from call to call.

    Args:
        retention_ns: A message older than this is dropped.
    """

    def __init__(self, retention_ns: int) -> None:
        self.retention_ns = retention_ns
        self.max_receives: int | None = None  # after so many receives a message goes to `on_dead` instead
        self.on_dead: Callable[[Message], bool] | None = None  # whether it took the message
        self._live: dict[int, Message] = {}
        self._ready: deque[Message] = deque()  # may hold messages that have gone since
        self._timers: list[tuple[int, int]] = []  # (due_ns, serial)
        self._count = [0] * (max(Place) + 1)  # by place
        self._n_looked_at = 0

    def statistics(self, now_ns: int) -> QueueStatistics:
        """How many messages are visible, in flight and delayed at this instant."""
        self._wake(now_ns)
        count = self._count
        return QueueStatistics(count[Place.VISIBLE], count[Place.IN_FLIGHT], count[Place.DELAYED], self._n_looked_at)

    @property
    def has_visible(self) -> bool:
        """Whether a receive would find something, as far as the last call showed."""
        return self._count[Place.VISIBLE] > 0

    def put(self, message: Message, *, delay_ns: int = 0) -> None:
        """Add a new message; visible after the delay."""
        self._live[message.serial] = message
        self._count[message.place] += 1
        if delay_ns:
            self._hide(message, Place.DELAYED, message.sent_ns + delay_ns)
        else:
            self._show(message)

    def take(self, n_max: int, now_ns: int, visibility_ns: int) -> list[Message]:
        """Receive up to `n_max` messages; each is in flight until `visibility_ns` from now."""
        self._wake(now_ns)
        taken: list[Message] = []
        ready = self._ready
        while ready and len(taken) < n_max and self._count[Place.IN_FLIGHT] < IN_FLIGHT_MAX:
            message = ready.popleft()
            self._n_looked_at += 1
            if message.place is not Place.VISIBLE:
                continue
            if message.sent_ns + self.retention_ns <= now_ns or self._is_buried(message):
                self._forget(message)
            else:
                message.n_receives += 1
                if message.n_receives == 1:
                    message.first_received_ns = now_ns
                message.received_ns = now_ns
                self._hide(message, Place.IN_FLIGHT, now_ns + visibility_ns)
                taken.append(message)
        return taken

    def _is_buried(self, message: Message) -> bool:
        """Whether a message was received too often, and there is a place for it."""
        is_dead = self.max_receives is not None and message.n_receives >= self.max_receives
        return is_dead and self.on_dead is not None and self.on_dead(message)

    def first_visible(self, now_ns: int) -> Message | None:
        """The message that a receive would find first, left where it is; None: it would find none."""
        self._wake(now_ns)
        ready = self._ready
        while ready:
            message = ready[0]
            if message.place is Place.VISIBLE and message.sent_ns + self.retention_ns > now_ns:
                return message
            ready.popleft()
            if message.place is Place.VISIBLE:
                self._forget(message)
        return None

    def remove(self, message: Message) -> None:
        """Forget a message that is there, wherever it is."""
        self._forget(message)

    def delete(self, serial: int, receipt: int, now_ns: int) -> None:
        """Delete by a receipt. An outdated receipt, or one of a message deleted before, changes nothing, as in SQS."""
        self._wake(now_ns)
        message = self._live.get(serial)
        if message is None or message.n_receives != receipt:
            return
        if not message.comes_again:
            self._forget(message)
        elif message.place is Place.IN_FLIGHT:
            message.comes_again = False
            self._show(message)

    def change_visibility(self, serial: int, receipt: int, due_ns: int, now_ns: int) -> Place:
        """Put the timer of a message in flight at `due_ns`; the former timer is void.

        Returns:
            Where the message was. Unless that was IN_FLIGHT nothing has changed.
        """
        self._wake(now_ns)
        message = self._live.get(serial)
        if message is None:
            return Place.GONE
        if message.place is not Place.IN_FLIGHT or message.n_receives != receipt:
            return Place.VISIBLE
        if due_ns <= now_ns:
            self._show(message)
        else:
            self._hide(message, Place.IN_FLIGHT, due_ns)
        return Place.IN_FLIGHT

    def received_ns(self, serial: int) -> int | None:
        """When a live message was last received; None for one that was deleted."""
        message = self._live.get(serial)
        return None if message is None else message.received_ns

    def purge(self) -> None:
        """Forget every message."""
        self._live.clear()
        self._ready.clear()
        self._timers.clear()
        self._count = [0] * len(self._count)

    def next_due_ns(self) -> int | None:
        """When a hidden message next becomes visible by itself."""
        timers = self._timers
        while timers and not self._is_current(*timers[0]):
            heapq.heappop(timers)
            self._n_looked_at += 1
        return timers[0][0] if timers else None

    def _wake(self, now_ns: int) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now_ns:
            due_ns, serial = heapq.heappop(timers)
            self._n_looked_at += 1
            if self._is_current(due_ns, serial):
                self._show(self._live[serial])

    def _is_current(self, due_ns: int, serial: int) -> bool:
        message = self._live.get(serial)
        return message is not None and message.due_ns == due_ns and message.place in (Place.DELAYED, Place.IN_FLIGHT)

    def _show(self, message: Message) -> None:
        self._move(message, Place.VISIBLE)
        self._ready.append(message)

    def _hide(self, message: Message, place: Place, due_ns: int) -> None:
        self._move(message, place)
        message.due_ns = due_ns
        heapq.heappush(self._timers, (due_ns, message.serial))

    def _forget(self, message: Message) -> None:
        self._move(message, Place.GONE)
        del self._live[message.serial]

    def _move(self, message: Message, place: Place) -> None:
        self._count[message.place] -= 1
        self._count[place] += 1
        message.place = place
