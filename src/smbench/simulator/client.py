"""The client of a simulation: obeys the schedule, learns of every end, gives up after the drain. It takes no time.

It follows the run's engine and tracker rule by rule, without their network: what it submits is accepted at that very
instant, and a notice is seen when it is published.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from smbench.model.endpoints.endpoint import TIMEOUT, TTL, Ended, Endpoint, Job
from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler
from smbench.records import NotSent
from smbench.scenario.model import DEFAULT_TIMEOUT_S, DEFAULT_TTL_S, Scenario
from smbench.scenario.values.seeds import stream
from smbench.schedule.base import PhaseSpan, Schedule

Watch = Callable[[int, int], None]
"""Called now and then with the number of requests sent so far, and of all."""

_WATCHED_EVERY = 4096


class Client:
    """One request a row of the schedule.

    Attributes:
        sched_ns: When each row was due; of a closed phase, when it was released; None: never.
        ended: How each row ended; None: not sent, or not over yet.
        pub_ns: When each row's notice was published; None: not yet, or there is none.
        why_not: Why a row was not sent; None: it was.
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
        self._event_queue, self._endpoint, self._schedule = event_queue, endpoint, schedule
        self._limits, self._drain_ns = scenario.limits, round(scenario.drain * 1e9)
        self._ttl_s = scenario.request.ttl or DEFAULT_TTL_S
        self._timeout_s = scenario.request.timeout or DEFAULT_TIMEOUT_S
        emulated, questions = scenario.target.emulated, scenario.target.emulated.open_questions
        self._silent = {
            reason
            for reason, notifies in ((TTL, questions.expiry_notifies), (TIMEOUT, questions.timeout_notifies))
            if not notifies
        }
        # The emulator's stream, so that both publish the same request at the same instant.
        self._lag = Sampler(emulated.notify_lag, stream(scenario.seed_of("faults"), "notify_lag"), base_dir)
        self._classes = [payload_classes[index] for index in schedule.payload.tolist()]
        self._id_prefix, self._watch = id_prefix, watch
        n = len(schedule)
        self.sched_ns: list[int | None] = [at if at >= 0 else None for at in schedule.sched_ns.tolist()]
        self.ended: list[Ended | None] = [None] * n
        self.pub_ns: list[int | None] = [None] * n
        self.why_not: list[NotSent | None] = [None] * n
        self.order: list[int] = []  # rows in order of acceptance
        self.stopped: NotSent | None = None
        self._lag_ns: list[int] = [0] * n
        self._n_open = 0  # accepted, and the client has not heard of an end
        self._last_sent_ns = 0
        self._unreleased: dict[int, list[int]] = {}  # rows of each closed phase, the next one last
        self._n_freed: dict[int, int] = {}  # ends that each closed phase has seen
        endpoint.on_end.append(self._on_end)

    @property
    def longest_life_ns(self) -> int:
        """After this long an accepted request can no longer end."""
        return round((self._ttl_s + self._timeout_s) * 1e9)

    def run(self) -> int:
        """Send everything, wait for the ends; the instant at which the run is over."""
        for span in self._schedule.spans:
            if span.outstanding is None:
                self._send_open(span)
            else:
                self._begin_closed(span)
        self._advance_to_end_of_load()
        end_ns = self._drain()
        for rows in self._unreleased.values():
            for row in rows:
                self.why_not[row] = self.stopped or NotSent.PHASE_ENDED
        return end_ns

    def id_of(self, row: int) -> str:
        """The InferenceId of a row."""
        return f"{self._id_prefix}{row}"

    def notice_of(self, row: int) -> str:
        """What became of an ended row's notice: `sent`, or `none` where AWS would not send one."""
        ended = self.ended[row]
        return "none" if ended is None or ended.reason in self._silent else "sent"

    def _send_open(self, span: PhaseSpan) -> None:
        advance, rows = self._event_queue.advance, range(span.first_seq, span.first_seq + span.n)
        for row, due_ns in zip(rows, self._schedule.sched_ns[self._schedule.rows(span.index)].tolist(), strict=True):
            if not self._may_send(due_ns):
                self.why_not[row] = self.stopped
                continue
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

    def _submit(self, row: int) -> None:
        now_ns = self._event_queue.now_ns
        index = len(self.order)
        self.order.append(row)
        self._n_open += 1
        if self._watch is not None and index % _WATCHED_EVERY == 0:
            self._watch(index, len(self.sched_ns))
        self._last_sent_ns = now_ns
        self._lag_ns[row] = round(self._lag.draw_s() * 1e9)
        job = Job(index, self.id_of(row), self._classes[row], self._ttl_s, self._timeout_s, now_ns, row)
        self._endpoint.arrive(job)

    def _on_end(self, ended: Ended) -> None:
        row = ended.job.context
        assert isinstance(row, int), "the client puts the row into every job"
        self.ended[row] = ended
        if ended.reason not in self._silent:
            self._event_queue.at(ended.done_ns + self._lag_ns[row], partial(self._hear, row))

    def _hear(self, row: int) -> None:
        self.pub_ns[row] = self._event_queue.now_ns
        self._n_open -= 1
        span = self._schedule.spans[int(self._schedule.phase[row])]
        if span.outstanding is not None:
            self._free(span)

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

    def _drain(self) -> int:
        """Until every end is known, but no longer than the drain after the last submission."""
        event_queue = self._event_queue
        sent_ns = event_queue.now_ns
        while self._n_open:
            limit_ns = max(sent_ns, self._last_sent_ns) + self._drain_ns
            due_ns = event_queue.next_due_ns()
            if due_ns is None or due_ns > limit_ns:
                event_queue.advance(limit_ns)
                break
            event_queue.advance(due_ns)
        return event_queue.now_ns
