"""Whatever the order in which news comes, every request is in exactly one place and the places add up.

Method: a hypothesis state machine drives the tracker with sends, answers of both kinds, refusals, losses and notices in
any order SQS can produce (before the answer, twice, late, never, foreign); after each step the ledger's law is checked,
and a plain reference says what each row must have become.
"""

from collections.abc import Iterable

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from polars.testing import assert_frame_equal

from doubles import RUN, content, ledger, written
from smbench.generator.tracking.ledger import MOVES, NO_INSTANT, State, Versions
from smbench.generator.tracking.rows import requests_frame, restore
from smbench.generator.tracking.tracker import Match, Tracker
from smbench.records import ENDED, Accepted, Answered, Notice, NotSent, Outcome, OutputFound, Rejected, Unacknowledged

ENDS = st.sampled_from([Outcome.COMPLETED, Outcome.FAILED, Outcome.EXPIRED, Outcome.UNKNOWN_END])
N = 6
ROWS = st.integers(0, N - 1)


class AnyOrder(RuleBasedStateMachine):
    """`expected` is the reference: the state each row must be in."""

    def __init__(self) -> None:
        super().__init__()
        self.resolved: list[int] = []
        self.tracker = Tracker(ledger([n * 1000 for n in range(N)]), self.resolved.append)
        self.expected = [State.SCHEDULED] * N
        self.unanswered: set[int] = set()
        self.dropped: set[int] = set()  # at our own limit: its turn is over
        self.submitted: set[int] = set()  # ever, whatever the files say of it
        self.rows_on_disk, self.on_disk = written(self.tracker.ledger), list(self.expected)
        self.now_ns = 0

    def later(self) -> int:
        self.now_ns += 1000
        return self.now_ns

    @rule(row=ROWS)
    def send(self, row: int) -> None:
        if self.expected[row] is State.SCHEDULED:
            assert row not in self.submitted, "nothing is sent twice, not even after a kill"
            self.submitted.add(row)
            self.tracker.sent(row, self.later())
            self.expected[row] = State.IN_FLIGHT
            self.unanswered.add(row)

    @rule(row=ROWS)
    def send_again(self, row: int) -> None:
        if row in self.unanswered:
            self.tracker.sent(row, self.later())

    @rule(row=ROWS)
    def drop(self, row: int) -> None:
        if self.expected[row] is State.SCHEDULED:
            self.tracker.not_sent(row, NotSent.IN_FLIGHT_LIMIT)
            self.dropped.add(row)
            self.expected[row] = State.NOT_SENT

    @rule(row=ROWS, kind=st.sampled_from(["accepted", "completed", "failed", "rejected", "lost"]))
    def answer(self, row: int, kind: str) -> None:
        if row not in self.unanswered:
            return
        self.unanswered.discard(row)
        if kind == "accepted":
            self.tracker.accepted(row, self.later(), Accepted("s3://b/out"))
        elif kind == "completed":
            self.tracker.answered(row, self.later(), Answered())
        elif kind == "failed":
            self.tracker.answered(row, self.later(), Answered(Outcome.FAILED, 424, "ModelError 500: no"))
        elif kind == "rejected":
            self.tracker.rejected(row, self.later(), Rejected(400, "ThrottlingException"))
        else:
            self.tracker.unacknowledged(row, self.later(), Unacknowledged("read timeout"))
        if self.expected[row] is State.IN_FLIGHT:
            become = {
                "accepted": State.WAITING,
                "completed": State.COMPLETED,
                "failed": State.FAILED,
                "rejected": State.REJECTED,
                "lost": State.TRANSPORT_ERROR,
            }
            self.expected[row] = become[kind]

    @rule(row=ROWS, outcome=ENDS)
    def notice(self, row: int, outcome: Outcome) -> None:
        match = self.tracker.noticed(Notice(f"{RUN}-0-{row}", outcome, 1000, 2000, 3000), self.later())
        was = self.expected[row]
        if was in (State.SCHEDULED, State.NOT_SENT):
            assert match is Match.FOREIGN
        elif was is State.UNPROVEN:
            assert match is Match.FIRST
            self.expected[row] = State[outcome.name]
            self.submitted.add(row)
        elif was in (State.COMPLETED, State.FAILED, State.EXPIRED, State.LOST, State.PENDING):
            assert match is Match.DUPLICATE  # a row that was closed stays as it is
        elif was is State.UNKNOWN_END:  # a status that is known says more
            assert match is (Match.DUPLICATE if outcome is Outcome.UNKNOWN_END else Match.FIRST)
            self.expected[row] = State[outcome.name]
        else:
            assert match is Match.FIRST
            self.expected[row] = State[outcome.name]

    @rule(
        inference_id=st.one_of(
            st.text(max_size=20),
            st.sampled_from([f"{RUN}-0-", f"{RUN}-0-{N}", f"{RUN}-0--1", f"{RUN}-1-0", f"{RUN}-0-00", f"{RUN}-0-²"]),
            # Other spellings of a row's number, and a number without the prefix.
            st.sampled_from(
                [f"{RUN}-0-{digits}" for digits in ("+1", " 1", "1 ", "0_1", "\u0661", "9" * 19, "9" * 5000)]
            ),
            st.just("1"),
        )
    )
    def foreign_notice(self, inference_id: str) -> None:
        notice = Notice(inference_id, Outcome.COMPLETED, 1, 2, 3)
        assert self.tracker.noticed(notice, self.later()) is Match.FOREIGN

    @rule(row=ROWS)
    def output_found(self, row: int) -> None:
        self.tracker.found(row, OutputFound(Outcome.COMPLETED, 5000), self.later())
        if self.expected[row] is State.WAITING:
            self.expected[row] = State.COMPLETED

    @precondition(lambda self: self.now_ns > 20_000)
    @rule(longest_life_ns=st.sampled_from([0, 10**12]))
    def close(self, longest_life_ns: int) -> None:
        self.tracker.close(self.later(), longest_life_ns)
        over = State.LOST if longest_life_ns == 0 else State.PENDING
        become = {
            State.SCHEDULED: State.NOT_SENT,
            State.IN_FLIGHT: State.TRANSPORT_ERROR,
            State.WAITING: over,
        }
        self.expected = [become.get(state, state) for state in self.expected]
        self.unanswered.clear()

    @rule()
    def flush(self) -> None:
        """As the journal does: of the rows that changed, new versions."""
        changed = [requests_frame(versions) for versions in self.tracker.ledger.take_changed()]
        versions = pl.concat([self.rows_on_disk, *changed])
        self.rows_on_disk = versions.unique("seq", keep="last", maintain_order=True).sort("seq")
        self.on_disk = list(self.expected)

    @rule(sends=st.booleans(), given_up_ns=st.one_of(st.none(), st.integers(0, 1000).map(lambda us: us * 1000)))
    def kill_and_resume(self, sends: bool, given_up_ns: int | None) -> None:
        """What no part has is forgotten; the mark says up to which row something may have been sent.

        Instants are whole microseconds, here as above: files have no more.
        """
        last = max(self.submitted, default=-1)
        self.dropped = {row for row in self.dropped if self.on_disk[row] is State.NOT_SENT}
        rows = ledger([n * 1000 for n in range(N)])
        restore(rows, self.rows_on_disk)
        self.resolved.clear()
        self.tracker = Tracker(rows, self.resolved.append)
        self.tracker.take_up([row <= last for row in range(N)], sends=sends, given_up_ns=given_up_ns)
        for row in (row for row, state in enumerate(self.on_disk) if state is State.IN_FLIGHT):
            waited_ns = NO_INSTANT if given_up_ns is None else max(given_up_ns, rows.send_ns[row])
            assert rows.ack_ns[row] == waited_ns
        self.tracker.postpone(1_000_000, 1)
        self.unanswered.clear()
        self.expected = [self._after_kill(row, state, last, sends=sends) for row, state in enumerate(self.on_disk)]
        self.flush()

    def _after_kill(self, row: int, was: State, last: int, *, sends: bool) -> State:
        if was in (State.SCHEDULED, State.UNPROVEN) and row <= last:
            return State.UNPROVEN
        if was is State.SCHEDULED:
            return State.SCHEDULED if sends else State.NOT_SENT
        if was is State.NOT_SENT and sends and row not in self.dropped:
            return State.SCHEDULED
        return {State.IN_FLIGHT: State.TRANSPORT_ERROR, State.PENDING: State.WAITING}.get(was, was)

    @invariant()
    def what_was_sent_is_nowhere_said_not_to_be(self) -> None:
        for row in self.submitted:
            assert self.expected[row] not in (State.NOT_SENT, State.SCHEDULED)

    @invariant()
    def every_row_is_where_the_reference_says(self) -> None:
        assert [State(state) for state in self.tracker.ledger.state] == self.expected

    @invariant()
    def the_places_add_up(self) -> None:
        assert self.tracker.violations() == []
        assert sum(self.tracker.counts.values()) == N

    @rule()
    def what_is_written_makes_the_same_ledger_again(self) -> None:
        self.flush()
        assert_frame_equal(self.rows_on_disk, written(self.tracker.ledger))
        before, after = self.tracker.ledger, ledger([n * 1000 for n in range(N)])
        restore(after, written(before))
        n_unproven = before.state.count(State.UNPROVEN)  # whether it was sent, only the mark says
        told = content(before)
        told["state"] = [State.SCHEDULED if state == State.UNPROVEN else state for state in before.state]
        assert content(after) == told
        follower = Tracker(after)
        assert follower.violations() == []
        counts = {**self.tracker.counts, State.UNPROVEN: 0}
        assert follower.counts == {**counts, State.SCHEDULED: counts[State.SCHEDULED] + n_unproven}

    @invariant()
    def no_row_frees_its_place_twice(self) -> None:
        assert len(self.resolved) == len(set(self.resolved))

    def teardown(self) -> None:
        self.what_is_written_makes_the_same_ledger_again()


