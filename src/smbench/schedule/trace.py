"""Recorded arrivals of a trace: read as written, made more or fewer without touching their time axis."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from smbench import units
from smbench.errors import UsageError
from smbench.scenario.phases import REQUESTS_MAX
from smbench.schedule import bins
from smbench.schedule.base import Instants
from smbench.schedule.time_column import (
    EPOCH_MIN_NS,
    TimeColumn,
    check_span,
    days_only,
    no_unit,
    time_column,
    unit_of,
)
from smbench.tables.csv_rows import n_counted
from smbench.tables.foreign import open_table
from smbench.tables.instants import counts as counts_of
from smbench.tables.instants import dates_ns, numbers_ns, zones_said
from smbench.tables.opening import Watch
from smbench.tables.table import BadCell, Batch, Table, as_no_time
from smbench.tables.timestamps import NO_NUMBER, is_number, split_unit

_DAY_NS = 86_400 * 10**9
_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a replay says of its file; see `scenario.phases.Replay`."""

    column: str | None = None
    counts: str | None = None
    unit: str = "auto"
    duration: str | None = None  # column to be taken from the time: start = end - duration
    gap_max_ns: int | None = None  # a longer gap without an arrival is cut to this


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The arrivals of a file, as nanoseconds since the first one, ascending; simultaneous ones are all kept."""

    arrivals_ns: Instants
    source: str  # what was read: form, column, unit
    notes: tuple[str, ...] = ()  # what a person should know before this is replayed


def read_trace(path: Path, wanted: Wanted | None = None, watch: Watch | None = None) -> Trace:
    """Read a file of arrivals; rows may be in any order.

    Times are ISO dates (with no zone: UTC) or numbers, epoch or not; the first row says which. Where rows are bins,
    each of a time and a count, see `bins.spread`. `tables.foreign` says which files are read.

    Args:
        watch: Called while reading, with bytes read and bytes there are.

    Raises:
        UsageError: the file, a column or a row is not as described; says which line, and what to write.
    """
    wanted = wanted or Wanted()
    named = [name for name in (wanted.column, wanted.counts, wanted.duration) if name is not None]
    table = open_table(path, named, watch)
    n_minutes = n_counted(table.names or ())
    if n_minutes and wanted.counts is None and wanted.column is None:
        trace = _of_minutes(table, n_minutes)
    else:
        trace = _of_rows(table, wanted)
    return trace if wanted.gap_max_ns is None else _without_gaps(trace, wanted.gap_max_ns)


def trace_span_ns(arrivals_ns: Instants) -> int:
    """The time that a trace covers: to its last arrival and one mean gap more, else n arrivals would have n-1 gaps.

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
    every burst and divide its length, a load that never was.

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


# ---- rows -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which columns are read, and how."""

    time: TimeColumn
    unit: str | None  # of a column of numbers; None for dates
    is_epoch: bool  # its size alone says the unit: then every row must be of that size
    counts_at: int | None
    duration_at: int | None
    duration_unit: str

    @property
    def columns(self) -> list[int]:
        found = (self.time.at, self.time.time_at, self.duration_at, self.counts_at)
        return [at for at in found if at is not None]


def _of_rows(table: Table, wanted: Wanted) -> Trace:
    plan = _plan(table, wanted)
    times: list[Instants] = []
    numbers: list[Instants] = []
    n, zones = 0, frozenset[bool]()
    for batch in table.rows.batches(plan.columns):
        times_ns, n_each = _instants(table, batch, plan)
        if plan.time.is_date:
            zones |= zones_said(batch.cells[-1 if plan.time.time_at is not None else 0])
        times.append(times_ns)
        n += len(times_ns)
        if n_each is not None:
            numbers.append(n_each)
        if n > REQUESTS_MAX:  # known before the end is reached: a file may unpack to a great many rows
            raise UsageError(
                f"{table.path} holds more than {REQUESTS_MAX:,} rows, and no more can be scheduled", "take an excerpt"
            )
    starts_ns = np.concatenate(times)
    if not len(starts_ns):
        raise UsageError(f"{table.path} holds no rows")
    _check(table, plan, starts_ns)
    first_ns = int(starts_ns.min())
    starts_ns -= first_ns
    notes = _notes(table, plan)
    if len(zones) > 1:
        mixed = f"some dates in column '{table.name(plan.time.at)}' say their time zone; the others were read as UTC"
        notes = (*notes, mixed)
    if plan.counts_at is not None:
        arrivals_ns, width_ns = bins.spread(table, starts_ns, np.concatenate(numbers), plan.counts_at)
        return Trace(arrivals_ns, _source(table, plan, width_ns), notes)
    starts_ns.sort(kind="stable")
    return Trace(starts_ns, _source(table, plan), (*notes, *_looks_like_bins(table, plan, starts_ns)))


