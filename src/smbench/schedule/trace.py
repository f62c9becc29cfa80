"""Recorded arrivals: read as they were written, made more or fewer without touching their time axis."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smbench.errors import UsageError
from smbench.scenario.phases import REQUESTS_MAX
from smbench.schedule.base import Instants
from smbench.schedule.tabular import Table, read_table
from smbench.schedule.timestamps import date_ns, guess_unit, is_date, is_number, number_ns, parse_number, split_unit

# Names of time columns without their unit, the likeliest first.
_TIME_NAMES = (
    "timestamp", "arrivaltime", "arrival", "arrivedat", "datetime", "time", "starttime", "start", "submittime",
    "sendtime", "date", "ts", "t", "bin", "minute", "",
)  # fmt: skip


def read_trace(path: Path, *, column: str | None = None, counts: str | None = None, unit: str = "auto") -> Instants:
    """Arrivals as nanoseconds since the first one, sorted; simultaneous ones are all kept.

    Times are ISO dates (with no zone: UTC) or numbers, epoch or not; the first row says which. Rows may be in any
    order.

    Where rows are bins, each of a time and a count, a bin's arrivals are spread evenly inside it, none on its edge:
    the k-th of n lies (k + 1/2)/n of the width after its start. What was bursty within a bin is smooth afterwards.
    The width is the smallest distance of two bins, every other must be a multiple of it, and rows of the same bin
    add up.

    Args:
        path: CSV, with a header or none, or JSON lines.
        column: The time column. None: the one with a usual name, else the one of dates, else the only one.
        counts: The column of counts, where rows are bins.
        unit: `s`, `ms`, `us`, `ns` of a column of numbers; `auto` as in `timestamps.guess_unit`.

    Raises:
        UsageError: the file, a column or a row is not as described; says which line and what it holds.
    """
    table = read_table(path, _is_time, [name for name in (column, counts) if name is not None])
    at = _time_column(table) if column is None else table.find(column)
    times_ns = _times_ns(table, at, unit)
    first_ns = min(times_ns)
    if max(times_ns) - first_ns > np.iinfo(np.int64).max:
        raise UsageError(f"{path}: column '{table.name(at)}' spans more than 292 years", "check its unit")
    since_first_ns = np.array([time_ns - first_ns for time_ns in times_ns], dtype=np.int64)
    if counts is not None:
        return _spread(table, since_first_ns, table.find(counts))
    if len(since_first_ns) > REQUESTS_MAX:
        raise _too_many(path, len(since_first_ns))
    return np.sort(since_first_ns, kind="stable")


def trace_span_ns(arrivals_ns: Instants) -> int:
    """The time a trace stands for: to its last arrival and one mean gap more, else n arrivals would have n-1 gaps.

    0 when all arrivals are simultaneous: such a trace is a burst and has no rate.
    """
    n, last_ns = len(arrivals_ns), int(arrivals_ns[-1])
    return last_ns + -(-last_ns // (n - 1)) if last_ns else 0


def resample(arrivals_ns: Instants, span_ns: int, factor: float, rng: np.random.Generator) -> Instants:
    """`factor` times as many arrivals over the same span; 1 is the trace itself.

    Below 1 the trace is thinned: each arrival is kept with probability `factor`. Above, floor(factor) whole copies
    and a thinned one are laid over each other. The first lies as recorded; each other is rotated, its arrivals
    shifted by one random time and those pushed out at the end let in at the beginning. (Only the copies' positions
    to each other matter, so the first needs no shift.) Time is never compressed: that would multiply the rate of
    every burst and divide its length, a load nobody saw.

    What becomes of the burstiness, by the index of dispersion I(w), variance over mean of the counts in windows of
    length w (1 for a Poisson process):
    - thinned by p: I - 1 becomes p·(I - 1), towards Poisson, at each w (Cox and Isham, Point Processes, 1980);
    - k copies: averaged over the shifts the copies are uncorrelated, variance and mean both grow k-fold, and I stays.
      But the peaks no longer coincide: peak over mean falls, and the variation of counts against their mean by √k.
      A trend over the whole span (a day's swing) is washed out as well.

    Args:
        arrivals_ns: Ascending, in [0, span_ns); all 0 where the span is 0.
    """
    n_whole = int(factor)
    parts = [arrivals_ns[rng.random(len(arrivals_ns)) < factor - n_whole]]
    if n_whole:
        copies = [arrivals_ns] * (n_whole - 1) + parts
        parts = [arrivals_ns] + [(copy + rng.integers(max(1, span_ns))) % max(1, span_ns) for copy in copies]
    return np.sort(np.concatenate(parts), kind="stable")


def _is_time(text: str) -> bool:
    return is_number(text) or is_date(text)


def _time_column(table: Table) -> int:
    """The time column of a file whose reader did not name one."""
    first = table.rows[0]
    times = {index for index, cell in enumerate(first) if cell and _is_time(cell)}
    rank = {name: place for place, name in enumerate(_TIME_NAMES)}
    plain = [split_unit(name) for name in table.names or ()]
    named = sorted((rank[name], index) for index, (name, unit) in enumerate(plain) if name in rank and (name or unit))
    dates = [index for index in times if is_date(first[index] or "")]
    if usual := [index for _, index in named if index in times]:
        return usual[0]
    if len(dates) == 1:
        return dates[0]
    if len(first) == 1:
        return 0
    if named:
        return named[0][1]  # its first cell is no time; reading it says so, with its line
    known = "a number: the file has no header" if table.names is None else f"one of {', '.join(table.names)}"
    raise UsageError(f"{table.path}: which column is the time? Neither names nor values tell", f"say column: {known}")


def _times_ns(table: Table, at: int, unit: str) -> list[int]:
    first = table.rows[0][at] if at < len(table.rows[0]) else None
    if first and is_date(first):
        return list(_parsed_dates(table, at))
    numbers = []
    for line, text in table.cells(at):
        try:
            numbers.append(parse_number(text))
        except ValueError as error:
            what = "is no time: neither a number nor a date such as 2023-11-16 18:17:03.9799600"
            raise table.bad(line, at, text, what if line == table.lines[0] else str(error)) from error
    known = guess_unit(table.name(at), numbers) if unit == "auto" else unit
    if known is None:
        raise UsageError(
            f"{table.path}: the numbers of column '{table.name(at)}' do not tell their unit",
            "say unit: s, ms, us or ns",
        )
    times_ns = []
    for (line, text), number in zip(table.cells(at), numbers, strict=True):
        try:
            times_ns.append(number_ns(number, known))
        except ValueError as error:
            raise table.bad(line, at, text, str(error)) from error
    return times_ns


def _parsed_dates(table: Table, at: int) -> Iterator[int]:
    for line, text in table.cells(at):
        try:
            yield date_ns(text)
        except ValueError as error:
            raise table.bad(line, at, text, str(error)) from error


def _spread(table: Table, starts_ns: Instants, at: int) -> Instants:
    """Arrivals from bins: see `read_trace`."""
    counts = np.fromiter(_parsed_counts(table, at), dtype=np.int64, count=len(starts_ns))
    bins_ns, row_of_bin, bin_of_row = np.unique(starts_ns, return_index=True, return_inverse=True)
    if len(bins_ns) < 2:
        raise UsageError(f"{table.path}: one bin does not tell how wide it is", "give single arrivals or several bins")
    gaps_ns = np.diff(bins_ns)
    width_ns = int(gaps_ns.min())
    if (uneven := np.flatnonzero(gaps_ns % width_ns)).size:
        line = table.lines[int(row_of_bin[uneven[0] + 1])]
        raise UsageError(
            f"{table.path}:{line}: this bin begins {int(gaps_ns[uneven[0]]) / 1e9:g} s after the one before it, no "
            f"multiple of the smallest distance, {width_ns / 1e9:g} s",
            "bins of equal width are needed; rows without a count per bin are single arrivals: leave counts out",
        )
    n_in_bin = np.zeros(len(bins_ns), dtype=np.int64)
    np.add.at(n_in_bin, bin_of_row, counts)
    n = int(n_in_bin.sum())
    if n == 0:
        raise UsageError(f"{table.path}: all counts in column '{table.name(at)}' are 0: no arrivals")
    if n > REQUESTS_MAX:
        raise _too_many(table.path, n)
    k = np.arange(n) - np.repeat(np.cumsum(n_in_bin) - n_in_bin, n_in_bin)
    inside_ns = np.rint((k + 0.5) / np.repeat(n_in_bin, n_in_bin) * width_ns).astype(np.int64)
    at_ns = np.repeat(bins_ns, n_in_bin) + inside_ns
    since_first_ns: Instants = at_ns - at_ns[0]
    return since_first_ns


def _parsed_counts(table: Table, at: int) -> Iterator[int]:
    for line, text in table.cells(at):
        count = parse_number(text) if is_number(text) else None
        if count is None or count < 0 or count != count.to_integral_value():
            raise table.bad(line, at, text, "is no count: a whole number from 0")
        if count > REQUESTS_MAX:
            raise table.bad(line, at, text, f"is more than can be scheduled, {REQUESTS_MAX:,}")
        yield int(count)


def _too_many(path: Path, n: int) -> UsageError:
    return UsageError(f"{path} holds {n:,} arrivals; at most {REQUESTS_MAX:,} can be scheduled", "take an excerpt")