AnyOrder.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
test_any_order = pytest.mark.slow(AnyOrder.TestCase)


@pytest.mark.parametrize("was", State, ids=lambda state: state.name)
def test_a_move_that_the_table_does_not_have_is_refused(was: State) -> None:
    for new in set(State) - MOVES[was]:
        tracker = Tracker(ledger([0]))
        tracker.ledger.state[0] = was
        with pytest.raises(AssertionError, match=f"cannot go from {was.name} to {new.name}"):
            tracker._move(0, new)


def test_a_known_status_after_an_unknown_one_says_how_the_request_ended() -> None:
    tracker = sent_tracker()
    unknown = Notice(f"{RUN}-0-0", Outcome.UNKNOWN_END, 1, 20_000_000, 3, failure_reason="status Paused")
    assert tracker.noticed(unknown, 30_000_000) is Match.FIRST
    assert tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 1, 40_000_000, 3), 50_000_000) is Match.FIRST
    assert tracker.outcomes() == {Outcome.COMPLETED: 1}
    assert (tracker.ledger.done_ns[0], tracker.ledger.words[tracker.ledger.error[0]]) == (40_000_000, None)


def frame(lots: Iterable[Versions]) -> pl.DataFrame:
    """All lots as rows."""
    return pl.concat(requests_frame(versions) for versions in lots)