def _plan(table: Table, wanted: Wanted) -> _Plan:
    counts = wanted.counts
    if counts is None and wanted.column is None:
        counts = table.counts
        if counts is None and table.has_gaps:
            raise UsageError(
                f"{table.path} is {table.form}, with several metrics", f"say counts: one of {table.listed()}"
            )
    at = time_column(table, wanted.column, is_end_wanted=wanted.duration is not None, has_counts=counts is not None)
    unit, is_epoch = (None, False) if at.is_date else unit_of(table, at.at, wanted.unit)
    duration_at = None if wanted.duration is None else table.find(wanted.duration)
    return _Plan(
        time=at,
        unit=unit,
        is_epoch=is_epoch,
        counts_at=None if counts is None else table.find(counts),
        duration_at=duration_at,
        duration_unit="ns" if duration_at is None else _duration_unit(table, duration_at, unit, wanted.unit),
    )


def _duration_unit(table: Table, at: int, unit: str | None, wanted: str) -> str:
    if at in table.lengths:
        return "ns"
    _, named = split_unit(table.name(at))
    known = named or (unit if wanted == "auto" else wanted)
    if known is None:
        raise no_unit(table, at)
    return known


def _instants(table: Table, batch: Batch, plan: _Plan) -> tuple[Instants, Instants | None]:
    """Instants of a batch, and the counts where rows are bins."""
    cells, place = dict(zip(plan.columns, batch.cells, strict=True)), batch.place
    if plan.counts_at is not None and table.has_gaps:  # no datapoint: nothing was counted
        kept = cells[plan.counts_at].is_not_null().arg_true()
        cells = {at: series.gather(kept) for at, series in cells.items()}
        place = lambda row: batch.place(int(kept[row]))  # noqa: E731  # the same, of the rows that are left

    def read(at: int, convert: Callable[[pl.Series], Instants]) -> Instants:
        try:
            return convert(cells[at])
        except BadCell as bad:
            is_known = at != time.at or is_time or bad.problem != NO_NUMBER
            raise table.bad(place, at, bad if is_known else as_no_time(bad)) from None

    time = plan.time
    is_time = time.is_date or is_number(table.head[0][time.at] or "") or not isinstance(cells[time.at].dtype, pl.String)
    if time.time_at is not None:
        cells[time.at] = cells[time.at].cast(pl.String) + " " + cells[time.time_at].cast(pl.String)
    if time.is_date:
        times_ns = read(time.at, dates_ns)
    else:
        times_ns = read(time.at, lambda series: numbers_ns(series, plan.unit or "s"))
    if plan.duration_at is not None:
        times_ns = times_ns - read(plan.duration_at, lambda series: numbers_ns(series, plan.duration_unit))
    if plan.counts_at is None:
        return times_ns, None
    return times_ns, read(plan.counts_at, lambda series: counts_of(series, REQUESTS_MAX))


def _check(table: Table, plan: _Plan, starts_ns: Instants) -> None:
    first_ns, last_ns = int(starts_ns.min()), int(starts_ns.max())
    if plan.is_epoch and plan.duration_at is None and first_ns < EPOCH_MIN_NS:
        raise no_unit(table, plan.time.at)
    if last_ns - first_ns > np.iinfo(np.int64).max:
        raise UsageError(
            f"{table.path}: column '{table.name(plan.time.at)}' spans more than 292 years", "check its unit"
        )
    check_span(table, plan.time.at, first_ns, last_ns)
    is_days = plan.time.is_date and plan.time.time_at is None and plan.counts_at is None and plan.duration_at is None
    if is_days and len(starts_ns) > 1 and not (starts_ns % _DAY_NS).any():
        raise days_only(table, plan.time.at)


