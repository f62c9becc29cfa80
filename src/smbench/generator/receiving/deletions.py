"""Deletes what was received, ten to a call and in no hurry; says when it cannot follow, so that receivers wait."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from smbench.clock import Clock
from smbench.generator.receiving.receivers import BATCH
from smbench.ports import Notices
from smbench.records import Unacknowledged

_TRIES = 3
_RETRY_AFTER_S = 0.5
_LINGER_S = 0.5  # of the loop's time: far below the queue's visibility time-out of 30 s
_OWED_BATCHES = 10  # a deleter: at 50 ms a call all of it is gone in half a second


@dataclass(eq=False, slots=True)
class _Batch:
    """Receipts of one call. While it is open, more may join."""

    receipts: list[str] = field(default_factory=list)
    closed: anyio.Event = field(default_factory=anyio.Event)


class Deletions:
    """Receipts on their way to deletion.

    Args:
        at_once: Deletes that may overlap. Their tasks live as long as the work: one a batch would cost more than the
            rest of its life.
    """

    def __init__(self, notices: Notices, clock: Clock, at_once: int) -> None:
        self.notices, self.clock, self.at_once = notices, clock, at_once
        self.n_undeleted = 0  # given up; they come again
        self.n_waits = 0  # of receivers, because deletes did not follow
        self._owed_max = at_once * _OWED_BATCHES * BATCH
        self._n_owed = 0
        self._open: _Batch | None = None  # at most one: all that is short waits in the same place
        self._batches: MemoryObjectSendStream[_Batch] | None = None
        self._room = anyio.Event()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Delete what is added; on leaving, return when nothing is left of it. Cancelled: what is left counts as
        undeleted."""
        # Without a bound here, because `add` must not wait: a receipt in hand is lost if its holder is cancelled.
        # `wait_room` is the bound.
        self._batches, batches = anyio.create_memory_object_stream[_Batch](math.inf)
        try:
            with batches:
                async with anyio.create_task_group() as deleting:
                    for _ in range(self.at_once):
                        deleting.start_soon(self._delete_all, batches)
                    with self._batches:
                        yield
                        self._close_open()
        finally:
            self.n_undeleted, self._n_owed = self.n_undeleted + self._n_owed, 0

    def add(self, receipts: Sequence[str]) -> None:
        """Take these over; only while `working`."""
        self._n_owed += len(receipts)
        taken = 0
        while taken < len(receipts):
            batch = self._open or self._begin()
            free = BATCH - len(batch.receipts)
            batch.receipts += receipts[taken : taken + free]
            taken += free
            if len(batch.receipts) == BATCH:
                self._close_open()

    async def wait_room(self) -> None:
        """Return, mostly at once, when more may be added."""
        if self._n_owed <= self._owed_max:
            return
        self.n_waits += 1
        while self._n_owed > self._owed_max:
            if self._room.is_set():
                self._room = anyio.Event()
            await self._room.wait()

    def _begin(self) -> _Batch:
        assert self._batches is not None, "it is working"
        self._open = _Batch()
        self._batches.send_nowait(self._open)
        return self._open

    def _close_open(self) -> None:
        if self._open is not None:
            self._open.closed.set()
            self._open = None

    async def _delete_all(self, batches: MemoryObjectReceiveStream[_Batch]) -> None:
        async for batch in batches:
            if batch is self._open:
                with anyio.move_on_after(_LINGER_S):
                    await batch.closed.wait()
                if batch is self._open:
                    self._close_open()
            self.n_undeleted += len(await self._left_of(batch.receipts))
            self._n_owed -= len(batch.receipts)
            if self._n_owed <= self._owed_max:
                self._room.set()

    async def _left_of(self, receipts: list[str]) -> list[str]:
        """Delete, trying again what failed; what cannot be deleted."""
        left = receipts
        for n_tried in range(1, _TRIES + 1):
            try:
                left = await self.notices.delete(left)
            except Unacknowledged:
                if n_tried < _TRIES:
                    await self.clock.sleep_until_ns(self.clock.now_ns() + round(_RETRY_AFTER_S * 1e9))
            if not left:
                break
        return left
