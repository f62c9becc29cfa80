"""Ends where nothing publishes them: every output is looked for again and again, at so many calls a second at most.

Theory of operation. A round asks for the output of each open request, then for the failure of those that have none.
One HEAD asks for one object; one LIST shows a thousand of a folder, and costs as much as twelve HEADs. So a folder is
listed where its pages cost less than the HEADs that they replace; how many pages it has is known from the last time,
and is one more than was read where reading them all would not have been worth it. S3 stamps an object to the whole
second, so that how often we look says when an end is known, not when it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import anyio

from smbench.clock import Clock
from smbench.generator.tracking.tracker import Tracker
from smbench.ports import LIST_IN_HEADS, Folders, Outputs
from smbench.records import Outcome, OutputFound, Reading, Unacknowledged

_AT_ONCE = 16
_OUTPUT, _FAILURE = 0, 1  # places in `Tracker.locations`


@dataclass(slots=True)
class LookCounts:
    """Calls so far."""

    n_heads: int = 0
    n_lists: int = 0
    n_unanswered: int = 0


class Looks:
    """Looks until stopped.

    Args:
        every_s: Between the begins of two rounds, of scenario time; a round that takes longer skips the next.
        calls_hz: Calls a second of scenario time, at most.
    """

    def __init__(
        self, tracker: Tracker, outputs: Outputs, folders: Folders, clock: Clock, *, every_s: float, calls_hz: float
    ) -> None:
        self.tracker, self.outputs, self.folders, self.clock = tracker, outputs, folders, clock
        self.counts = LookCounts()
        self._every_ns, self._pause_ns = round(every_s * 1e9), round(1e9 / calls_hz)
        self._next_call_ns = 0
        self._pages: dict[str, int] = {}
        self._looking = anyio.CancelScope()

    async def run(self) -> None:
        """A round now and then every `every_s` seconds, until `stop`."""
        with self._looking:
            due_ns = self.clock.now_ns()
            while True:
                await self.round()
                late_ns = self.clock.now_ns() - due_ns
                due_ns += max(1, -(-late_ns // self._every_ns)) * self._every_ns
                await self.clock.sleep_until_ns(due_ns)

    def stop(self) -> None:
        """Begin no more rounds, and leave the one under way."""
        self._looking.cancel()

    async def round(self) -> None:
        """Look once for the end of every request that is open now."""
        for which in (_OUTPUT, _FAILURE):
            await self._look(self.tracker.waiting(), which)

    def readings(self, now_ns: int) -> list[Reading]:
        """The calls so far."""
        counts = self.counts
        values = {"look_heads": counts.n_heads, "look_lists": counts.n_lists, "look_errors": counts.n_unanswered}
        return [Reading("generator", name, "value", float(value), now_ns, now_ns) for name, value in values.items()]

    async def _look(self, rows: Sequence[int], which: int) -> None:
        one_by_one: list[int] = []
        for folder, names in self._by_folder(rows, which).items():
            if self._pages.get(folder, 1) * LIST_IN_HEADS < len(names):
                one_by_one += await self._list(folder, names, which)
            else:
                one_by_one += names.values()
        await self._ask_for_each(one_by_one, which)

    def _by_folder(self, rows: Iterable[int], which: int) -> dict[str, dict[str, int]]:
        """The rows by the folder of their object and its name."""
        folders: dict[str, dict[str, int]] = {}
        for row in rows:
            location = self.tracker.locations(row)[which]
            if location is not None:
                folder, _, name = location.rpartition("/")
                folders.setdefault(folder, {})[name] = row
        return folders

    async def _list(self, folder: str, names: dict[str, int], which: int) -> list[int]:
        """Read a folder as far as it is worth it; returns the rows of which nothing is known then."""
        n_pages, after = 0, None
        unseen = dict(names)
        location = f"{folder}/{next(iter(names))}"
        while (n_pages + 1) * LIST_IN_HEADS < len(names):
            await self._turn()
            self.counts.n_lists += 1
            n_pages += 1
            try:
                page = await self.folders.page(location, after)
            except Unacknowledged:
                self.counts.n_unanswered += 1
                break
            for name, written_utc_ns in page.written_utc_ns.items():
                if (row := unseen.pop(name, None)) is not None:
                    await self._found(row, written_utc_ns, which)
            if (after := page.next) is None:
                self._pages[folder] = n_pages
                return []
        self._pages[folder] = n_pages + 1
        return list(unseen.values())

    async def _found(self, row: int, written_utc_ns: int, which: int) -> None:
        if which == _FAILURE:  # how the error begins is inside the object
            await self._ask_for_each([row], which)
        else:
            self._ended(row, OutputFound(Outcome.COMPLETED, written_utc_ns))

    async def _ask_for_each(self, rows: Sequence[int], which: int) -> None:
        left = iter(rows)

        async with anyio.create_task_group() as asking:
            for _ in range(min(_AT_ONCE, len(rows))):
                asking.start_soon(self._ask, left, which)

    async def _ask(self, rows: Iterator[int], which: int) -> None:
        for row in rows:
            await self._turn()
            self.counts.n_heads += 1
            output, failure = self.tracker.locations(row)
            try:
                found = await self.outputs.look_up(*((output, None) if which == _OUTPUT else (None, failure)))
            except Unacknowledged:
                self.counts.n_unanswered += 1
                continue
            if found is not None:
                self._ended(row, found)

    def _ended(self, row: int, found: OutputFound) -> None:
        self.tracker.found(row, found, self.clock.now_ns(), is_watched=True)

    async def _turn(self) -> None:
        """Wait until the next call may be made."""
        at_ns = max(self.clock.now_ns(), self._next_call_ns)
        self._next_call_ns = at_ns + self._pause_ns
        await self.clock.sleep_until_ns(at_ns)
