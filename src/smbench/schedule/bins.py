"""Arrivals from counts: how many there were in each bin, spread evenly inside it, none on its edge."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from smbench.errors import UsageError
from smbench.scenario.phases import REQUESTS_MAX
from smbench.schedule.base import Instants
from smbench.tables.instants import counts
from smbench.tables.table import BadCell, Table

_MINUTE_NS = 60 * 10**9
MINUTES_A_DAY = 1_440


def spread(table: Table, starts_ns: Instants, n_each: Instants, at: int) -> tuple[Instants, int]:
    """Arrivals since the first one, from bins in any order, and how wide a bin was taken to be, in ns.

    The k-th of n lies (k + 1/2)/n of the width after the bin's start. What was bursty within a bin is smooth
    afterwards. The width is the smallest distance of two bins, every other must be a multiple of it, and rows of the
    same bin add up.

    Args:
        at: The column of counts, for messages.

    Raises:
        UsageError: one bin, bins that are not of one width, no arrival or too many.
    """
    bins_ns, row_of_bin, bin_of_row = np.unique(starts_ns, return_index=True, return_inverse=True)
    if len(bins_ns) < 2:
        raise UsageError(f"{table.path}: one bin does not say how wide it is", "give single arrivals or several bins")
    gaps_ns = np.diff(bins_ns)
    width_ns = int(gaps_ns.min())
    if (uneven := np.flatnonzero(gaps_ns % width_ns)).size:
        place = _place(table, int(row_of_bin[uneven[0] + 1]))
        raise UsageError(
            f"{table.path}{place}: this bin begins {int(gaps_ns[uneven[0]]) / 1e9:g} s after the one before it, no "
            f"multiple of the smallest distance, {width_ns / 1e9:g} s",
            "bins of equal width are needed; rows without a count per bin are single arrivals: leave counts out",
        )
    n_in_bin = np.zeros(len(bins_ns), dtype=np.int64)
    np.add.at(n_in_bin, bin_of_row, n_each)
    return _inside(table, bins_ns, n_in_bin, width_ns, f"in column '{table.name(at)}'"), width_ns


def of_minutes(table: Table, columns: Sequence[int]) -> Instants:
    """Arrivals of a file with a column for each minute of a day; its rows (functions, say) add up.

    Raises:
        UsageError: a cell is no count, or there is no arrival, or too many.
    """
    totals = np.zeros(len(columns), dtype=np.int64)
    for batch in table.rows.batches(columns):
        n = len(batch.cells[0])
        try:
            numbers = counts(pl.concat(batch.cells), REQUESTS_MAX)  # of all columns at once: there are 1,440
        except BadCell as bad:
            at, row = divmod(bad.row, n)
            raise table.bad(batch.place, columns[at], replace(bad, row=row)) from None
        totals += numbers.reshape(len(columns), n).sum(axis=1)
    starts_ns = np.arange(len(columns), dtype=np.int64) * _MINUTE_NS
    return _inside(table, starts_ns, totals, _MINUTE_NS, "of the minutes")


def _inside(table: Table, bins_ns: Instants, n_in_bin: Instants, width_ns: int, where: str) -> Instants:
    n = int(n_in_bin.sum())
    if n == 0:
        raise UsageError(f"{table.path}: all counts {where} are 0: no arrivals")
    if n > REQUESTS_MAX:
        raise too_many(table, n)
    k = np.arange(n) - np.repeat(np.cumsum(n_in_bin) - n_in_bin, n_in_bin)
    inside_ns = np.rint((k + 0.5) / np.repeat(n_in_bin, n_in_bin) * width_ns).astype(np.int64)
    at_ns = np.repeat(bins_ns, n_in_bin) + inside_ns
    since_first_ns: Instants = at_ns - at_ns[0]
    return since_first_ns


def too_many(table: Table, n: int) -> UsageError:
    """The error for a trace of more arrivals than a schedule can have."""
    return UsageError(
        f"{table.path} holds {n:,} arrivals; at most {REQUESTS_MAX:,} can be scheduled", "take an excerpt"
    )


def _place(table: Table, row: int) -> str:
    """Where the row of this number is in the file: read again, for a message."""
    for batch in table.rows.batches([0]):
        if row < len(batch.cells[0]):
            return batch.place(row)
        row -= len(batch.cells[0])
    return ""
