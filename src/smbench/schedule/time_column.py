"""Finds the column of a trace that holds arrival times: by its name and its values; asks where two would do.

A wrong guess would replay another load in silence, so what is not plain is asked for: ends are not arrivals, dates
without a time of day are none, and several candidates are proposed, not chosen among.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from smbench.errors import UsageError
from smbench.tables.table import Table, shown
from smbench.tables.timestamps import (
    has_time_of_day,
    is_date,
    is_number,
    is_time_of_day,
    parse_number,
    split_unit,
    unit_of_epoch,
    words_of,
)

EPOCH_MIN_NS = 10**18  # September 2001: an earlier instant is no date of a measurement, but counts from a beginning
_DECADE_NS = 10 * 365 * 86_400 * 10**9

# Names of time columns without their unit, the likeliest first.
_USUAL = (
    "timestamp", "arrivaltime", "arrival", "arrivedat", "datetime", "time", "starttime", "start", "submittime",
    "sendtime", "date", "ts", "t", "bin", "minute", "timestamps", "",
)  # fmt: skip
_TIME_WORDS = {
    "time", "timestamp", "date", "datetime", "ts", "arrival", "arrivals", "arrived", "submit", "submitted",
    "submission", "start", "started", "begin", "began", "create", "created", "creation", "received", "requested",
    "queued", "enqueued", "issued", "sent", "send",
}  # fmt: skip
_TIME_ENDINGS = ("time", "timestamp", "date")
_NO_TIME_WORDS = {"runtime", "uptime", "lifetime", "overtime", "update", "updated", "modified", "timeout", "zone"}
_END_WORDS = {
    "end", "ended", "finish", "finished", "complete", "completed", "completion", "done", "stop", "stopped", "closed",
    "responded", "expired",
}  # fmt: skip
OF_LENGTHS = {"duration", "elapsed", "latency", "took"}  # such a column is no instant: `end_to_end_latency_s`
_LENGTH_WORDS = OF_LENGTHS | {"runtime", "wait", "waiting", "seconds", "delay", "length"}


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Where a table holds its instants."""

    at: int
    is_date: bool
    time_at: int | None = None  # of the times of day, where the dates are in a column of their own
    is_end: bool = False  # by its name: these are no arrivals


def time_column(table: Table, column: str | None, *, is_end_wanted: bool, has_counts: bool) -> TimeColumn:
    """The column that was asked for, else the one that is plainly meant.

    Args:
        is_end_wanted: Ends are looked for, because a duration will be taken from them.
        has_counts: Rows are bins, which may be whole days.

    Raises:
        UsageError: none is plain, or the one named holds no times; the message says what to write.
    """
    at = table.find(column) if column is not None else _guess(table, is_end_wanted=is_end_wanted)
    if table.names is not None and table.names.count(table.names[at]) > 1:
        table.find(table.names[at])  # says so: which of them is meant nothing tells
    first = table.head[0][at] or ""
    is_end = _is_end(table, at)
    if is_time_of_day(first):
        return TimeColumn(_dates_beside(table, at), is_date=True, time_at=at, is_end=is_end)
    if not is_date(first):
        return TimeColumn(at, is_date=False, is_end=is_end)
    if not has_counts and all(cell is not None and not has_time_of_day(cell) for cell in _column(table, at)):
        return TimeColumn(at, is_date=True, time_at=_times_beside(table, at), is_end=is_end)
    return TimeColumn(at, is_date=True, is_end=is_end)


def unit_of(table: Table, at: int, wanted: str) -> tuple[str, bool]:
    """The unit of a column of numbers, and whether the size of the numbers alone says it.

    Raises:
        UsageError: nothing says it. A wrong guess would change the load a thousandfold in silence.
    """
    if at in table.lengths:
        return "ns", False
    if wanted != "auto":
        return wanted, False
    _, named = split_unit(table.name(at))
    if named is not None:
        return named, False
    first = table.head[0][at] or ""
    if not is_number(first):
        return "s", False  # no time at all; reading it says so, with its line
    known = unit_of_epoch(parse_number(first))
    if known is None:
        raise no_unit(table, at)
    return known, True


def no_unit(table: Table, at: int) -> UsageError:
    """The error for a column of numbers whose unit nothing says."""
    return UsageError(
        f"{table.path}: the numbers of column '{table.name(at)}' do not say their unit", "say unit: s, ms, us or ns"
    )


def days_only(table: Table, at: int) -> UsageError:
    """The error for dates of which none says more than the day."""
    return UsageError(
        f"{table.path}: column '{table.name(at)}' holds dates without a time of day in every row: no arrival times",
        "name the column of times, `column`, or of counts per day, `counts`",
    )


