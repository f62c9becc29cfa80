"""Those who wait at one queue for a message: served in turn, as soon as there is one, on scenario time."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smbench.emulator.messaging.queue import Queue
from smbench.model.event_queue import Entry, EventQueue

_S = 1_000_000_000
Take = Callable[[], dict[str, Any]]  # a ReceiveMessage's result now; empty when nothing is visible


@dataclass(slots=True)
class _Poll:
    reply: "asyncio.Future[dict[str, Any]]"
    take: Take
    expiry: Entry | None = None

    def end(self, result: dict[str, Any]) -> None:
        if not self.reply.done():
            self.reply.set_result(result)
        if self.expiry is not None:
            self.expiry.cancel()


class Polls:
    """The parked polls of one queue. One entry on the event_queue: when a hidden message next shows by itself."""

    def __init__(self, event_queue: EventQueue, queue: Queue) -> None:
        self._event_queue, self._queue = event_queue, queue
        self._waiting: deque[_Poll] = deque()
        self._wake: Entry | None = None
        self._wake_ns = 0

    def wait(self, take: Take, wait_s: int) -> "asyncio.Future[dict[str, Any]]":
        """A reply that comes with the first message, or empty after `wait_s`."""
        poll = _Poll(asyncio.get_running_loop().create_future(), take)
        poll.expiry = self._event_queue.at(self._event_queue.now_ns + wait_s * _S, lambda: poll.end({}))
        self._waiting.append(poll)
        self._arm()
        return poll.reply

    def serve(self) -> None:
        """Give what is visible to those who have waited longest. One whose client left takes nothing."""
        waiting = self._waiting
        if not waiting:
            return
        while waiting:
            if not waiting[0].reply.done():
                result = waiting[0].take()
                if not result:
                    break
                waiting[0].end(result)
            waiting.popleft()
        self._arm()

    def dismiss(self) -> None:
        """End every poll without a message: the queue was deleted."""
        for poll in self._waiting:
            poll.end({})
        self._waiting.clear()

    def _arm(self) -> None:
        due_ns = self._queue.next_due_ns() if self._waiting else None
        if due_ns is None or (self._wake is not None and self._wake_ns <= due_ns):
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake_ns = due_ns
        self._wake = self._event_queue.at(due_ns, self._on_wake)

    def _on_wake(self) -> None:
        self._wake = None
        self.serve()
