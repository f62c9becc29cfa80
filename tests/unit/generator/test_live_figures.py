"""What the live view shows of a run's durations is what its rows say.

Method: requests with lives of every kind go through the tracker; each live histogram must be the one of the durations
in the written rows, and a tracker that takes the rows up again must know what the first one knew.
"""

from array import array

import anyio
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles import RUN, ledger, written
from smbench.clock import LoopClock
from smbench.generator.receiving.collector import look_up_rest
from smbench.generator.tracking.rows import restore
from smbench.generator.tracking.tracker import Match, Tracker
from smbench.records import Accepted, Answered, Notice, Outcome, OutputFound, Rejected, Unacknowledged
from smbench.snapshot import LogHistogram

MS = 1_000_000
EVERY_MS = 10
LIVES = st.lists(
    st.tuples(
        st.sampled_from(["noticed", "noticed early", "found", "answered", "rejected", "unacknowledged", "waiting"]),
        st.sampled_from([Outcome.COMPLETED, Outcome.FAILED]),
        *[st.integers(0, 5_000)] * 4,  # ms from due to sent, to answered, to done, to seen
    ),
    max_size=12,
)


def lived(lives: list[tuple[str, Outcome, int, int, int, int]]) -> Tracker:
    """A tracker that followed each of them, one request every ten milliseconds."""
    tracker = Tracker(ledger([place * EVERY_MS * MS for place in range(len(lives))]))
    for row, (kind, outcome, lag_ms, ack_ms, done_ms, seen_ms) in enumerate(lives):
        send_ns = (row * EVERY_MS + lag_ms) * MS
        ack_ns = send_ns + ack_ms * MS
        done_ns = ack_ns + done_ms * MS
        seen_ns = done_ns + seen_ms * MS
        tracker.sent(row, send_ns)
        notice = Notice(f"{RUN}-0-{row}", outcome, ack_ns, done_ns, done_ns)
        if kind == "noticed early":
            tracker.noticed(notice, seen_ns)
        if kind == "answered":
            tracker.answered(row, ack_ns, Answered(outcome, 200, None if outcome is Outcome.COMPLETED else "no"))
        elif kind == "rejected":
            tracker.rejected(row, ack_ns, Rejected(400, "ValidationException"))
        elif kind == "unacknowledged":
            tracker.unacknowledged(row, ack_ns, Unacknowledged("read timeout"))
        else:
            tracker.accepted(row, ack_ns, Accepted("s3://b/out"))
        if kind == "noticed":
            tracker.noticed(notice, seen_ns)
        elif kind == "found":
            tracker.found(row, OutputFound(outcome, done_ns), seen_ns)
    return tracker


def histogram(rows: pl.DataFrame, begin: str, end: str) -> dict[int, int]:
    """How many durations each bucket has."""
    return counted((rows[end] - rows[begin]).dt.total_nanoseconds().to_list())


def counted(durations_ns: list[int]) -> dict[int, int]:
    made = LogHistogram()
    made.record_all(array("q", durations_ns))
    return made.counts


@pytest.mark.slow
@given(LIVES.filter(bool))
@settings(max_examples=60)
def test_each_histogram_is_that_of_the_rows(lives: list[tuple[str, Outcome, int, int, int, int]]) -> None:
    tracker = lived(lives)
    rows = written(tracker.ledger)
    heard = rows.filter(pl.col("end_from").is_in(["notice", "answer"]))
    answered = rows.filter(pl.col("error").ne_missing("read timeout"))
    assert tracker.schedule_lag.counts == histogram(rows, "sched", "send")
    assert tracker.ack.counts == histogram(answered, "send", "ack")
    assert tracker.sojourn.counts == histogram(heard.filter(outcome="completed"), "sched", "done")
    assert tracker.hearing.counts == histogram(rows.filter(end_from="notice"), "done", "seen")
    is_bad = pl.col("outcome").is_in(["rejected", "transport_error"]) | (
        (pl.col("outcome") == "failed") & (pl.col("end_from") == "answer")
    )
    assert tracker.n_bad_answers == rows.filter(is_bad).height
    views = (heard["done"] - heard["send"]).dt.total_nanoseconds()
    assert tracker.longest_service_view_ns == (0 if views.is_empty() else views.max())