def check_span(table: Table, at: int, first_ns: int, last_ns: int) -> None:
    """Instants decades before the others: a zero where no instant was, or a row in another unit.

    Raises:
        UsageError: the column has some.
    """
    if first_ns < EPOCH_MIN_NS <= last_ns and last_ns - first_ns > _DECADE_NS:
        first, last = (str(np.datetime64(ns, "ns").astype("datetime64[s]")) for ns in (first_ns, last_ns))
        raise UsageError(
            f"{table.path}: column '{table.name(at)}' goes from {first} to {last}: the first is a zero, "
            "or in another unit",
            "leave such a row out, or its cell empty if another column says when the request was sent or ended",
        )


def _column(table: Table, at: int) -> list[str | None]:
    return [row[at] for row in table.head]


def _dates_beside(table: Table, at: int) -> int:
    """The dates that belong to a column of times of day."""
    days = [index for index, cell in enumerate(table.head[0]) if cell and is_date(cell) and not has_time_of_day(cell)]
    if len(days) == 1:
        return days[0]
    many = f": which of {', '.join(table.name(day) for day in days)}?" if days else ", and no column holds the dates"
    raise UsageError(
        f"{table.path}: column '{table.name(at)}' holds times of day without dates{many}",
        "name the column of dates, `column`" if days else "join date and time in one column",
    )


def _times_beside(table: Table, at: int) -> int | None:
    """The times of day that belong to a column of dates; None where there are none, or the file is one row."""
    times = [index for index, cell in enumerate(table.head[0]) if cell and is_time_of_day(cell)]
    times = [index for index in times if not _is_end(table, index)] or times
    if len(times) > 1:
        raise UsageError(
            f"{table.path}: column '{table.name(at)}' holds dates, and several hold times of day: "
            f"{', '.join(table.name(index) for index in times)}",
            "name the one of arrivals, `column`",
        )
    return times[0] if times else None


def _is_time(cell: str | None) -> bool:
    return cell is not None and (is_number(cell) or is_date(cell) or is_time_of_day(cell))


def _is_end(table: Table, at: int) -> bool:
    if table.names is None:
        return False
    words = words_of(table.names[at])
    return bool(_END_WORDS.intersection(words)) and not OF_LENGTHS.intersection(words)


def _guess(table: Table, *, is_end_wanted: bool) -> int:
    first = table.head[0]
    times = [index for index, cell in enumerate(first) if _is_time(cell)]
    if is_end_wanted:
        ends = [index for index in times if _is_end(table, index)]
        if len(ends) == 1:
            return ends[0]
    rank = {name: place for place, name in enumerate(_USUAL)}
    plain = [split_unit(name) for name in table.names or ()]
    usual = sorted((rank[name], index) for index, (name, unit) in enumerate(plain) if name in rank and (name or unit))
    if of_times := [index for _, index in usual if index in times]:
        return of_times[0]
    likely = [index for index in times if table.names is not None and _is_likely(table.names[index])]
    if len(likely) == 1:
        return likely[0]
    dates = [index for index in times if is_date(first[index] or "")]
    starts = [index for index in dates if not _is_end(table, index)]
    if len(starts) == 1 and not likely:
        return starts[0]
    if len(first) == 1:
        return 0
    if usual:
        return usual[0][1]  # its first cell is no time; reading it says so, with its line
    raise _question(table, times, likely or dates)


def _is_likely(name: str) -> bool:
    """Whether a name speaks of an instant that is no end."""
    words = words_of(name)
    if any(pair in (("time", "to"), ("time", "per")) for pair in pairwise(words)):  # `time_to_first_token` is a length
        return False
    if _END_WORDS.intersection(words) or _LENGTH_WORDS.intersection(words) or _NO_TIME_WORDS.intersection(words):
        return False
    return any(word in _TIME_WORDS or word.endswith(_TIME_ENDINGS) for word in words)


def _question(table: Table, times: list[int], likely: list[int]) -> UsageError:
    if table.names is None:
        known = "a number: the file has no header"
        return UsageError(
            f"{table.path}: which column is the time? neither names nor values show it", f"say column: {known}"
        )
    ends = [index for index in times if _is_end(table, index)]
    if ends and not [index for index in likely if index not in ends]:
        end = shown(table.names[ends[0]])
        return UsageError(
            f"{table.path}: column '{end}' holds ends by its name, and ends are not arrivals",
            f"say `duration: COLUMN` to take start = end - duration, or `column: {end}` to take the ends as they are",
        )
    lengths = [index for index in times if _LENGTH_WORDS.intersection(words_of(table.names[index]))]
    proposed = ", ".join(table.name(index) for index in likely or lengths)
    advice = f"say column: one of {table.listed()}"
    return UsageError(
        f"{table.path}: which column is the time? neither names nor values show it",
        f"perhaps {proposed}; {advice}" if proposed else advice,
    )