def _source(table: Table, plan: _Plan, width_ns: int = 0) -> str:
    """What was read, in words: column, unit, width of a bin, form."""
    time, name = plan.time, table.name
    if time.time_at is not None:
        read = f"columns '{name(time.at)}' and '{name(time.time_at)}' joined"
    else:
        read = f"column '{name(time.at)}', {'dates' if plan.unit is None else _UNITS[plan.unit]}"
    if plan.duration_at is not None:
        read += f", less column '{name(plan.duration_at)}', {_UNITS[plan.duration_unit]}"
    if plan.counts_at is not None:
        read += f", bins of {units.duration(width_ns / 1e9)} with counts in column '{name(plan.counts_at)}'"
    return f"{read}; {table.form}"


def _notes(table: Table, plan: _Plan) -> tuple[str, ...]:
    notes = list(table.notes)
    name = table.name(plan.time.at)
    if plan.time.is_end and plan.duration_at is None:
        notes.append(
            f"column '{name}' holds ends by its name, and ends are not arrivals: `duration: COLUMN` takes "
            "start = end - duration"
        )
    _, named = split_unit(name)
    if plan.unit is not None and named is not None and named != plan.unit:
        notes.append(f"column '{name}' is in {_UNITS[named]} by its name, and was read in {_UNITS[plan.unit]}")
    return tuple(notes)


def _looks_like_bins(table: Table, plan: _Plan, starts_ns: Instants) -> tuple[str, ...]:
    """Rows at even distances, with a number beside: counts a bin, perhaps, and not one arrival each."""
    gaps_ns = np.diff(starts_ns)
    if len(gaps_ns) < 3 or (least_ns := int(gaps_ns.min())) < 10**9 or (gaps_ns % least_ns).any():
        return ()
    beside = {at: next((row[at] for row in table.head if row[at]), "") or "" for at in range(table.width)}
    others = {at: cell for at, cell in beside.items() if at not in plan.columns and cell[:1].isdecimal()}
    if not others or (gaps_ns == least_ns).mean() < 0.9:
        return ()
    plain = ", ".join(table.name(at) for at, cell in others.items() if is_number(cell))
    with_units = ", ".join(table.name(at) for at in others)  # `12 req/s`, as dashboards write it
    advice = f"say counts: {plain}" if plain else f"write its count as a plain number: {with_units}"
    return (f"its rows lie {units.duration(least_ns / 1e9)} apart: if each is a bin, {advice}",)


# ---- counts a minute, and gaps --------------------------------------------------------------------------------


def _of_minutes(table: Table, n: int) -> Trace:
    if n != bins.MINUTES_A_DAY:
        raise UsageError(
            f"{table.path} has a count in each of the columns 1 to {n:,}, and they do not say how long a bin is",
            f"{bins.MINUTES_A_DAY:,} columns, the minutes of a day, are read; else write a row per bin: time, count",
        )
    arrivals_ns = bins.of_minutes(table, range(table.width - n, table.width))
    return Trace(arrivals_ns, f"columns 1 to {n:,}, counts a minute of a day, added up over the rows; {table.form}")


def _without_gaps(trace: Trace, most_ns: int) -> Trace:
    gaps_ns = np.diff(trace.arrivals_ns, prepend=0)
    cut_ns = np.minimum(gaps_ns, most_ns)
    n = int((gaps_ns > most_ns).sum())
    if not n:
        return trace
    removed_s = int((gaps_ns - cut_ns).sum()) / 1e9
    note = f"{n:,} gaps were cut to {units.duration(most_ns / 1e9)}, {units.duration(removed_s)} in all"
    return replace(trace, arrivals_ns=np.cumsum(cut_ns), notes=(*trace.notes, note))