def sent_tracker() -> Tracker:
    tracker = Tracker(ledger([0, 1_000_000_000]))
    tracker.sent(0, 5_000_000)
    return tracker


def test_a_notice_before_the_answer_ends_the_request_and_the_answer_still_counts() -> None:
    tracker = sent_tracker()
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 6_000_000, 9_000_000, None), 9_500_000)
    assert tracker.backlog == 0
    tracker.accepted(0, 10_000_000, Accepted("s3://b/o"))
    assert tracker.counts[State.COMPLETED] == 1
    assert tracker.backlog == 0
    assert (tracker.ledger.status_code[0], tracker.n_accepted) == (202, 1)


def test_a_notice_proves_that_an_unanswered_request_was_accepted() -> None:
    tracker = sent_tracker()
    tracker.unacknowledged(0, 6_000_000, Unacknowledged("connection reset"))
    assert (tracker.n_accepted, tracker.n_unknown) == (0, 1)
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 1, 2, 3), 7_000_000)
    assert (tracker.n_accepted, tracker.n_unknown) == (1, 0)
    assert tracker.ledger.words[tracker.ledger.error[0]] == "connection reset"  # the row keeps what happened


def test_the_notice_of_a_request_without_an_answer_is_waited_for_again_when_its_run_is_taken_up() -> None:
    rows = ledger([0, 5])
    tracker = Tracker(rows)
    tracker.sent(0, 3)
    tracker.unacknowledged(0, 9, Unacknowledged("connection reset"))
    again = Tracker(rows)
    again.take_up([False, False], sends=False)
    assert (again.n_unknown, again.last_unknown_send_ns) == (1, 3)


