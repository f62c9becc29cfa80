"""Correlates notices and answers with requests: what is known of every request, whatever the order of the news.

Theory of operation. Two rules: everything that changes a row's state is in this file, and nothing here waits or
reads a clock; instants are handed in. News of one request comes from four sides: the engine (due, sent, answered), the
queue (notices, in any order: before the answer, twice, late, never), S3 after the drain (outputs), and the end of the
run. A row moves only forward:

    SCHEDULED -> NOT_SENT
    SCHEDULED -> IN_FLIGHT -> WAITING | REJECTED | TRANSPORT_ERROR
    IN_FLIGHT -> COMPLETED | FAILED                                                       (a synchronous answer)
    IN_FLIGHT | WAITING | REJECTED | TRANSPORT_ERROR -> COMPLETED | FAILED | EXPIRED | UNKNOWN_END  (notice, output)
    UNKNOWN_END -> COMPLETED | FAILED | EXPIRED                                                      (a later notice)
    WAITING -> LOST | PENDING                                                                        (the run is over)

When a run that was killed is taken up again, its rows begin where a new run's never are:

    SCHEDULED -> UNPROVEN -> COMPLETED | FAILED | EXPIRED | UNKNOWN_END         (may have been sent; a notice proves it)
    PENDING -> WAITING, NOT_SENT -> SCHEDULED                                   (its end, or its turn, may still come)

`ledger.MOVES` is the same as a table, and any other move raises.
A notice is proof that the endpoint took the request, whatever the answer said or did not say; so a transport error
becomes accepted when its notice comes. The first notice decides, unless it names a status that we do not know; later
ones only count.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from smbench.generator.tracking.ledger import (
    END_FROM_ANSWER,
    END_FROM_NOTICE,
    END_FROM_OUTPUT,
    ENDS,
    MOVES,
    NEVER_SENT,
    NO_INSTANT,
    OPEN,
    OUTCOME_OF,
    STATE_OF,
    UNANSWERED,
    WHY_NOT_SENT,
    WRONG_ANSWER,
    Ledger,
    State,
)
from smbench.records import Accepted, Answered, Notice, NotSent, Outcome, OutputFound, Rejected, Unacknowledged
from smbench.snapshot import Durations, LogHistogram

# Plain numbers: to look one up in its enum costs as much as to compare it, several times a request.
_SCHEDULED, _IN_FLIGHT, _WAITING = int(State.SCHEDULED), int(State.IN_FLIGHT), int(State.WAITING)
_UNPROVEN, _UNKNOWN_END = int(State.UNPROVEN), int(State.UNKNOWN_END)
_COMPLETED = Outcome.COMPLETED
_NOT_OURS = NEVER_SENT - {State.UNPROVEN}
_SECOND_NS = 1_000_000_000

_MAY_GO = tuple(MOVES[state] for state in State)  # by number: looked up several times a request
_WHY_NUMBER = {why: number for number, why in enumerate(WHY_NOT_SENT, 1)}
_WRONG_NUMBER = {wrong: number for number, wrong in enumerate(WRONG_ANSWER, 1)}
_WAS_TO_BE_SENT = frozenset({_WHY_NUMBER[NotSent.STOPPED], _WHY_NUMBER[NotSent.RUN_ENDED]})


class Match(StrEnum):
    """What a notice turned out to be."""

    FIRST = "first"
    DUPLICATE = "duplicate"
    FOREIGN = "foreign"  # not our id, or an id we never sent


class Tracker:
    """The state machine over one ledger.

    Args:
        ledger: Its rows are changed here and nowhere else. New, or restored from what an earlier tracker left.
        on_resolved: Called with a row's index when nothing more holds its place in a closed loop: it ended, was
            rejected, or its answer was lost.
    """

    def __init__(self, ledger: Ledger, on_resolved: Callable[[int], None] = lambda _index: None) -> None:
        self.ledger, self.on_resolved = ledger, on_resolved
        self.counts: dict[int, int] = {state: ledger.state.count(state) for state in State}
        self.n_sent = ledger.n - sum(self.counts[state] for state in NEVER_SENT)
        self.n_accepted, self.n_notices = ledger.accepted_rows(), sum(ledger.notices)
        self.n_dropped = ledger.why_not_sent.count(_WHY_NUMBER[NotSent.IN_FLIGHT_LIMIT])
        self.n_duplicates = self.n_foreign = 0  # since this tracker began
        is_answered, is_failed = (
            np.asarray(ledger.end_from) == END_FROM_ANSWER,
            np.asarray(ledger.state) == State.FAILED,
        )
        self._n_failed_answers = int(np.count_nonzero(is_answered & is_failed))
        self.errors: dict[str, int] = {}
        self._sojourn, self._schedule_lag, self._ack, self._hearing = (Durations() for _ in range(4))
        self._phases = [ledger.rows_of_phase(index) for index in range(len(ledger.phase_names))]
        self.longest_service_view_ns = 0
        self.last_unknown_send_ns: int | None = None

    # ---- the engine's news ------------------------------------------------------------------------------------

    def release(self, index: int, at_ns: int) -> None:
        """A closed loop makes the row due now."""
        self.ledger.sched_ns[index] = at_ns

    def not_sent(self, index: int, why: NotSent, reason: str = "") -> None:
        """The request is never submitted; `reason` says it to a person with numbers or names."""
        self._move(index, State.NOT_SENT)
        self.n_dropped += why is NotSent.IN_FLIGHT_LIMIT
        self.ledger.why_not_sent[index] = _WHY_NUMBER[why]
        self.ledger.error[index] = self.ledger.words.index(reason or why.text)

    def rest_not_sent(self, rows: range, why: NotSent, reason: str = "") -> None:
        """As `not_sent`, of those of these rows that are still to be sent; of a million within milliseconds."""
        ledger, part = self.ledger, slice(rows.start, rows.stop)
        is_left = np.asarray(ledger.state)[part] == _SCHEDULED
        if not (n := int(np.count_nonzero(is_left))):
            return
        self.counts[_SCHEDULED] -= n
        self.counts[State.NOT_SENT] += n
        values = {
            "state": State.NOT_SENT,
            "why_not_sent": _WHY_NUMBER[why],
            "error": ledger.words.index(reason or why.text),
            "is_changed": 1,
        }
        for name, value in values.items():
            np.asarray(getattr(ledger, name))[part][is_left] = value

    def sent(self, index: int, send_ns: int) -> None:
        """An attempt begins. Entered before the bytes leave: a notice cannot come too early."""
        ledger = self.ledger
        if ledger.state[index] == _SCHEDULED:
            self._move(index, _IN_FLIGHT)
            self.n_sent += 1
            ledger.send_ns[index] = send_ns
            self._schedule_lag.keep(send_ns - ledger.sched_ns[index])
        ledger.attempts[index] += 1
        ledger.is_changed[index] = 1

    def accepted(self, index: int, ack_ns: int, answer: Accepted) -> None:
        """The endpoint answered 202. A notice may have come before it."""
        ledger = self.ledger
        self._answered(index, ack_ns, answer.status_code)
        if ledger.state[index] == _IN_FLIGHT:
            self._move(index, _WAITING)
            ledger.locations.learn(index, answer.output_location, answer.failure_location)
        else:
            ledger.locations.learn_output(index, answer.output_location)
        if not ledger.is_accepted[index]:
            self._prove_accepted(index)

    def answered(self, index: int, ack_ns: int, answer: Answered) -> None:
        """A synchronous endpoint answered: accepted and over at once, by our own clock."""
        self._answered(index, ack_ns, answer.status_code)
        if self.ledger.state[index] == _IN_FLIGHT:
            if answer.failure_reason:
                self._fault(index, answer.failure_reason)
            self._n_failed_answers += answer.outcome is Outcome.FAILED
            if answer.size_bytes is not None:
                self.ledger.answer_bytes[index] = answer.size_bytes
            if answer.variant is not None:
                self.ledger.note_variant(index, answer.variant)
            if answer.parts is not None:
                self.ledger.note_parts(index, answer.parts)
            if answer.wrong is not None:
                self.ledger.wrong[index] = _WRONG_NUMBER[answer.wrong]
            self._ended(index, answer.outcome, ack_ns, ack_ns, end_from=END_FROM_ANSWER)

    def rejected(self, index: int, ack_ns: int, refusal: Rejected) -> None:
        """The endpoint answered with an error, after the last attempt."""
        self._answered(index, ack_ns, refusal.status_code)
        self._bad_answer(index, refusal.reason)
        if self.ledger.state[index] == State.IN_FLIGHT:
            self._move(index, State.REJECTED)
            self.on_resolved(index)

    def unacknowledged(self, index: int, ack_ns: int, loss: Unacknowledged) -> None:
        """No answer came: whether the endpoint has the request is unknown until a notice or an output proves it."""
        self.ledger.ack_ns[index] = ack_ns
        self.ledger.is_changed[index] = 1
        self._bad_answer(index, loss.cause)
        if self.ledger.state[index] == State.IN_FLIGHT:
            self._move(index, State.TRANSPORT_ERROR)
            self._remember_unknown(self.ledger.send_ns[index])
            self.on_resolved(index)

    # ---- the queue's news -------------------------------------------------------------------------------------

    def noticed(self, notice: Notice, seen_ns: int) -> Match:
        """Take one notice, in any order and as often as it comes."""
        ledger, epoch_ns = self.ledger, self.ledger.epoch_ns
        index = ledger.row_of(notice.inference_id)
        if index is None or (was := ledger.state[index]) in _NOT_OURS:
            self.n_foreign += 1
            return Match.FOREIGN
        self.n_notices += 1
        ledger.notices[index] += 1
        ledger.is_changed[index] = 1
        if STATE_OF[notice.outcome] not in _MAY_GO[was]:
            self.n_duplicates += 1
            return Match.DUPLICATE
        recv_utc_ns, pub_utc_ns, done_utc_ns = notice.recv_utc_ns, notice.pub_utc_ns, notice.done_utc_ns
        ledger.recv_ns[index] = NO_INSTANT if recv_utc_ns is None else recv_utc_ns - epoch_ns
        ledger.pub_ns[index] = NO_INSTANT if pub_utc_ns is None else pub_utc_ns - epoch_ns
        done_ns = NO_INSTANT if done_utc_ns is None else done_utc_ns - epoch_ns
        ledger.locations.learn_output(index, notice.output_location)
        if notice.failure_reason:
            self._fault(index, notice.failure_reason)
        elif was == _UNKNOWN_END:
            ledger.error[index] = 0  # it named the unknown status
        self._ended(index, notice.outcome, done_ns, seen_ns, end_from=END_FROM_NOTICE)
        return Match.FIRST

    # ---- after the drain --------------------------------------------------------------------------------------

    def waiting(self) -> list[int]:
        """Rows that were accepted and whose end is not known."""
        return self.ledger.in_state(State.WAITING)

    def locations(self, index: int) -> tuple[str | None, str | None]:
        """Where the result of a waiting row would be, and where its error would be."""
        return self.ledger.locations.output(index), self.ledger.locations.failure(index)

    def found(self, index: int, output: OutputFound, seen_ns: int, *, is_watched: bool = False) -> None:
        """Its output is in S3: it ended, though no notice came. A notice since then has priority.

        Args:
            is_watched: It was looked for all along, so that it was seen soon after its end.
        """
        if self.ledger.state[index] == State.WAITING:
            if output.failure_reason:
                self._fault(index, output.failure_reason)
            done_ns = output.done_utc_ns - self.ledger.epoch_ns
            self._ended(index, output.outcome, done_ns, seen_ns, end_from=END_FROM_OUTPUT)
            if is_watched:
                self._hearing.keep(max(0, seen_ns - done_ns))
                if output.outcome is _COMPLETED:  # at the end of its second, as the report takes it
                    self._sojourn.keep(min(done_ns + _SECOND_NS, seen_ns) - self.ledger.sched_ns[index])

    def close(self, now_ns: int, longest_life_ns: int) -> None:
        """The run is over: give every row its last state.

        Args:
            now_ns: The end.
            longest_life_ns: Time to live plus time-out: what waits longer is lost, what waits less is pending.
        """
        self.rest_not_sent(range(self.ledger.n), NotSent.RUN_ENDED)
        for index, state in enumerate(self.ledger.state):
            if state == State.IN_FLIGHT:
                self._fault(index, UNANSWERED)
                self._move(index, State.TRANSPORT_ERROR)
            elif state == State.WAITING:
                age_ns = now_ns - self.ledger.send_ns[index]
                self._move(index, State.LOST if age_ns > longest_life_ns else State.PENDING)

    # ---- a run that is taken up again -------------------------------------------------------------------------

    def take_up(self, may_be_sent: Sequence[bool], *, sends: bool, given_up_ns: int | None = None) -> None:
        """Put the rows of a ledger that a killed run left where this run can go on from.

        Args:
            may_be_sent: By row, whether it may have left although no file says so.
            sends: What was certainly not sent is scheduled again; else it is closed.
            given_up_ns: Until when calls that bring their own answer were waited for; None: ends come otherwise.
        """
        ledger = self.ledger
        for index, state in enumerate(ledger.state):
            if state == _SCHEDULED and may_be_sent[index]:
                self._move(index, State.UNPROVEN)
                self._remember_unknown(ledger.sched_ns[index])
            elif state == _SCHEDULED and not sends:
                self.not_sent(index, NotSent.RUN_ENDED)
            elif state == _IN_FLIGHT:
                if given_up_ns is not None:
                    ledger.ack_ns[index] = max(given_up_ns, ledger.send_ns[index])
                self._fault(index, UNANSWERED)
                self._move(index, State.TRANSPORT_ERROR)
                self._remember_unknown(ledger.send_ns[index])
            elif state == State.TRANSPORT_ERROR:  # its notice may be what the killed worker had received last
                self._remember_unknown(ledger.send_ns[index])
            elif state == State.PENDING:
                self._move(index, _WAITING)
            elif state == State.NOT_SENT and sends and ledger.why_not_sent[index] in _WAS_TO_BE_SENT:
                self._move(index, _SCHEDULED)
                ledger.why_not_sent[index] = ledger.error[index] = 0
        send_ns, done_ns = np.asarray(ledger.send_ns), np.asarray(ledger.done_ns)
        is_told = (np.asarray(ledger.end_from) == END_FROM_NOTICE) & (send_ns != NO_INSTANT) & (done_ns != NO_INSTANT)
        self.longest_service_view_ns = int((done_ns - send_ns)[is_told].max(initial=0))

    def postpone(self, by_ns: int, resume: int) -> None:
        """What is still to be sent is due so much later, and says in which resume it is sent, from 1."""
        ledger = self.ledger
        for index in ledger.in_state(State.SCHEDULED):
            if ledger.sched_ns[index] != NO_INSTANT:
                ledger.sched_ns[index] += by_ns
            ledger.resume[index] = resume
            ledger.changed(index)

    def _remember_unknown(self, at_ns: int) -> None:
        self.last_unknown_send_ns = max(at_ns, self.last_unknown_send_ns or 0)

    # ---- what may be read at any time -------------------------------------------------------------------------

    @property
    def schedule_lag(self) -> LogHistogram:
        """From due to sent."""
        return self._schedule_lag.histogram

    @property
    def ack(self) -> LogHistogram:
        """From sent to answered."""
        return self._ack.histogram

    @property
    def sojourn(self) -> LogHistogram:
        """From due to done, of the completed."""
        return self._sojourn.histogram

    @property
    def hearing(self) -> LogHistogram:
        """From done to noticed."""
        return self._hearing.histogram

    def settle(self) -> None:
        """Count the durations kept so far; to be called now and then, whether or not anybody asks for them."""
        for durations in (self._schedule_lag, self._ack, self._sojourn, self._hearing):
            durations.settle()

    @property
    def n_in_flight(self) -> int:
        """Rows that are submitted and have no answer yet."""
        return self.counts[State.IN_FLIGHT]

    @property
    def backlog(self) -> int:
        """Accepted and not yet ended."""
        return self.counts[State.WAITING]

    @property
    def n_answers(self) -> int:
        """Submissions that were answered or given up: the denominator of the error share."""
        return self.n_sent - self.n_in_flight

    @property
    def n_bad_answers(self) -> int:
        """Of those, the errors: of the service, of the connection, and of the container where the call brings them."""
        return self.counts[State.REJECTED] + self.counts[State.TRANSPORT_ERROR] + self._n_failed_answers

    @property
    def n_unknown(self) -> int:
        """Sent or perhaps sent, and no answer is known: a notice may still prove some of them accepted."""
        return self.counts[State.TRANSPORT_ERROR] + self.counts[State.UNPROVEN]

    def n_due(self, now_ns: int) -> int:
        """How many rows were due by now. Within a phase instants ascend; those not released come last."""

        def key(due_ns: int) -> int:
            return due_ns if due_ns != NO_INSTANT else now_ns + 1

        sched_ns = self.ledger.sched_ns
        return sum(bisect_right(sched_ns, now_ns, at.start, at.stop, key=key) - at.start for at in self._phases)

    def oldest_sched_ns(self) -> int | None:
        """When the oldest request of the backlog was due; None when the backlog is empty."""
        # A search through bytes: 30 us for a million rows, wherever the oldest is, so it need not be remembered.
        index = self.ledger.state.find(State.WAITING)
        return None if index < 0 else self.ledger.sched_ns[index]

    def outcomes(self) -> dict[Outcome, int]:
        """Counts of the rows that have ended so far."""
        return {OUTCOME_OF[state]: n for state in State if state not in OPEN and (n := self.counts[state])}

    def violations(self) -> list[str]:
        """Where the ledger's law does not hold between the counters and the rows; empty when all is well."""
        counts = self.counts
        accepted_rows = self.ledger.accepted_rows()
        unsent = sum(counts[state] for state in NEVER_SENT)
        refused = counts[State.REJECTED] + counts[State.TRANSPORT_ERROR]
        ended = sum(counts[state] for state in (*ENDS, State.LOST, State.PENDING, State.WAITING))
        # Between a notice and its answer a row is both answered for and in flight; its state says ended.
        laws = {
            "scheduled = not_sent + sent": (self.ledger.n, unsent + self.n_sent),
            "sent = accepted + rejected + transport_error": (
                self.n_sent,
                ended + refused + counts[State.IN_FLIGHT],
            ),
            "accepted = completed + failed + expired + unknown_end + lost + pending": (accepted_rows, ended),
            "accepted rows = accepted counter": (accepted_rows, self.n_accepted),
        }
        return [f"{law}: {left} is not {right}" for law, (left, right) in laws.items() if left != right]

    # ---- moves ------------------------------------------------------------------------------------------------

    def _move(self, index: int, state: int) -> None:
        ledger = self.ledger
        was = ledger.state[index]
        if state not in _MAY_GO[was]:
            raise AssertionError(f"row {index} cannot go from {State(was).name} to {State(state).name}")
        counts = self.counts
        counts[was] -= 1
        counts[state] += 1
        ledger.state[index] = state
        ledger.is_changed[index] = 1

    def _answered(self, index: int, ack_ns: int, status_code: int) -> None:
        ledger = self.ledger
        ledger.ack_ns[index] = ack_ns
        ledger.status_code[index] = status_code
        ledger.is_changed[index] = 1
        self._ack.keep(ack_ns - ledger.send_ns[index])

    def _fault(self, index: int, error: str) -> None:
        self.ledger.error[index] = self.ledger.words.index(error)
        self.errors[error] = self.errors.get(error, 0) + 1

    def _bad_answer(self, index: int, error: str) -> None:
        """Why an end came that its notice has reported already says more than what its call came to."""
        of_end = self.ledger.error[index]
        self._fault(index, error)
        self.ledger.error[index] = of_end or self.ledger.error[index]

    def _prove_accepted(self, index: int) -> None:
        self.ledger.is_accepted[index] = 1
        self.n_accepted += 1

    def _ended(self, index: int, outcome: Outcome, done_ns: int, seen_ns: int, *, end_from: int) -> None:
        ledger = self.ledger
        was = ledger.state[index]
        ledger.locations.forget_failure(index)
        if not ledger.is_accepted[index]:
            self._prove_accepted(index)
        if was == _UNPROVEN:  # when it was sent is not known, that it was is
            self.n_sent += 1
            ledger.attempts[index] = 1
        self._move(index, STATE_OF[outcome])
        ledger.done_ns[index], ledger.seen_ns[index], ledger.end_from[index] = done_ns, seen_ns, end_from
        if done_ns != NO_INSTANT and end_from != END_FROM_OUTPUT:
            if end_from == END_FROM_NOTICE:
                self._hearing.keep(seen_ns - done_ns)
            send_ns, sched_ns = ledger.send_ns[index], ledger.sched_ns[index]
            if send_ns != NO_INSTANT and done_ns - send_ns > self.longest_service_view_ns:
                self.longest_service_view_ns = done_ns - send_ns
            if outcome is _COMPLETED and sched_ns != NO_INSTANT:
                self._sojourn.keep(done_ns - sched_ns)
        if was in (_IN_FLIGHT, _WAITING):
            self.on_resolved(index)
