"""The places of a closed phase: each is free when its user joins, and a pause after the end of what it sent."""

import heapq
from collections.abc import Sequence

import anyio

from smbench.clock import Clock


class Places:
    """Hands out a free place at its instant, the earliest first.

    Args:
        free_ns: When each is free for the first time.
        think_ns: How long the place that the k-th end frees stays empty; beyond these it is free at once.
        patience_s: With every place taken and no end for so long, none is waited for any more.
    """

    def __init__(self, free_ns: Sequence[int], think_ns: Sequence[int], clock: Clock, patience_s: float) -> None:
        self._free_ns, self._think_ns = list(free_ns), think_ns
        self._clock, self._patience_ns = clock, round(patience_s * 1e9)
        self._n_freed = 0
        self._news = anyio.Event()
        heapq.heapify(self._free_ns)

    def freed(self) -> None:
        """What a place sent has ended, now."""
        pause_ns = self._think_ns[self._n_freed] if self._n_freed < len(self._think_ns) else 0
        self._n_freed += 1
        heapq.heappush(self._free_ns, self._clock.now_ns() + pause_ns)
        self._news.set()

    async def take(self, end_ns: int | None) -> int | None:
        """Wait for a place; since when it is free, or None when the phase's end or our patience comes first."""
        give_up_ns = self._clock.now_ns() + self._patience_ns
        while True:
            now_ns = self._clock.now_ns()
            first_ns = self._free_ns[0] if self._free_ns else None
            until_ns = give_up_ns if first_ns is None else first_ns
            if end_ns is not None and end_ns <= now_ns:
                return None
            if until_ns <= now_ns:
                return None if first_ns is None else heapq.heappop(self._free_ns)
            before_ns = until_ns if end_ns is None else min(until_ns, end_ns)
            if first_ns is None:
                await self._news_within((before_ns - now_ns) / 1e9 / self._clock.scale)
            else:
                await self._news_before(before_ns)

    async def _news_within(self, wait_s: float) -> None:
        """With every place taken: the loop's own timer is exact enough to give up by, and costs a task less."""
        self._news = anyio.Event()
        with anyio.move_on_after(wait_s):
            await self._news.wait()

    async def _news_before(self, until_ns: int) -> None:
        self._news = anyio.Event()
        async with anyio.create_task_group() as race:

            async def watch() -> None:
                await self._clock.sleep_until_ns(until_ns)
                race.cancel_scope.cancel()

            race.start_soon(watch)
            await self._news.wait()
            race.cancel_scope.cancel()