@pytest.mark.parametrize("is_refused", [True, False], ids=["rejected", "unanswered"])
@pytest.mark.parametrize("outcome", ENDED, ids=str)
def test_a_row_is_the_same_whether_its_notice_or_the_bad_answer_came_first(outcome: Outcome, is_refused: bool) -> None:
    reason = None if outcome is Outcome.COMPLETED else "CUDA out of memory"
    rows = []
    for is_notice_first in (True, False):
        tracker = sent_tracker()
        for is_notice in (is_notice_first, not is_notice_first):
            if is_notice:
                tracker.noticed(Notice(f"{RUN}-0-0", outcome, 1, 2, 3, failure_reason=reason), 8_000_000)
            elif is_refused:
                tracker.rejected(0, 7_000_000, Rejected(400, "ThrottlingException"))
            else:
                tracker.unacknowledged(0, 7_000_000, Unacknowledged("read timeout"))
        rows.append(frame(tracker.ledger.take_changed()))
    assert_frame_equal(*rows)


def test_the_notices_of_the_latest_request_without_an_answer_are_waited_for() -> None:
    tracker = Tracker(ledger([0, 1_000_000_000]))
    tracker.sent(0, 0)
    tracker.sent(1, 1_000_000_000)
    tracker.unacknowledged(1, 2_000_000_000, Unacknowledged("connection reset"))
    tracker.unacknowledged(0, 60_000_000_000, Unacknowledged("read timeout"))
    assert tracker.last_unknown_send_ns == 1_000_000_000


def test_duplicate_notices_count_once_and_the_first_decides() -> None:
    tracker = sent_tracker()
    tracker.accepted(0, 6_000_000, Accepted(None))
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.FAILED, 1, 20_000_000, 3, failure_reason="boom"), 30_000_000)
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 1, 99_000_000, 3), 99_000_000)
    assert tracker.ledger.done_ns[0] == 20_000_000
    assert tracker.ledger.notices[0] == 2
    assert (tracker.counts[State.FAILED], tracker.counts[State.COMPLETED], tracker.n_duplicates) == (1, 0, 1)


def test_latency_counts_from_the_instant_it_was_due_not_from_when_it_was_sent() -> None:
    tracker = Tracker(ledger([0]))
    tracker.sent(0, 500_000_000)  # half a second late
    tracker.accepted(0, 501_000_000, Accepted(None))
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 501_000_000, 1_500_000_000, None), 1_600_000_000)
    assert tracker.sojourn.quantile(1.0) == pytest.approx(1.5, rel=0.02)
    assert tracker.schedule_lag.quantile(1.0) == pytest.approx(0.5, rel=0.02)
    assert tracker.hearing.quantile(1.0) == pytest.approx(0.1, rel=0.02)


def test_a_synchronous_answer_is_the_acceptance_and_the_end_by_our_own_clock() -> None:
    tracker = Tracker(ledger([0, 1_000_000]))
    for row in range(2):
        tracker.sent(row, 5_000_000)
    tracker.answered(0, 805_000_000, Answered())
    tracker.answered(1, 905_000_000, Answered(Outcome.FAILED, 424, "ModelError 500: no"))
    rows = frame(tracker.ledger.take_all())
    assert rows["outcome"].to_list() == ["completed", "failed"]
    assert rows["accepted"].to_list() == [True, True]
    assert rows["status_code"].to_list() == [200, 424]
    assert rows["error"].to_list() == [None, "ModelError 500: no"]
    assert rows["end_from"].to_list() == ["answer", "answer"]
    assert rows["done"].to_list() == rows["ack"].to_list() == rows["seen"].to_list()
    assert rows["recv"].null_count() == rows["pub"].null_count() == 2
    assert tracker.backlog == tracker.n_in_flight == 0
    assert tracker.sojourn.quantile(1.0) == pytest.approx(0.805, rel=0.02)
    assert tracker.hearing.quantile(1.0) is None


