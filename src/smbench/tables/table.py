"""A file of another program as a table: its columns by name, its first rows to guess from, its cells in batches.

One way in for every form: CSV, JSON lines, one JSON document, parquet, Arrow. Only the columns that are asked for are
read, batch by batch, so that three million rows take no more memory than their instants.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import polars as pl

from smbench.errors import UsageError
from smbench.printable import printable
from smbench.tables.timestamps import NO_TIME, no_date

HEAD_ROWS = 100  # what names and kinds are guessed from
_NAMES_SHOWN = 30
_SHOWN_CHARS = 40
_PLAIN = frozenset("0123456789+-.,:/ TZeE")  # of what numbers and dates are made


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows: one series for each column asked for, text without blanks around it or a native type.

    A null is a cell that is missing or empty.
    """

    cells: tuple[pl.Series, ...]
    place: Callable[[int], str]  # where a row of this batch is in the file, such as `:17`


class Rows(Protocol):
    """How the rows of one form are read."""

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """All rows in the order of the file; empty ones left out. Never an empty batch.

        Raises:
            UsageError: a row is not of this form.
        """
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """`names` is None when the file has no header; its columns are then called 1, 2, 3."""

    path: Path
    form: str  # CSV, JSON lines, one JSON document, parquet ...
    names: tuple[str, ...] | None
    head: tuple[tuple[str | None, ...], ...]  # the first rows as text, at least one, all as wide as the table
    rows: Rows
    counts: str | None = None  # the column of counts, where the form itself says that rows are bins
    has_gaps: bool = False  # a bin without a count is an empty one: CloudWatch has no datapoint where nothing was
    notes: tuple[str, ...] = field(default=())  # what a reader should know of the file
    lengths: frozenset[int] = frozenset()  # columns of a type for durations, which has its unit; the head shows ns

    @property
    def width(self) -> int:
        return len(self.head[0])

    def find(self, column: str) -> int:
        """The index of a column given by its name, or by its number from 1 when the file has no header.

        Raises:
            UsageError: there is none; says which there are.
        """
        if self.names is None:
            if not column.isdecimal() or not 1 <= int(column) <= self.width:
                raise UsageError(
                    f"{self.path} has no header, so '{column}' names nothing in it",
                    f"name a column as 1 to {self.width}",
                )
            return int(column) - 1
        if column in self.names:
            if self.names.count(column) > 1:
                raise UsageError(f"{self.path} has {self.names.count(column)} columns '{column}'", "rename one of them")
            return self.names.index(column)
        near = get_close_matches(column, self.names, n=1)
        meant = f"; did you mean '{shown(near[0])}'?" if near else ""
        raise UsageError(f"{self.path} has no column '{column}'{meant}", f"its columns: {self.listed()}")

    def name(self, index: int) -> str:
        """The column's name, or its number from 1."""
        return str(index + 1) if self.names is None else shown(self.names[index])

    def listed(self) -> str:
        """The names, for a message; of many the first."""
        if self.names is None:
            return f"1 to {self.width}"
        more = len(self.names) - _NAMES_SHOWN
        listed = ", ".join(shown(name) for name in self.names[:_NAMES_SHOWN])
        return f"{listed} and {more:,} more" if more > 0 else listed

    def bad(self, place: Callable[[int], str], index: int, cell: "BadCell", advice: str = "") -> UsageError:
        """The error for one cell of a column. Its content is shown where it is made like a number or a date, and else
        not: a file that was named by mistake may hold what no log should."""
        where = f"{self.path}{place(cell.row)}"
        if cell.value is None:
            return UsageError(f"{where}: the row has nothing in column '{self.name(index)}'")
        return UsageError(f"{where}: {as_shown(cell.value)} in column '{self.name(index)}' {cell.problem}", advice)


@dataclass(frozen=True, slots=True)
class BadCell(Exception):  # noqa: N818  # what `Table.bad` makes an error of
    """A cell of a batch that is not what its column holds."""

    row: int
    value: str | None  # None: the row has nothing there
    problem: str


def as_no_time(cell: BadCell) -> BadCell:
    """A cell of a column of times that is no number: what it should be, instead of that."""
    return replace(cell, problem=no_date(cell.value or "") or NO_TIME)


def as_shown(value: str) -> str:
    """A cell for a message: as it is when it is made like a number or a date, else only how long it is."""
    if not _PLAIN.issuperset(value):
        return f"text of {len(value):,} characters"
    return f"'{value}'" if len(value) <= _SHOWN_CHARS else f"'{value[: _SHOWN_CHARS - 3]}...'"


def shown(name: str) -> str:
    """A column's name for a message: nothing that a terminal would obey, and not longer than a line."""
    plain = printable(" ".join(name.split()))
    return plain if len(plain) <= 2 * _SHOWN_CHARS else plain[: 2 * _SHOWN_CHARS - 3] + "..."
