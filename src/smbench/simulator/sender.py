"""What every simulated client has in common: it obeys the schedule, as the run's engine does, and takes no time."""

import heapq
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable

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
    """

    def __init__(
        self, event_queue: EventQueue, scenario: Scenario, schedule: Schedule, id_prefix: str, watch: Watch | None
    ) -> None:
        self._event_queue, self._schedule, self._limits = event_queue, schedule, scenario.limits
        self._patience_ns = round(scenario.drain * 1e9)
        limit_s = scenario.limits.time
        self._limit_ns: int = sys.maxsize if limit_s is None else round(limit_s * 1e9)
        self._is_tried = [False] * len(schedule)  # sent, or dropped
        self._id_prefix, self._watch = id_prefix, watch
        n = len(schedule)
        self.sched_ns: list[int | None] = [at if at >= 0 else None for at in schedule.sched_ns.tolist()]
        self.ended: list[Ended | None] = [None] * n
        self.why_not: list[NotSent | None] = [None] * n
        self.order: list[int] = []
        self.stopped: NotSent | None = None
        self._is_load_over = False
        self._closed: PhaseSpan | None = None  # the closed phase that is being sent
        self._free_ns: list[int] = []  # of its places, a heap: when each is free
        self._n_freed = 0  # ends that it has seen

    def run(self) -> int:
        """Send everything, wait for the ends; the instant at which the run is over."""
        for span in self._schedule.spans:
            if not self._may_send(max(span.start_ns, self._event_queue.now_ns)):
                break
            if span.outstanding is None:
                self._send_open(span)
            else:
                self._send_closed(span)
            if span.end_ns is not None:  # whatever of it was sent
                self._advance(max(self._event_queue.now_ns, min(span.end_ns, self._limit_ns)))
            if span.outstanding is not None and self._may_send(self._event_queue.now_ns):
                self._rest_not_sent(range(span.first_seq, span.first_seq + span.n), NotSent.PHASE_ENDED)
        if self.stopped is None and self._event_queue.now_ns >= self._limit_ns:
            self.stopped = NotSent.TIME_LIMIT
        self._is_load_over = True
        end_ns = self._drain()
        self._rest_not_sent(range(len(self.why_not)), self.stopped or NotSent.PHASE_ENDED)
        return end_ns

    def _rest_not_sent(self, rows: range, why: NotSent) -> None:
        for row in rows:
            if self.why_not[row] is None and not self._is_tried[row]:
                self.why_not[row] = why

    def id_of(self, row: int) -> str:
        """The InferenceId of a row."""
        return f"{self._id_prefix}{row}"

    def _send_open(self, span: PhaseSpan) -> None:
        rows = range(span.first_seq, span.first_seq + span.n)
        for row, due_ns in zip(rows, self._schedule.sched_ns[self._schedule.rows(span.index)].tolist(), strict=True):
            self._advance(min(due_ns, self._limit_ns))
            if not self._may_send(due_ns):
                break
            self._submit_or_drop(row)

    def _send_closed(self, span: PhaseSpan) -> None:
        """As `generator.places` hands places out: the earliest that is free, as long as one is waited for."""
        queue, rows = self._event_queue, range(span.first_seq, span.first_seq + span.n)
        self._advance(max(span.start_ns, queue.now_ns))
        joins_ns = span.joins_ns or (0,) * (span.outstanding or 0)
        self._closed, self._n_freed = span, 0
        self._free_ns = [max(queue.now_ns, span.start_ns + join_ns) for join_ns in joins_ns]
        heapq.heapify(self._free_ns)
        for row in rows:
            free_ns = self._place(span)
            if free_ns is None:
                break
            self.sched_ns[row] = free_ns
            self._submit_or_drop(row)
            if not self._is_tried[row]:
                self.sched_ns[row] = None
                break
        self._closed = None

    def _place(self, span: PhaseSpan) -> int | None:
        """Wait for a place; since when it is free, or None when the phase, the sending or our patience ends first."""
        queue = self._event_queue
        give_up_ns = queue.now_ns + self._patience_ns
        while self._may_send(queue.now_ns):
            now_ns, first_ns = queue.now_ns, self._free_ns[0] if self._free_ns else None
            until_ns = give_up_ns if first_ns is None else first_ns
            if span.end_ns is not None and span.end_ns <= now_ns:
                return None
            if until_ns <= now_ns:
                return None if first_ns is None else heapq.heappop(self._free_ns)
            if self._see_answers():
                continue
            before_ns = min(until_ns, self._limit_ns, *(() if span.end_ns is None else (span.end_ns,)))
            due_ns = queue.next_due_ns()
            if due_ns is not None and due_ns < before_ns:
                queue.advance(due_ns)
                continue
            queue.advance(before_ns)
            if first_ns is None and before_ns == give_up_ns:  # an end of that very instant comes too late
                return None
        return None

    def _may_send(self, due_ns: int) -> bool:
        limits = self._limits
        if self.stopped is None:
            if due_ns >= self._limit_ns:
                self.stopped = NotSent.TIME_LIMIT
            elif limits.requests is not None and len(self.order) >= limits.requests:
                self.stopped = NotSent.REQUEST_LIMIT
        return self.stopped is None

    def _submit_or_drop(self, row: int) -> None:
        """At the client's own limit what is answered by now makes room."""
        self._event_queue.advance(self._event_queue.now_ns)  # the endpoint has done what is due
        if self._is_full:
            self._settle()
        if self.stopped is not None:
            return
        self._is_tried[row] = True
        if self._is_full:
            self.why_not[row] = NotSent.IN_FLIGHT_LIMIT
            self._freed(row)
        else:
            self._submit(row)

    @property
    def _is_full(self) -> bool:
        """As many are unanswered as may be."""
        return False

    def _see_answers(self) -> bool:
        """Take the answers of this instant, seen once all that is due at it has left; whether there are any."""
        return False

    def _settle(self) -> None:
        """Until nothing more happens at this instant."""
        self._event_queue.advance(self._event_queue.now_ns)
        while self._see_answers():
            self._event_queue.advance(self._event_queue.now_ns)

    def _advance(self, to_ns: int) -> None:
        """Until an instant, whose own answers are not seen yet."""
        self._event_queue.advance(to_ns)

    def _freed(self, row: int) -> None:
        """What a place of a closed phase sent is over: it is free at once, or when its user has thought."""
        span = self._closed
        if span is None or span.index != int(self._schedule.phase[row]):
            return
        place, think_ns = span.first_seq + self._n_freed, self._schedule.think_ns
        self._n_freed += 1
        heapq.heappush(self._free_ns, self._event_queue.now_ns + (int(think_ns[place]) if len(think_ns) else 0))

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