def test_the_oldest_age_is_that_of_the_oldest_waiting_request() -> None:
    tracker = Tracker(ledger([0, 10, 20]))
    assert tracker.oldest_sched_ns() is None
    for row in range(3):
        tracker.sent(row, 30)
        tracker.accepted(row, 40, Accepted(None))
    assert tracker.oldest_sched_ns() == 0
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 1, 50, 3), 60)
    assert tracker.oldest_sched_ns() == 10
    tracker.noticed(Notice(f"{RUN}-0-2", Outcome.COMPLETED, 1, 50, 3), 60)
    assert tracker.oldest_sched_ns() == 10


def test_rows_that_were_never_released_do_not_hide_the_oldest_waiting_request() -> None:
    tracker = Tracker(ledger([-1, -1, 10, 20]))  # a closed phase ended by its time, an open one after it
    for row in (2, 3):
        tracker.sent(row, 30)
        tracker.accepted(row, 40, Accepted(None))
    assert tracker.oldest_sched_ns() == 10


def test_a_request_still_unanswered_does_not_hide_the_oldest_waiting_one() -> None:
    tracker = Tracker(ledger([0, 10, 20]))
    for row in range(3):
        tracker.sent(row, 30)
    tracker.accepted(2, 40, Accepted(None))
    assert tracker.oldest_sched_ns() == 20


def test_a_request_whose_end_nobody_told_is_looked_for_where_the_answer_said() -> None:
    tracker = Tracker(ledger([0, 1, 2]))
    for row in range(3):
        tracker.sent(row, 10)
        tracker.accepted(row, 20, Accepted(f"s3://b/out/{row}.out", f"s3://b/fail/{row}-error.out"))
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 1, 50, 3), 60)
    assert tracker.waiting() == [1, 2]
    assert tracker.locations(2) == ("s3://b/out/2.out", "s3://b/fail/2-error.out")


def test_what_an_error_object_says_stands_in_the_row_unless_a_notice_was_first() -> None:
    tracker = Tracker(ledger([0, 1]))
    for row in range(2):
        tracker.sent(row, 10)
        tracker.accepted(row, 20, Accepted("s3://b/o", "s3://b/f"))
    tracker.noticed(Notice(f"{RUN}-0-0", Outcome.COMPLETED, 1, 50, 3), 60)
    for row in range(2):
        tracker.found(row, OutputFound(Outcome.FAILED, 70, "out of memory"), 80)
    rows = frame(tracker.ledger.take_all())
    assert rows["outcome"].to_list() == ["completed", "failed"]
    assert rows["error"].to_list() == [None, "out of memory"]
    assert tracker.errors == {"out of memory": 1}


def test_an_accepted_row_that_no_counter_knows_breaks_the_law() -> None:
    tracker = Tracker(ledger([0, 1, 2]))
    tracker.sent(0, 10)
    tracker.ledger.is_accepted[0] = 1
    assert tracker.violations() == [
        "accepted = completed + failed + expired + unknown_end + lost + pending: 1 is not 0",
        "accepted rows = accepted counter: 1 is not 0",
    ]


def test_the_rows_of_an_unfinished_run_already_obey_the_law() -> None:
    tracker = Tracker(ledger([0, 1, 2, 3]))
    tracker.sent(0, 10)
    tracker.sent(1, 10)
    tracker.accepted(1, 20, Accepted("s3://b/o"))
    tracker.not_sent(2, NotSent.IN_FLIGHT_LIMIT)
    rows = frame(tracker.ledger.take_all())
    assert rows["outcome"].to_list() == ["transport_error", "pending", "not_sent", "unknown"]
    assert rows["accepted"].to_list() == [False, True, False, False]
    assert rows["error"].to_list() == [
        "unanswered when the run ended",
        None,
        "in-flight limit",
        "not known: its worker wrote no more",
    ]
    assert rows["inference_id"].to_list() == ["smb-test-0-0", "smb-test-0-1", None, None]


def test_each_flush_holds_the_rows_that_changed_and_no_others() -> None:
    tracker = Tracker(ledger([0, 1, 2, 3]))
    tracker.sent(2, 10)
    assert frame(tracker.ledger.take_changed())["seq"].to_list() == [2]
    assert list(tracker.ledger.take_changed()) == []
    tracker.accepted(2, 20, Accepted(None))
    assert frame(tracker.ledger.take_changed())["outcome"].to_list() == ["pending"]
