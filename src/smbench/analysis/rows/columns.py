"""Columns of some of the rows, straight from memory.

A query costs a fifth of a millisecond however few its rows are, and a report asks hundreds of such questions: so a
column is taken as it is, and which rows are meant is a column of booleans.
"""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.records import Outcome

MAY_BE_ACCEPTED = pl.col("accepted") | pl.col("is_unsettled")
"""Of which requests a latency is: the accepted, and synchronous calls without an answer, which may have been."""


def seconds(frame: pl.DataFrame, column: str, where: pl.Series | None = None) -> npt.NDArray[np.float64]:
    """A column of nanoseconds as float64 seconds, nulls left out.

    Divided by numpy, which rounds correctly: polars multiplies by the reciprocal and makes 60 s 60.000000000000006.
    """
    values = frame[column] if where is None else frame[column].filter(where)
    taken: npt.NDArray[np.float64] = without_nulls(values).to_numpy() / 1e9
    return taken


def seconds_at_least(frame: pl.DataFrame, column: str, where: pl.Series) -> npt.NDArray[np.float64] | None:
    """As `seconds`, each as short as the doubt about its end allows; None where there is none, and nothing differs."""
    doubt_ns = frame["doubt_ns"]
    if not doubt_ns.max():
        return None
    least_ns = without_nulls((frame[column] - doubt_ns).filter(where))
    taken: npt.NDArray[np.float64] = least_ns.to_numpy().clip(0) / 1e9
    return taken


def without_nulls(values: pl.Series) -> pl.Series:
    """The values that are known, in their order. To drop nulls is a query, and most columns have none."""
    return values.drop_nulls() if values.null_count() else values


class Latencies(NamedTuple):
    """Durations of some requests, seconds, by what is known of them; in any order."""

    known_s: npt.NDArray[np.float64]
    open_s: npt.NDArray[np.float64]  # ages of those not yet over
    never_s: npt.NDArray[np.float64]  # ages of those that never will be
    least_s: npt.NDArray[np.float64] | None  # what the known ones are at least; None: they are known exactly


def latencies(requests: pl.DataFrame, known: str, age: str) -> Latencies:
    """Of all accepted requests, and of synchronous calls without an answer, which may have been accepted.

    Args:
        known, age: The columns of the latency, null where it is not over or never will be, and of the age on the same
            clock.
    """
    is_accepted, is_unsettled = requests["accepted"], requests["is_unsettled"]
    is_over = requests[known].is_not_null()
    return Latencies(
        seconds(requests, known, is_accepted & is_over),
        seconds(requests, age, is_unsettled),
        seconds(requests, age, is_accepted & ~is_unsettled & ~is_over),
        seconds_at_least(requests, known, is_accepted),
    )


def acknowledgements(requests: pl.DataFrame) -> Latencies:
    """Of all submissions but the refused; those without an answer, after a reset or our time-out, never get one."""
    is_answered = requests["status_code"].is_not_null()
    is_asked = requests["send_ns"].is_not_null() & ~ended_as(requests, Outcome.REJECTED)
    answered_s, never_s = (seconds(requests, "acknowledging_ns", is_asked & of) for of in (is_answered, ~is_answered))
    return Latencies(answered_s, np.empty(0), never_s, None)


def ended_as(rows: pl.DataFrame, *outcomes: Outcome) -> pl.Series:
    """Of each row, whether it ended in one of these ways: as `is_one_of`, without a query."""
    ends = rows["outcome"]
    return reduce(or_, (ends == outcome.value for outcome in outcomes))


def completions(rows: pl.DataFrame) -> pl.Series:
    """When each completed request did, ascending."""
    return without_nulls(rows["done_ns"].filter(ended_as(rows, Outcome.COMPLETED))).sort()


def is_one_of(outcomes: Iterable[Outcome]) -> pl.Expr:
    """Whether a request ended in one of these ways."""
    return pl.col("outcome").is_in([outcome.value for outcome in outcomes])


def only(frame: pl.DataFrame, where: pl.Expr | pl.Series, *columns: str | pl.Expr) -> pl.DataFrame:
    """Some columns of some rows. The other thirty of a million requests are not copied to be thrown away."""
    names = [name for name in columns if isinstance(name, str)]
    if len(names) < len(columns):
        return frame.lazy().filter(where).select(*columns).collect(engine="in-memory")
    rows = frame.select(where).to_series() if isinstance(where, pl.Expr) else where
    return pl.DataFrame([frame[name].filter(rows) for name in names])
