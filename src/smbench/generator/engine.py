"""The open loop: submit each request at the instant the schedule says, whatever becomes of the others.

Three rules. It sleeps until absolute instants and looks again on waking. At its own limit it drops and counts; it never
waits for an answer, a consumer or a slot, for waiting would turn the open loop into a closed one. When asked to stop it
sends nothing more, no second try either, and what is in flight is still answered. A closed phase, which is asked for by
name, is the one exception: there each end releases the next request. In warp time, where an answer may take no time,
what is answered at an instant has left room for what is due at it.

Where the transport can, a request is submitted from the pacing task itself and its answer is a call from the loop; it
has a task of its own where it must wait: for a connection, or before it is tried again.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio
import anyio.abc
import numpy as np

from smbench.clock import Clock
from smbench.generator.control import Control
from smbench.generator.places import Places
from smbench.generator.stopping import SeenWindow, Stopping
from smbench.generator.tracking.ledger import State
from smbench.generator.tracking.tracker import Tracker
from smbench.ports import PromptTransport, Transport
from smbench.records import (
    RETRY,
    Accepted,
    Answer,
    Answered,
    Event,
    Invocation,
    NotSent,
    Rejected,
    Unacknowledged,
    is_throttle,
)
from smbench.scenario.model import Limits
from smbench.scenario.phases import Phase
from smbench.scenario.values.request import Retry
from smbench.schedule.base import PhaseSpan
from smbench.schedule.retrying import Again, Retrying

_SCHEDULED = int(State.SCHEDULED)
_GOOD = (Accepted, Answered)
_YIELD_EVERY = 64  # behind schedule nothing awaits: let answers in


@dataclass(frozen=True, slots=True)
class Load:
    """What the engine obeys: the phases of this worker's shard and what a row carries."""

    spans: tuple[PhaseSpan, ...]
    invocation: Callable[[int], Invocation]  # of the row at this index
    limits: Limits
    retry: Retry
    jitter: np.random.Generator  # for the backoff between attempts
    patience_s: float  # a closed phase without an end for this long gives up
    reached: Callable[[int], None] = lambda _row: None  # called with each row before it is sent
    refused: Callable[[Event], None] = lambda _event: None  # called with each try that is tried again
    think_ns: Sequence[int] = ()  # of the shard, by row; see `Schedule`
    stops: Sequence[tuple[Phase, PhaseSpan]] = ()  # the phases that end the sending by themselves
    on_seen: Callable[[SeenWindow], None] | None = None  # of their windows, see `Stopping`


@dataclass(frozen=True, slots=True)
class _Tried:
    """One try of a request, the `attempt`-th from 1."""

    answer: Answer
    attempt: int
    sent_ns: int
    now_ns: int  # when its answer was there, or was given up


