"""Goal: a request that is missing, counted twice or contradicts itself breaks the law, in words with the numbers.

Method: counts by hand; then rows with one column changed at a time.
"""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from runs import Request, requests_frame
from smbench.records import Outcome
from smbench.results.law import Counts, row_violations, stream_violations

GOOD = Counts(
    scheduled=1200,
    not_sent=3,
    sent=1197,
    accepted=1190,
    rejected=5,
    transport_error=2,
    completed=1180,
    failed=4,
    expired=3,
    lost=1,
    pending=2,
)
ONE_OF_EACH = [
    Request(0.0, Outcome.NOT_SENT),
    Request(1.0, Outcome.REJECTED),
    Request(2.0, Outcome.TRANSPORT_ERROR),
    Request(3.0, Outcome.COMPLETED, done=4.0),
    Request(3.0, Outcome.FAILED, done=4.0),
    Request(3.0, Outcome.EXPIRED, done=4.0),
    Request(3.0, Outcome.LOST),
    Request(3.0, Outcome.PENDING),
]


def test_the_law_reads_as_three_equations() -> None:
    assert GOOD.violations() == []
    assert GOOD.equations() == (
        "scheduled 1,200 = not_sent 3 + sent 1,197",
        "sent 1,197 = accepted 1,190 + rejected 5 + transport_error 2",
        "accepted 1,190 = completed 1,180 + failed 4 + expired 3 + lost 1 + pending 2",
    )


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"scheduled": 1201}, ["scheduled 1,201 != not_sent 3 + sent 1,197: 1 missing"]),
        ({"pending": 4}, ["accepted 1,190 != completed 1,180 + failed 4 + expired 3 + lost 1 + pending 4: 2 too many"]),
        (
            {"accepted": 1189},
            [
                "sent 1,197 != accepted 1,189 + rejected 5 + transport_error 2: 1 missing",
                "accepted 1,189 != completed 1,180 + failed 4 + expired 3 + lost 1 + pending 2: 1 too many",
            ],
        ),
    ],
)
def test_a_broken_law_says_by_how_many(change: dict[str, int], broken: list[str]) -> None:
    assert replace(GOOD, **change).violations() == broken


def test_rows_are_counted_where_they_are() -> None:
    counts = Counts.of(requests_frame(ONE_OF_EACH))
    assert counts == Counts(8, 1, 7, 5, 1, 1, 1, 1, 1, 1, 1)
    assert counts.violations() == []
    assert counts + counts == Counts(16, 2, 14, 10, 2, 2, 2, 2, 2, 2, 2)


def test_requests_of_which_nothing_is_known_are_a_part_of_those_scheduled_and_named_only_where_there_are_some() -> None:
    counts = Counts.of(requests_frame([*ONE_OF_EACH, Request(9.0, Outcome.UNKNOWN)]))
    assert counts.violations() == []
    assert counts.equations()[0] == "scheduled 9 = not_sent 1 + unknown 1 + sent 7"
    assert row_violations(requests_frame([Request(9.0, Outcome.UNKNOWN)]), 1) == []


def test_no_rows_obey_the_law() -> None:
    nothing = requests_frame([])
    assert Counts.of(nothing) == Counts()
    assert Counts().violations() == row_violations(nothing, 0) == []


@pytest.mark.parametrize(
    ("place", "changes", "words"),
    [
        (3, {"seq": 0}, "1 row with a seq that another row has"),
        (3, {"accepted": False}, "accepted without an end"),
        (1, {"accepted": True}, "accepted without an end"),
        (3, {"send": None}, "sent and not sent at once, or neither"),
        (0, {"send": 1_795_000_000_000_000_000}, "sent and not sent at once, or neither"),
        (3, {"outcome": "finished"}, "1 row with an outcome that is none"),
        (3, {"outcome": None}, "1 row with an outcome that is none"),
    ],
)
def test_a_row_that_contradicts_itself_is_found(place: int, changes: dict[str, Any], words: str) -> None:
    rows = [replace(row) for row in ONE_OF_EACH]
    rows[place].changes = changes
    found = row_violations(requests_frame(rows))
    assert any(words in violation for violation in found), found
    assert Counts.of(requests_frame(rows)).violations() or "seq" in words


STREAMED = {"parts": 3, "first_part": 2, "gap_mean_ns": 4, "gap_max_ns": 5, "send": 1, "done": 9, "accepted": True}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"parts": 1, "gap_mean_ns": None, "gap_max_ns": None}, ""),
        ({"parts": 0, "first_part": None, "gap_mean_ns": None, "gap_max_ns": None}, ""),
        ({"parts": None, "first_part": None, "gap_mean_ns": None, "gap_max_ns": None, "accepted": False}, ""),
        ({"first_part": None}, "1 row with parts and no instant of the first"),
        ({"parts": 1}, "with gaps and fewer than two parts"),
        ({"gap_max_ns": 3}, "with a mean gap and no longest, or above it"),
        ({"gap_max_ns": None}, "with a mean gap and no longest"),
        ({"accepted": False}, "with parts and not accepted"),
        ({"first_part": 10}, "with a first part before the sending, or after the end"),
        ({"first_part": 0}, "with a first part before the sending"),
    ],
)
def test_a_streamed_answer_that_contradicts_itself_is_found(changes: dict[str, Any], words: str) -> None:
    found = stream_violations(pl.DataFrame([STREAMED, STREAMED | changes]))
    assert [words in one for one in found] == ([True] if words else []), found


def test_a_request_of_which_no_row_is_left_is_missed() -> None:
    assert row_violations(requests_frame(ONE_OF_EACH), 8) == []
    assert row_violations(requests_frame(ONE_OF_EACH[1:]), 8) == ["8 requests were scheduled, and 7 in the ledger"]
