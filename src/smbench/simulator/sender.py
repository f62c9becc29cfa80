"""What every simulated client has in common: it obeys the schedule, as the run's engine does, and takes no time."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from smbench.model.endpoints.jobs import Ended
from smbench.model.event_queue import EventQueue
from smbench.records import NotSent
from smbench.scenario.model import Scenario
from smbench.schedule.base import PhaseSpan, Schedule

Watch = Callable[[int, int], None]
"""Called now and then with the number of requests sent so far, and of all."""

_WATCHED_EVERY = 4096


class Sender(ABC):
    """One request a row of the schedule.

    Attributes:
        sched_ns: When each row was due; of a closed phase, when it was released; None: never.
        ended: How each row ended; None: not sent, refused, or not over yet.
        why_not: Why a row was not sent; None: it was.
        order: Rows in the order in which they were sent.
        stopped: Why sending ended early; None: it did not.
        leave_together: Nothing ends between two requests that are due at one instant: an answer is seen once all of
            them have left. Else the endpoint is asked for each, and what is over by then has made room.
    """

    leave_together = False

    def __init__(
        self, event_queue: EventQueue, scenario: Scenario, schedule: Schedule, id_prefix: str, watch: Watch | None
    ) -> None:
        self._event_queue, self._schedule, self._limits = event_queue, schedule, scenario.limits
        self._id_prefix, self._watch = id_prefix, watch
        n = len(schedule)
        self.sched_ns: list[int | None] = [at if at >= 0 else None for at in schedule.sched_ns.tolist()]
        self.ended: list[Ended | None] = [None] * n
        self.why_not: list[NotSent | None] = [None] * n
        self.order: list[int] = []
        self.stopped: NotSent | None = None
        self._is_load_over = False
        self._unreleased: dict[int, list[int]] = {}  # rows of each closed phase, the next one last
        self._n_freed: dict[int, int] = {}  # ends that each closed phase has seen

    def run(self) -> int:
        """Send everything, wait for the ends; the instant at which the run is over."""
        for span in self._schedule.spans:
            if span.outstanding is None:
                self._send_open(span)
            else:
                self._begin_closed(span)
        self._advance_to_end_of_load()
        self._is_load_over = True
        end_ns = self._drain()
        for rows in self._unreleased.values():
            for row in rows:
                self.why_not[row] = self.stopped or NotSent.PHASE_ENDED
        return end_ns

    def id_of(self, row: int) -> str:
        """The InferenceId of a row."""
        return f"{self._id_prefix}{row}"

    def _send_open(self, span: PhaseSpan) -> None:
        advance, rows = self._event_queue.advance, range(span.first_seq, span.first_seq + span.n)
        for row, due_ns in zip(rows, self._schedule.sched_ns[self._schedule.rows(span.index)].tolist(), strict=True):
            if not self._may_send(due_ns):
                self.why_not[row] = self.stopped
                continue
            if due_ns > self._event_queue.now_ns or not self.leave_together:
                advance(due_ns)
            self._submit(row)

    def _begin_closed(self, span: PhaseSpan) -> None:
        self._event_queue.advance(max(span.start_ns, self._event_queue.now_ns))
        self._unreleased[span.index] = list(reversed(range(span.first_seq, span.first_seq + span.n)))
        for join_ns in span.joins_ns or (0,) * (span.outstanding or 0):
            if join_ns:
                self._event_queue.at(span.start_ns + join_ns, partial(self._release, span))
            else:
                self._release(span)
        if span.end_ns is not None:
            self._event_queue.advance(span.end_ns)

    def _release(self, span: PhaseSpan) -> None:
        now_ns, rows = self._event_queue.now_ns, self._unreleased[span.index]
        if rows and (span.end_ns is None or now_ns < span.end_ns) and self._may_send(now_ns):
            row = rows.pop()
            self.sched_ns[row] = now_ns
            self._submit(row)

    def _may_send(self, due_ns: int) -> bool:
        limits = self._limits
        if self.stopped is None:
            if limits.time is not None and due_ns >= limits.time * 1e9:
                self.stopped = NotSent.TIME_LIMIT
            elif limits.requests is not None and len(self.order) >= limits.requests:
                self.stopped = NotSent.REQUEST_LIMIT
        return self.stopped is None

    def _free(self, span: PhaseSpan) -> None:
        """A place of a closed phase is free: at once, or when its user has thought."""
        n_freed = self._n_freed.get(span.index, 0)
        self._n_freed[span.index] = n_freed + 1
        think_ns = int(self._schedule.think_ns[span.first_seq + n_freed]) if len(self._schedule.think_ns) else 0
        if think_ns:
            self._event_queue.at(self._event_queue.now_ns + think_ns, partial(self._release, span))
        else:
            self._release(span)

    def _advance_to_end_of_load(self) -> None:
        if self.stopped is None:
            self._event_queue.advance(max(self._event_queue.now_ns, self._schedule.span_ns))

    def _watched(self, row: int) -> None:
        """The row is sent now."""
        if self._watch is not None and len(self.order) % _WATCHED_EVERY == 0:
            self._watch(len(self.order), len(self.sched_ns))
        self.order.append(row)

    @abstractmethod
    def _submit(self, row: int) -> None:
        """Send a row, now."""

    @abstractmethod
    def _drain(self) -> int:
        """Wait for the ends; the instant at which the run is over."""