class Engine:
    """Submits one shard's rows; the tracker is given every event.

    `phase_index` is the phase being sent, for the live view.
    """

    def __init__(self, load: Load, tracker: Tracker, transport: Transport, clock: Clock, control: Control) -> None:
        self.load, self.tracker, self.transport = load, tracker, transport
        self.clock, self.control = clock, control
        self.phase_index = 0
        self._submit_now = (
            transport.promptly(self._leaving, self._ended) if isinstance(transport, PromptTransport) else None
        )
        self._requests: anyio.abc.TaskGroup  # of those that have a task, while `submit_all` runs
        self._retrying = Retrying(load.retry, load.jitter)
        self._in_flight = self._n_submitted = 0
        self._n_prompt = 0  # of those in flight, how many have no task
        self._all_answered: anyio.Event | None = None  # of those, once nothing more is sent
        self._is_over_at_once = False  # cancelled: what comes is no longer taken
        self._places: Places | None = None  # of the closed phase being sent
        self._in_flight_max = load.limits.in_flight
        self._requests_max = sys.maxsize if load.limits.requests is None else load.limits.requests
        self._limit_ns = sys.maxsize if load.limits.time is None else round(load.limits.time * 1e9)
        tracker.on_resolved = self._resolved

    async def submit_all(self) -> None:
        """Send every row of the shard, or stop at a limit; return when all that was sent has been answered."""
        try:
            async with anyio.create_task_group() as self._requests:
                async with anyio.create_task_group() as pacing:
                    pacing.start_soon(self._end_when_stopped, pacing.cancel_scope)
                    if self.load.limits.time is not None:
                        pacing.start_soon(self._stop_at, self._limit_ns)
                    if self.load.stops:
                        end_ns = max(span.end_ns or span.start_ns for span in self.load.spans)
                        ledger, on_seen = self.tracker.ledger, self.load.on_seen
                        stopping = Stopping(self.load.stops, end_ns, ledger, self.clock, self.control, on_seen)
                        pacing.start_soon(stopping.run)
                    await self._pace()
                    pacing.cancel_scope.cancel()
                if self._n_prompt:
                    self._all_answered = anyio.Event()
                    await self._all_answered.wait()
        finally:
            self._is_over_at_once = True
        why = self.control.why_not_sent or (NotSent.REQUEST_LIMIT if self._is_over else NotSent.PHASE_ENDED)
        self.tracker.rest_not_sent(range(self.tracker.ledger.n), why, self.control.stop_reason)

    async def _pace(self) -> None:
        for span in self.load.spans:
            if self._is_over:
                return
            self.phase_index = span.index
            await self.clock.sleep_until_ns(span.start_ns)
            rows = self.tracker.ledger.rows_of_phase(span.index)
            if span.outstanding is None:
                await self._pace_open(rows)
            else:
                await self._pace_closed(rows, span)
            if span.end_ns is not None:
                await self.clock.sleep_until_ns(span.end_ns)

    async def _pace_open(self, rows: range) -> None:
        sched_ns, state, clock = self.tracker.ledger.sched_ns, self.tracker.ledger.state, self.clock
        now_ns = clock.now_ns()
        for index in rows:
            if state[index] != _SCHEDULED:  # of a run taken up: sent, or perhaps sent, before
                continue
            if sched_ns[index] >= self._limit_ns:
                await self.control.wait_stopped()
            if now_ns < sched_ns[index]:
                await clock.sleep_until_ns(sched_ns[index])
                now_ns = clock.now_ns()
            if self._is_over:
                return
            if self._in_flight >= self._in_flight_max:
                await clock.settle()
            self._submit_or_drop(index)
            if index % _YIELD_EVERY == 0 and now_ns > sched_ns[index]:
                await anyio.lowlevel.checkpoint()

    async def _pace_closed(self, rows: range, span: PhaseSpan) -> None:
        ledger, begin_ns = self.tracker.ledger, max(span.start_ns, self.clock.now_ns())
        joins_ns = span.joins_ns or (0,) * (span.outstanding or 0)
        n_waiting = ledger.state.count(State.WAITING, rows.start, rows.stop)  # of a run taken up: they hold places
        free_ns = [max(begin_ns, span.start_ns + join_ns) for join_ns in joins_ns[n_waiting:]]
        think_ns = self.load.think_ns[rows.start : rows.stop]
        self._places = places = Places(free_ns, think_ns, self.clock, self.load.patience_s)
        try:
            for index in (row for row in rows if ledger.state[row] == State.SCHEDULED):
                free_since_ns = await places.take(span.end_ns)
                if self._is_over or self.clock.now_ns() >= self._limit_ns:
                    return
                if free_since_ns is None:  # noted now, so that it is known of a run that a later phase stops
                    self.tracker.rest_not_sent(range(index, rows.stop), NotSent.PHASE_ENDED)
                    return
                if self._in_flight >= self._in_flight_max:
                    await self.clock.settle()
                self.tracker.release(index, free_since_ns)
                self._submit_or_drop(index)
                if index % _YIELD_EVERY == 0 and self.clock.now_ns() > free_since_ns:
                    await anyio.lowlevel.checkpoint()
        finally:
            self._places = None

    def _resolved(self, index: int) -> None:
        if self._places is not None and self.tracker.ledger.phase[index] == self.phase_index:
            self._places.freed()

    def _submit_or_drop(self, index: int) -> None:
        if self._in_flight >= self._in_flight_max:
            self.tracker.not_sent(index, NotSent.IN_FLIGHT_LIMIT)
            self._resolved(index)
            return
        self._in_flight += 1
        self._n_submitted += 1
        self.load.reached(index)
        if self._submit_now is None or not self._submit_now(index):
            self._requests.start_soon(self._submit, index)

    def _leaving(self, index: int) -> Invocation:
        """A prompt transport is about to write the request of this row."""
        invocation = self.load.invocation(index)
        self._n_prompt += 1
        self.tracker.sent(index, self.clock.now_ns())
        return invocation

    def _ended(self, index: int, answer: Answer) -> None:
        """The answer to a request without a task is there."""
        if self._is_over_at_once:
            return
        self._n_prompt -= 1
        try:
            now_ns = self.clock.now_ns()
            if isinstance(answer, _GOOD) or not self._is_tried_again(index, answer, now_ns):
                self._in_flight -= 1
                self._take(index, now_ns, answer)
        except BaseException as error:  # noqa: BLE001  # it is the run's, and not the loop's that calls here
            self._requests.start_soon(_fail, error)
        if not self._n_prompt and self._all_answered is not None:
            self._all_answered.set()

    def _is_tried_again(self, index: int, answer: Answer, now_ns: int) -> bool:
        """Whether a task now tries a refused request again."""
        tried = _Tried(answer, 1, self.tracker.ledger.send_ns[index], now_ns)
        again = self._after(tried)
        if again is None:
            return False
        self._requests.start_soon(self._attempt, index, tried, again)
        return True

    async def _submit(self, index: int) -> None:
        if self.control.is_stopped:  # between being started and its first instruction: nothing was sent
            self._in_flight -= 1
            return
        await self._attempt(index)

    async def _attempt(self, index: int, tried: _Tried | None = None, again: Again | None = None) -> None:
        """Try until there is an answer.

        Args:
            tried: A prompt try that was refused; None: this is the first.
            again: What follows it.
        """
        paid = None
        try:
            invocation = self.load.invocation(index)
            while tried is None or again is not None:
                if tried is not None and again is not None:
                    if not await self._goes_on(index, tried, again):
                        break
                    paid = again
                tried = await self._try(index, invocation, 1 if tried is None else tried.attempt + 1)
                again = self._after(tried)
        finally:
            self._in_flight -= 1
        self._take(index, tried.now_ns, tried.answer, paid)

    async def _goes_on(self, index: int, tried: _Tried, again: Again) -> bool:
        """Pause before the next try; False: the sending was stopped meanwhile, and the refusal is the answer."""
        next_ns = tried.now_ns + round(again.pause_s * 1e9)
        try:
            await self.clock.sleep_until_ns(next_ns)
        except anyio.get_cancelled_exc_class():  # nothing is under way: what became of the last try is known
            self._take(index, tried.now_ns, tried.answer)
            raise
        if self.control.is_stopped:
            return False
        self.load.refused(self._refusal(index, tried, next_ns))
        return True

    async def _try(self, index: int, invocation: Invocation, attempt: int) -> _Tried:
        sent_ns = self.clock.now_ns()
        self.tracker.sent(index, sent_ns)
        answer: Answer
        try:
            answer = await self.transport.submit(invocation)
        except (Rejected, Unacknowledged) as refusal:
            answer = refusal
        return _Tried(answer, attempt, sent_ns, self.clock.now_ns())

    def _after(self, tried: _Tried) -> Again | None:
        """The next try of a request; None: that was its answer."""
        if isinstance(tried.answer, _GOOD) or self.control.is_stopped:
            return None
        return self._retrying.after(tried.answer, tried.attempt)

    def _refusal(self, index: int, tried: _Tried, next_ns: int) -> Event:
        if isinstance(tried.answer, Rejected):
            cause = tried.answer.code
            state = "throttled" if is_throttle(cause) else "refused"
        else:
            assert isinstance(tried.answer, Unacknowledged), "a good answer is not a refusal"
            state, cause = "unanswered", tried.answer.cause
        return Event(
            kind=RETRY,
            name=self.tracker.ledger.inference_id(index),
            at_ns=tried.sent_ns,
            seen_ns=tried.now_ns,
            state=state,
            end_ns=next_ns,
            cause=cause,
            detail={"attempt": tried.attempt},
        )

    def _take(self, index: int, now_ns: int, answer: Answer, paid: Again | None = None) -> None:
        if isinstance(answer, Accepted):
            self._retrying.good(paid)
            self.tracker.accepted(index, now_ns, answer)
        elif isinstance(answer, Answered):
            self._retrying.good(paid)
            self.tracker.answered(index, now_ns, answer)
        elif isinstance(answer, Rejected):
            self.tracker.rejected(index, now_ns, answer)
        else:
            self.tracker.unacknowledged(index, now_ns, answer)
        if self.load.limits.errors is not None:
            self._watch_errors()

    # ---- stopping ---------------------------------------------------------------------------------------------

    @property
    def _is_over(self) -> bool:
        return self.control.is_stopped or self._n_submitted >= self._requests_max

    async def _end_when_stopped(self, pacing: anyio.CancelScope) -> None:
        await self.control.wait_stopped()
        pacing.cancel()

    async def _stop_at(self, limit_ns: int) -> None:
        await self.clock.sleep_until_ns(limit_ns)
        self.control.stop(NotSent.TIME_LIMIT)

    def _watch_errors(self) -> None:
        tracker = self.tracker
        if why := self.load.limits.broken_by(tracker.n_bad_answers, tracker.n_answers):
            self.control.stop(NotSent.ERROR_LIMIT, why)


async def _fail(error: BaseException) -> None:
    raise error
