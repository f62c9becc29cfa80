"""Goal: a column taken from memory says what a query would.

Method: rows of every outcome, with and without nulls, asked in both ways.
"""

import polars as pl
import pytest

from runs import Request, frames_of
from smbench.analysis.rows.columns import ended_as, is_one_of, latencies, only, seconds
from smbench.analysis.rows.frames import Frames
from smbench.records import ENDED, NEVER_COMPLETED, Outcome

_WITHOUT_END = (Outcome.NOT_SENT, Outcome.REJECTED, Outcome.TRANSPORT_ERROR, Outcome.LOST, Outcome.PENDING)


@pytest.fixture(scope="module")
def frames() -> Frames:
    ends = [Request(place, outcome, done=place + 2.5) for place, outcome in enumerate(ENDED)]
    return frames_of([*ends, *(Request(9.0, outcome) for outcome in _WITHOUT_END)])


@pytest.mark.parametrize("outcomes", [(one,) for one in Outcome] + [NEVER_COMPLETED, tuple(Outcome)])
def test_a_row_ended_as_a_query_says(frames: Frames, outcomes: tuple[Outcome, ...]) -> None:
    rows = frames.requests
    assert ended_as(rows, *outcomes).to_list() == rows.select(is_one_of(outcomes)).to_series().to_list()


def test_rows_are_chosen_by_a_mask_as_by_a_query(frames: Frames) -> None:
    rows, where = frames.requests, pl.col("done_ns") > 3_000_000_000  # null where there is no end: not chosen
    by_query = rows.filter(where).select("seq", "outcome", "done_ns")
    assert only(rows, where, "seq", "outcome", "done_ns").equals(by_query)
    assert only(rows, rows.select(where).to_series(), "seq", "outcome", "done_ns").equals(by_query)
    assert only(rows, where, "seq", (pl.col("done_ns") / 1).alias("done_ns"))["seq"].equals(by_query["seq"])


def test_every_accepted_request_has_one_latency_known_open_or_never(frames: Frames) -> None:
    found = latencies(frames.requests, "sojourn_ns", "age_ns")
    assert found.known_s.tolist() == [2.5]
    assert len(found.never_s) == len(NEVER_COMPLETED)
    n_accepted = int(frames.requests["accepted"].sum())
    assert len(found.known_s) + len(found.open_s) + len(found.never_s) == n_accepted


def test_seconds_leave_out_what_is_not_known(frames: Frames) -> None:
    rows = frames.requests
    ends_s = [value / 1e9 for value in rows["done_ns"] if value is not None]
    assert seconds(rows, "done_ns").tolist() == ends_s
    assert seconds(rows, "done_ns", rows["seq"] > 0).tolist() == ends_s[1:]
