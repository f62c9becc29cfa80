"""The client of an asynchronous endpoint without notices in a simulation: it looks for every output in S3.

It follows `generator.receiving.looks` call by call: which calls a round makes, in which order, and when each may be
made; a call takes no time.
"""

from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from smbench.model.endpoints.endpoint import Ended, Endpoint
from smbench.model.event_queue import Entry, EventQueue
from smbench.ports import LIST_IN_HEADS, LOOKS_HZ
from smbench.records import Outcome
from smbench.scenario.model import Scenario
from smbench.schedule.base import Schedule
from smbench.simulator.client import Client
from smbench.simulator.sender import Watch

_PAGE = 1000  # objects
_OUTPUTS, _FAILURES = 0, 1  # the folders of an endpoint
_SCATTER = 0x9E3779B1  # odd, so that no two of 2^32 names are alike; as UUIDs, they are in no order of time
_PAUSE_NS = round(1e9 / LOOKS_HZ)

_Calls = Iterator[int]  # up to the instant at which they go on


class LookingClient(Client):
    """One request a row of the schedule; see `Client`. Notices are published, and it receives none.

    Attributes:
        n_heads: Calls so far.
        n_lists: Calls so far.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        endpoint: Endpoint,
        scenario: Scenario,
        schedule: Schedule,
        payload_classes: Sequence[str],
        base_dir: Path | None,
        id_prefix: str,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(event_queue, endpoint, scenario, schedule, payload_classes, base_dir, id_prefix, watch)
        self._found_ns: list[int | None] = [None] * len(self.ended)
        self._every_ns = round(scenario.collector.look_every * 1e9)
        self._open: dict[int, None] = {}  # rows in order of acceptance
        self._written: tuple[list[int], list[int]] = ([], [])  # names in each folder, ascending up to what came last
        self._row_of: dict[int, int] = {}  # by name
        self._pages = [1, 1]  # of each folder, as the last look found them
        self._next_call_ns = 0
        self._is_looking = True
        self.n_heads = self.n_lists = 0
        self._next: Entry = self._event_queue.at(0, lambda: self._go_on(self._rounds()))

    @property
    def seen_ns(self) -> list[int | None]:
        """When a look found each row's end; None: none did."""
        return self._found_ns

    def found(self, end_ns: int) -> list[Ended | None]:
        """How each row ended whose end a look found."""
        return [ended if at is not None else None for ended, at in zip(self.ended, self._found_ns, strict=True)]

    def _submit(self, row: int) -> None:
        self._open[row] = None
        super()._submit(row)

    def _on_end(self, ended: Ended) -> None:
        super()._on_end(ended)
        if ended.outcome is not Outcome.EXPIRED:  # it never met a container: nothing is written for it
            row = ended.job.context
            assert isinstance(row, int), "the client puts the row into every job"
            name = self._name(row)
            self._row_of[name] = row
            self._written[_FAILURES if ended.outcome is Outcome.FAILED else _OUTPUTS].append(name)

    def _hear(self, row: int) -> None:
        """No queue is subscribed."""

    def _drain(self) -> int:
        end_ns = super()._drain()
        if not self._n_open:
            return end_ns
        self._next.cancel()
        self._go_on(self._round())
        while self._is_looking:
            due_ns = self._event_queue.next_due_ns()
            assert due_ns is not None, "the next call is in the event queue"
            self._event_queue.advance(due_ns)
        return self._event_queue.now_ns

    # ---- a round, as `Looks` makes it -------------------------------------------------------------------------

    def _go_on(self, calls: _Calls) -> None:
        at_ns = next(calls, None)
        self._is_looking = at_ns is not None
        if at_ns is not None:
            self._next = self._event_queue.at(at_ns, lambda: self._go_on(calls))

    def _rounds(self) -> _Calls:
        queue, due_ns = self._event_queue, 0
        while True:
            yield from self._round()
            due_ns += max(1, -(-(queue.now_ns - due_ns) // self._every_ns)) * self._every_ns
            yield due_ns

    def _round(self) -> _Calls:
        for which in (_OUTPUTS, _FAILURES):
            left = list(self._open)
            if self._pages[which] * LIST_IN_HEADS < len(left):
                left = yield from self._list(left, which)
            for row in left:
                yield from self._head(row, which)

    def _list(self, rows: list[int], which: int) -> Generator[int, None, list[int]]:
        """Read a folder as far as it is worth it; returns the rows that were not in it."""
        unseen, after, n_pages = dict.fromkeys(rows), -1, 0
        while (n_pages + 1) * LIST_IN_HEADS < len(rows):
            yield from self._turn()
            self.n_lists += 1
            n_pages += 1
            page, is_last = self._page(which, after)
            for name in page:
                row = self._row_of[name]
                if row in unseen:
                    del unseen[row]
                    if which == _FAILURES:  # how the error begins is inside the object
                        yield from self._head(row, which)
                    else:
                        self._see(row)
            if is_last:
                self._pages[which] = n_pages
                return []
            after = page[-1]
        self._pages[which] = n_pages + 1
        return list(unseen)

    def _page(self, which: int, after: int) -> tuple[list[int], bool]:
        """Names of what is there, and whether they are the last."""
        names = self._written[which]
        names.sort()  # what came since the last time is at its end
        place = bisect_right(names, after)
        page: list[int] = []
        while place < len(names) and len(page) < _PAGE:
            if self._is_there(self._row_of[names[place]], which):
                page.append(names[place])
            place += 1
        return page, place == len(names)

    def _head(self, row: int, which: int) -> _Calls:
        yield from self._turn()
        self.n_heads += 1
        if self._is_there(row, which):
            self._see(row)

    def _turn(self) -> _Calls:
        """Wait until the next call may be made."""
        at_ns = max(self._event_queue.now_ns, self._next_call_ns)
        self._next_call_ns = at_ns + _PAUSE_NS
        if at_ns > self._event_queue.now_ns:
            yield at_ns

    # ---- what is in S3 ----------------------------------------------------------------------------------------

    def _name(self, row: int) -> int:
        return (row + 1) * _SCATTER & 0xFFFFFFFF

    def _is_there(self, row: int, which: int) -> bool:
        ended = self.ended[row]
        if ended is None or ended.outcome is not (Outcome.FAILED if which == _FAILURES else Outcome.COMPLETED):
            return False
        return self._kept_s is None or ended.done_ns + round(self._kept_s * 1e9) > self._event_queue.now_ns

    def _see(self, row: int) -> None:
        if row in self._open:
            del self._open[row]
            self._found_ns[row] = self._event_queue.now_ns
            self._over(row)


def client_of(scenario: Scenario) -> type[Client]:
    """The client that a run of the scenario would be: whether notices reach it, or it looks for outputs."""
    return LookingClient if scenario.collector.tracking == "s3" else Client