@pytest.mark.slow
@given(LIVES.filter(bool))
@settings(max_examples=60)
def test_a_tracker_that_takes_the_rows_up_knows_what_the_first_one_knew(
    lives: list[tuple[str, Outcome, int, int, int, int]],
) -> None:
    before = lived(lives)
    rows = ledger([place * EVERY_MS * MS for place in range(len(lives))])
    restore(rows, written(before.ledger))
    after = Tracker(rows)
    after.take_up([True] * rows.n, sends=False)
    notices = written(before.ledger).filter(end_from="notice")
    views = (notices["done"] - notices["send"]).dt.total_nanoseconds()
    assert after.longest_service_view_ns == (0 if views.is_empty() else views.max())
    assert (after.counts, after.n_sent, after.n_accepted) == (before.counts, before.n_sent, before.n_accepted)
    assert (after.n_answers, after.n_bad_answers) == (before.n_answers, before.n_bad_answers)


@pytest.mark.parametrize("sends", [True, False])
def test_only_a_resume_that_sends_leaves_a_row_to_be_sent(*, sends: bool) -> None:
    tracker = Tracker(ledger([0, MS]))
    tracker.take_up([False, False], sends=sends)
    rows = written(tracker.ledger) if not sends else None
    assert tracker.counts[0] == (2 if sends else 0)  # SCHEDULED
    assert rows is None or rows["why_not_sent"].to_list() == ["run_ended"] * 2


@pytest.mark.parametrize("is_watched", [True, False])
def test_only_an_output_that_was_looked_for_all_along_says_how_soon_it_was_seen(*, is_watched: bool) -> None:
    """Its end is known to the second: it counts as ended when that second was over, at the latest when it was seen."""
    tracker = Tracker(ledger([100 * MS, 200 * MS]))
    for row, seen_ms in enumerate((2_500, 9_000)):
        tracker.sent(row, 200 * MS)
        tracker.accepted(row, MS, Accepted("s3://b/out"))
        tracker.found(row, OutputFound(Outcome.COMPLETED, 2_000 * MS), seen_ms * MS, is_watched=is_watched)
    assert tracker.hearing.counts == counted([500 * MS, 7_000 * MS] if is_watched else [])
    assert tracker.sojourn.counts == counted([2_400 * MS, 2_800 * MS] if is_watched else [])


def test_an_end_that_was_seen_meanwhile_is_not_looked_for() -> None:
    """A backlog of tens of thousands is listed at once and looked up for minutes, and notices come all the time."""
    tracker = Tracker(ledger([0, MS, 2 * MS, 3 * MS]))
    for row in range(4):
        tracker.sent(row, row * MS)
        tracker.accepted(row, 5 * MS, Accepted(f"s3://b/{row}.out"))
    asked: list[str | None] = []

    class Slow:
        async def look_up(self, output_location: str | None, failure_location: str | None) -> None:
            asked.append(output_location)
            tracker.noticed(Notice(f"{RUN}-0-2", Outcome.COMPLETED, MS, 2 * MS, 2 * MS), 3 * MS)

    async def looked_up() -> int:
        return await look_up_rest(tracker, Slow(), LoopClock(0), [0, 2, 3], at_once=1)

    assert anyio.run(looked_up) == 0
    assert asked == ["s3://b/0.out", "s3://b/3.out"]


@pytest.mark.parametrize("given_up_ms", [None, 3, 40])
def test_a_call_without_an_answer_was_waited_for_until_it_was_given_up(given_up_ms: int | None) -> None:
    """Where ends come otherwise there is no such instant, and there is none before it was sent."""
    tracker = Tracker(ledger([0]))
    tracker.sent(0, 10 * MS)
    tracker.take_up([True], sends=False, given_up_ns=None if given_up_ms is None else given_up_ms * MS)
    waited = written(tracker.ledger)["ack"].dt.timestamp("ms").to_list()
    assert waited == [None if given_up_ms is None else max(given_up_ms, 10)]


@pytest.mark.parametrize(
    "inference_id",
    ["", "0", f"{RUN}-0-", f"{RUN}-1-0", f"{RUN}-0-00", f"{RUN}-0--0", f"{RUN}-0-²", f"{RUN}-0-1", f"x{RUN}-0-0"],
)
def test_an_id_that_differs_in_anything_is_not_ours(inference_id: str) -> None:
    tracker = Tracker(ledger([0]))
    tracker.sent(0, MS)
    assert tracker.noticed(Notice(inference_id, Outcome.COMPLETED, 1, 2, 3), MS) is Match.FOREIGN
    assert (tracker.n_foreign, tracker.n_notices, tracker.n_in_flight) == (1, 0, 1)


def test_an_answer_s_variant_and_size_are_in_its_row() -> None:
    tracker = Tracker(ledger([0, 0]))
    for row, answer in enumerate((Answered(size_bytes=7, variant="Blue"), Answered())):
        tracker.sent(row, 0)
        tracker.answered(row, MS, answer)
    rows = written(tracker.ledger)
    assert rows["answer_size_in_bytes"].to_list() == [7, None]
    assert rows["variant"].to_list() == ["Blue", None]
