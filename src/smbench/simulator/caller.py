"""The client of a synchronous endpoint in a simulation: the answer is the end, and a throttle may be tried again.

It follows the run's engine rule by rule, without its network: a call arrives at the instant at which it leaves, and its
answer when the endpoint is done with it, after all that leaves at that instant has left. Its retries are the run's own
(`schedule.retrying`), from the same chances.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from smbench.model.endpoints.answers import (
    ANSWERED,
    CONTENT_TYPE,
    GAPS,
    MODEL_ERROR,
    STREAM_CONTENT_TYPE,
    THROTTLED,
    answer_of,
    called,
    container_error_of,
    error_message,
    part_of,
    stream_error_of,
)
from smbench.model.endpoints.endpoint import Ended, Endpoint
from smbench.model.endpoints.serverless import ServerlessEndpoint
from smbench.model.endpoints.streaming import Streamed
from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler
from smbench.records import (
    READ_TIMEOUT,
    RETRY,
    TORN_STREAM,
    Answered,
    Event,
    NotSent,
    Outcome,
    PartsSeen,
    Rejected,
    Unacknowledged,
)
from smbench.scenario.model import Scenario
from smbench.scenario.values.seeds import stream
from smbench.schedule.base import Schedule
from smbench.schedule.retrying import Again, Retrying
from smbench.simulator.sender import Sender, Watch


@dataclass(slots=True)
class Call:
    """One call as its endpoint knows it. Instants are scenario time."""

    row: int
    arrived_ns: int
    heard_ns: int  # when something last came of its answer; before, when it left
    is_accepted: bool = False
    is_begun: bool = False  # a part of its answer was said
    is_given_up: bool = False  # by its client: what comes is not heard
    ended: Ended | None = None
    parts: PartsSeen | None = None  # of an answer in a stream
    n_bytes: int = 0  # of these


class Caller(Sender):
    """One request a row of the schedule; see `Sender`.

    Attributes:
        calls: Every call in order of arrival: a row that is tried again has several.
        attempts: Of each row.
        answers: What the last call of each row was answered; None: it was not sent.
        ack_ns: When; None: it was not sent.
        retries: A refused try that another follows, as a run notes it.
        stop_reason: Why sending ended early, with numbers; empty: `stopped` says it.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        endpoint: Endpoint | ServerlessEndpoint,
        scenario: Scenario,
        schedule: Schedule,
        base_dir: Path | None,
        id_prefix: str,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(event_queue, scenario, schedule, id_prefix, watch)
        self._endpoint = endpoint
        wanted, self._gap = scenario.target.emulated.stream, None
        self._n_parts = wanted.parts
        if scenario.request.stream:  # the emulator's stream of chances, so that both space the parts alike
            self._gap = Sampler(wanted.gap, stream(scenario.seed_of("service"), GAPS), base_dir)
        wait_s = scenario.request.read_timeout
        self._wait_ns = None if wait_s is None else round(wait_s * 1e9)
        expect = scenario.request.expect
        self._expect = None if expect.is_anything else expect
        self._retrying = Retrying(scenario.request.retry, stream(scenario.seed_of("faults"), "retry.0"))
        n = len(schedule)
        self.calls: list[Call] = []
        self.attempts = [0] * n
        self.answers: list[Answered | Rejected | Unacknowledged | None] = [None] * n
        self.ack_ns: list[int | None] = [None] * n
        self.retries: list[Event] = []
        self.stop_reason = ""
        self._paid: dict[int, Again] = {}  # what the last try of a row cost
        self._unseen: list[Callable[[], None]] = []  # answers of this instant
        self._n_accepted = self._n_bad = self._n_answers = self._n_open = 0
        endpoint.on_end.append(self._on_end)

    def _submit(self, row: int) -> None:
        self._n_open += 1
        self._watched(row)
        self._call(row)

    def _call(self, row: int) -> None:
        now_ns = self._event_queue.now_ns
        self.attempts[row] += 1
        call = Call(row, now_ns, now_ns)
        self.calls.append(call)
        streamed = None
        if self._gap is not None:
            call.parts = PartsSeen()
            streamed = Streamed.drawn(self._n_parts, self._gap, partial(self._part, call))
        call.is_accepted = self._endpoint.arrive(called(self._n_accepted, self.id_of(row), now_ns, call, streamed))
        if call.is_accepted:
            self._n_accepted += 1
            if self._wait_ns is not None:
                self._event_queue.at(now_ns + self._wait_ns, partial(self._overdue, call, self._wait_ns))
        else:
            refusal = Rejected(THROTTLED, "ThrottlingException")
            self._unseen.append(partial(self._refused, call, refusal, now_ns))

    def _part(self, call: Call, place: int) -> None:
        assert call.parts is not None, "it asked for a stream"
        if call.ended is not None:  # what an instance that died would have said is not heard
            return
        call.is_begun = True
        if not call.is_given_up:
            call.heard_ns = self._event_queue.now_ns
            call.parts.came(call.heard_ns)
            call.n_bytes += len(part_of(self.id_of(call.row), place))

    def _overdue(self, call: Call, wait_ns: int) -> None:
        """As long as the client waits has passed: it gives the call up, unless an answer or a part came meanwhile."""
        now_ns = self._event_queue.now_ns
        if call.ended is not None:
            return
        if call.heard_ns + wait_ns > now_ns:
            self._event_queue.at(call.heard_ns + wait_ns, partial(self._overdue, call, wait_ns))
            return
        call.is_given_up = True
        if call.parts is not None and (parts := call.parts.so_far()).n:
            torn = Answered(Outcome.FAILED, ANSWERED, f"{TORN_STREAM}: {READ_TIMEOUT}", call.n_bytes, parts=parts)
            self._unseen.append(partial(self._taken, call.row, torn))
        else:
            self._unseen.append(partial(self._refused, call, Unacknowledged(READ_TIMEOUT), now_ns))

    def _refused(self, call: Call, refusal: Rejected | Unacknowledged, refused_ns: int) -> None:
        row = call.row
        again = None if self._is_stopped else self._retrying.after(refusal, self.attempts[row])
        if again is None:
            self._answered(row, refusal)
            return
        next_ns = refused_ns + round(again.pause_s * 1e9)
        self._event_queue.at(next_ns, partial(self._again, call, again, refusal, refused_ns))

    def _again(self, call: Call, again: Again, refusal: Rejected | Unacknowledged, refused_ns: int) -> None:
        row = call.row
        if self._is_stopped:  # meanwhile: the refusal is the answer
            self._unseen.append(partial(self._answered, row, refusal, refused_ns))
            return
        self._paid[row] = again
        is_throttle = isinstance(refusal, Rejected)
        self.retries.append(
            Event(
                kind=RETRY,
                name=self.id_of(row),
                at_ns=call.arrived_ns,
                seen_ns=refused_ns,
                state="throttled" if is_throttle else "unanswered",
                end_ns=self._event_queue.now_ns,
                cause=refusal.code if isinstance(refusal, Rejected) else refusal.cause,
                detail={"attempt": self.attempts[row]},
            )
        )
        self._call(row)

    def _on_end(self, ended: Ended) -> None:
        call = ended.job.context
        assert isinstance(call, Call), "the caller puts the call into every job"
        call.ended = self.ended[call.row] = ended
        if call.is_given_up:
            return
        answer = self._answer(ended) if call.parts is None else self._streamed(call, call.parts, ended)
        self._unseen.append(partial(self._taken, call.row, answer))

    def _taken(self, row: int, answer: Answered) -> None:
        self._retrying.good(self._paid.get(row))
        self._answered(row, answer)

    def _streamed(self, call: Call, seen: PartsSeen, ended: Ended) -> Answered:
        """The answer in a stream; where it never began, that of every other call."""
        n_came = seen.so_far().n
        if ended.outcome is not Outcome.COMPLETED and not n_came:
            return self._answer(ended)
        if ended.outcome is not Outcome.COMPLETED:
            code, words = stream_error_of(ended.reason)
            reason = Rejected(ANSWERED, f"ModelStreamError {code}", words).reason
            return Answered(Outcome.FAILED, ANSWERED, reason, call.n_bytes, parts=seen.so_far())
        for _ in range(n_came, self._n_parts):
            seen.came(ended.done_ns)
        body = b"".join(part_of(self.id_of(call.row), place) for place in range(self._n_parts))
        wrong = None if self._expect is None else self._expect.difference(STREAM_CONTENT_TYPE, body)
        if wrong is None:
            return Answered(Outcome.COMPLETED, ANSWERED, None, len(body), parts=seen.so_far())
        return Answered(Outcome.FAILED, ANSWERED, wrong[1], len(body), wrong[0], seen.so_far())

    def _answer(self, ended: Ended) -> Answered:
        if ended.outcome is not Outcome.COMPLETED:
            status, words = container_error_of(ended)
            message = error_message(status, words, endpoint=self._endpoint.name)
            return Answered(Outcome.FAILED, MODEL_ERROR, Rejected(MODEL_ERROR, "ModelError", message, status).reason)
        body = answer_of(ended)
        wrong = None if self._expect is None else self._expect.difference(CONTENT_TYPE, body)
        if wrong is None:
            return Answered(Outcome.COMPLETED, ANSWERED, None, len(body))
        return Answered(Outcome.FAILED, ANSWERED, wrong[1], len(body), wrong[0])

    def _answered(self, row: int, answer: Answered | Rejected | Unacknowledged, at_ns: int | None = None) -> None:
        self.answers[row], self.ack_ns[row] = answer, self._event_queue.now_ns if at_ns is None else at_ns
        self._n_open -= 1
        self._n_answers += 1
        self._n_bad += not isinstance(answer, Answered) or answer.outcome is Outcome.FAILED
        if self.stopped in (None, NotSent.REQUEST_LIMIT) and (
            why := self._limits.broken_by(self._n_bad, self._n_answers)
        ):
            self.stopped, self.stop_reason = NotSent.ERROR_LIMIT, why
        self._freed(row)

    @property
    def _is_full(self) -> bool:
        return self._n_open >= self._limits.in_flight

    @property
    def _is_stopped(self) -> bool:
        """Nothing is tried again once the sending was ended early."""
        limit_s = self._limits.time
        is_late = limit_s is not None and self._event_queue.now_ns >= limit_s * 1e9
        return self.stopped in (NotSent.ERROR_LIMIT, NotSent.TIME_LIMIT) or (is_late and not self._is_load_over)

    def _see_answers(self) -> bool:
        unseen, self._unseen = self._unseen, []
        for see in unseen:
            see()
        return bool(unseen)

    def _advance(self, to_ns: int) -> None:
        event_queue = self._event_queue
        while event_queue.now_ns < to_ns:
            self._settle()
            due_ns = event_queue.next_due_ns()
            event_queue.advance(to_ns if due_ns is None else min(due_ns, to_ns))

    def _drain(self) -> int:
        """Until every call is answered, which takes as long as it takes."""
        self._settle()
        while self._n_open:
            due_ns = self._event_queue.next_due_ns()
            assert due_ns is not None, "an open call has its end in the event queue"
            self._event_queue.advance(due_ns)
            self._settle()
        return self._event_queue.now_ns
