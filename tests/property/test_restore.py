"""What is written of a ledger makes the same ledger again, at any instant: a run can be taken up where it was.

Method: rows are written, put into a new ledger of the same shard, and every column of the two is compared; the state
machine of `test_tracker` does the same after each of its steps.
"""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import RUN, content, ledger, written
from smbench.generator.tracking.rows import restore
from smbench.generator.tracking.tracker import Tracker
from smbench.records import Accepted, Answered, Notice, NotSent, Outcome, Parts, Rejected, WrongAnswer

UUID = "2f4dcf85-0000-4000-8000-00000000000{}"


def test_every_column_that_a_run_changes_is_restored() -> None:
    dues_ns = [-1, 1_000, 2_000, 3_000, 4_000, 5_000, 5_500]
    before, after = ledger(dues_ns), ledger(dues_ns)
    tracker = Tracker(before)
    tracker.release(0, 7_000)
    for row in range(4):
        tracker.sent(row, 8_000 + row * 1_000)
    tracker.sent(1, 9_000)  # another attempt
    for row in (0, 2):
        out, failed = f"s3://b/out/{UUID.format(row)}.out", f"s3://b/failed/{UUID.format(row)}-error.out"
        tracker.accepted(row, 20_000, Accepted(out, failed if row else "s3://odd"))
    tracker.rejected(3, 20_000, Rejected(400, "ThrottlingException"))
    tracker.sent(5, 8_000)
    tracker.answered(5, 20_000, Answered(Outcome.FAILED, 200, "wrong answer: no JSON", 7, WrongAnswer.JSON))
    tracker.sent(6, 8_000)
    tracker.answered(6, 20_000, Answered(size_bytes=0))
    tracker.not_sent(4, NotSent.STOPPED, "stopped by SIGINT")
    tracker.noticed(Notice(f"{RUN}-0-2", Outcome.FAILED, 20_000, 40_000, 50_000, failure_reason="boom"), 60_000)
    restore(after, written(before))
    assert content(after) == content(before)
    assert not np.asarray(after.is_changed).any(), "it is on disk already"


def test_the_parts_of_streamed_answers_are_restored() -> None:
    before, after = ledger([0] * 5, has_streams=True), ledger([0] * 5, has_streams=True)
    tracker = Tracker(before)
    for row, parts in enumerate((Parts(0), Parts(1, 7_000), Parts(2, 7_000, 3_001, 3_001), None)):
        tracker.sent(row, 5_000)
        tracker.answered(row, 20_000, Answered(size_bytes=3, parts=parts))
    rows = written(before)
    assert rows["parts"].to_list() == [0, 1, 2, None, None]
    assert rows["first_part"].dt.timestamp("ns").to_list() == [None, 7_000, 7_000, None, None]
    assert rows["gap_mean_ns"].to_list() == rows["gap_max_ns"].to_list() == [None, None, 3_001, None, None]
    restore(after, rows)
    assert content(after) == content(before)


def test_rows_of_other_workers_are_passed_over_and_missing_rows_stay_new() -> None:
    before, after = ledger([0, 1_000]), ledger([0, 1_000])
    Tracker(before).sent(0, 5_000)
    rows = written(before)
    foreign = rows.with_columns((pl.col("seq") + 7).alias("seq"), pl.lit(3, dtype=pl.Int64).alias("worker"))
    restore(after, pl.concat([rows.filter(pl.col("seq") == 0), foreign]))
    assert content(after) == content(before)


def test_a_row_of_another_shard_is_refused() -> None:
    rows = written(ledger([0])).with_columns(pl.lit(9, dtype=pl.Int64).alias("seq"))
    with pytest.raises(AssertionError, match="row 9 is not of this shard"):
        restore(ledger([0]), rows)


@pytest.mark.slow
@given(st.integers(0, 10**15))
def test_an_instant_is_restored_to_the_microsecond(send_ns: int) -> None:
    before, after = ledger([0]), ledger([0])
    Tracker(before).sent(0, send_ns)
    restore(after, written(before))
    assert after.send_ns[0] == send_ns - send_ns % 1000
