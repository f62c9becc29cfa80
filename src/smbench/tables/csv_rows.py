"""CSV in the forms that people have: any usual separator, blanks, a header or none, decimal commas, long cells.

Where a file has no quotes a row is a line and its cells lie between separators, and polars cuts the columns that are
asked for out of a block at once. From the first quote on, and wherever a block is not plain, the standard library's
reader decides, so both ways give the same.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import polars as pl

from smbench.errors import UsageError
from smbench.tables.opening import LINE_MAX_BYTES, Watch, blocks
from smbench.tables.table import HEAD_ROWS, Batch, Table
from smbench.tables.timestamps import is_date, is_number, is_time_of_day

Row = list[str]

_BATCH_ROWS = 100_000
_BATCH_CHARS = 32 << 20
_PREAMBLE_ROWS_MAX = 20
_SEPARATORS = ",;\t|"
_BLANKS = " "  # columns that lie apart by one or more of them
_SEP_LINE = re.compile(rb"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own
_WITH_COMMA = r"^[+-]?[0-9]+,[0-9]+$"
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
_BELOW_A_THOUSAND = re.compile(r"[+-]?\d{1,3}", re.ASCII)
_THOUSANDS_MIN = 5  # rows with such a mark: fewer may be numbers with three digits behind their point
_CONSOLE_ROWS = {"full label", "label", "id", "region", "period", "statistic", "account", "account id"}  # one a metric


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The rows below the header."""

    path: Path
    separator: str
    width: int
    n_skipped: int  # lines before the first row of data
    watch: Watch | None
    n_above: int = 0  # of these, lines that are no rows at all: comments, or what the separator is
    commas: frozenset[int] = frozenset()  # columns of numbers with a decimal comma
    thousands: frozenset[int] = frozenset()  # columns of numbers that seem to have a point between thousands

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """See `table.Rows`."""
        if at := next((index + 1 for index in columns if index in self.thousands), None):
            raise UsageError(
                f"{self.path}: the numbers of column {at} have points between thousands, it seems",
                "write them without, or all with as many digits behind the point",
            )
        places = [place for place, index in enumerate(columns) if index in self.commas]
        for batch in self._batches(columns):
            cells = list(batch.cells)
            for place in places:
                cells[place] = _with_points(cells[place])
            yield Batch(tuple(cells), batch.place)

    def _batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        line = 1 + self.n_above
        pieces = _below(self.n_above, blocks(self.path, self.watch), self.separator)
        for piece in pieces:
            if b'"' in piece:
                yield from self._by_the_library(chain([piece], pieces), line, columns)
                return
            n_lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
            if line + n_lines - 1 > self.n_skipped:
                n_skipped = max(0, self.n_skipped - line + 1)
                if (plain := self._plain(piece, n_skipped, n_lines, line, columns)) is not None:
                    yield plain
                else:
                    yield from self._by_the_library([piece], line, columns)
            line += n_lines

    def _plain(self, piece: bytes, n_skipped: int, n_lines: int, line: int, columns: Sequence[int]) -> Batch | None:
        """The block's cells; None where a row is not a line, has a cell too many or lacks one, or it is not UTF-8."""
        if piece.count(b"\r") != piece.count(b"\r\n") or self._is_torn(piece):
            return None
        if piece.count(_character(self.separator).encode()) > n_lines * (self.width - 1):
            return None
        names = [f"c{index}" for index in range(self.width + 1)]  # the last one of rows that are too wide
        try:
            frame = pl.read_csv(
                piece,
                has_header=False,
                schema=dict.fromkeys(names, pl.String),
                columns=[*sorted(set(columns)), self.width],
                separator=_character(self.separator),
                quote_char=None,
                skip_lines=n_skipped,
                truncate_ragged_lines=True,
                missing_columns="insert",
                raise_if_empty=False,
            )
        except pl.exceptions.PolarsError:
            return None
        if frame.height != n_lines - n_skipped:
            return None
        frame = frame.select(pl.all().str.strip_chars())
        if (frame.drop_in_place(names[-1]).fill_null("") != "").any():
            return None
        if frame.select(pl.any_horizontal((pl.all().is_null() | (pl.all() == "")).any())).item():
            return None
        first = line + n_skipped
        return Batch(tuple(frame[names[index]] for index in columns), lambda row: f":{first + row}")

    def _is_torn(self, piece: bytes) -> bool:
        """Whether the block ends within a row, before its last cell."""
        last = piece[piece.rfind(b"\n") + 1 :]
        return bool(last) and last.count(_character(self.separator).encode()) < self.width - 1

    def _by_the_library(self, pieces: Iterable[bytes], line: int, columns: Sequence[int]) -> Iterator[Batch]:
        """The cells of the blocks as the standard library reads them.

        Raises:
            UsageError: a row has more cells than there are names, so that some are under the wrong one; or the last row
                has fewer and no end of line.
        """
        lines: list[int] = []
        last, at, row = [b""], line, [""] * self.width
        cells: list[list[str | None]] = [[] for _ in columns]
        n_chars = 0
        for at, row in _library_rows(self.path, _remembered(pieces, last), self.separator, line):
            if at <= self.n_skipped:
                continue
            if any(row[self.width :]):
                raise self._too_wide(at, len(row))
            lines.append(at)
            for column, index in zip(cells, columns, strict=True):
                cell = row[index] if index < len(row) else ""
                n_chars += len(cell)
                column.append(cell or None)
            if len(lines) == _BATCH_ROWS or n_chars > _BATCH_CHARS:
                yield _batch(cells, lines)
                lines, cells, n_chars = [], [[] for _ in columns], 0
        if len(row) < self.width and not last[0].endswith((b"\n", b"\r")):
            raise UsageError(
                f"{self.path}:{at}: the last row ends after {len(row)} of {self.width} cells, without an end of line: "
                "the file was cut short, or is still being written",
                "copy it again, or remove that row",
            )
        if lines:
            yield _batch(cells, lines)

    def _too_wide(self, at: int, n: int) -> UsageError:
        return UsageError(
            f"{self.path}:{at}: the row has {n} cells, and there are {self.width} columns",
            f"put a cell that holds a {self.separator!r} in quotes; if each row has a cell more than the header, as R "
            "writes it, name the first column",
        )


def _remembered(pieces: Iterable[bytes], last: list[bytes]) -> Iterator[bytes]:
    """The same blocks, the latest of them kept in `last`."""
    for piece in pieces:
        last[0] = piece
        yield piece


def _batch(cells: list[list[str | None]], lines: list[int]) -> Batch:
    return Batch(tuple(pl.Series(column, dtype=pl.String) for column in cells), lambda row: f":{lines[row]}")


def csv_table(path: Path, wanted: Iterable[str] = (), watch: Watch | None = None) -> Table:
    """The table of a CSV file. Its first row is the header when none of its cells could be a number or a time.

    Args:
        wanted: Names that make a first row the header.

    Raises:
        UsageError: not UTF-8, not CSV, or without a row.
    """
    pieces = blocks(path)
    n_lines, separator = _preamble(first := next(pieces, b""))
    below = _below(n_lines, chain([first], pieces), separator)
    rows = list(islice(_library_rows(path, below, separator, 1 + n_lines), HEAD_ROWS + _PREAMBLE_ROWS_MAX))
    if not rows:
        raise UsageError(f"{path} holds no rows")
    names, n_above, is_console = _layout([row for _, row in rows], set(wanted))
    body = [row for _, row in rows[n_above : n_above + HEAD_ROWS]]
    if not body:
        raise UsageError(f"{path} holds no rows")
    width = len(names) if names is not None else max(len(row) for row in body)
    n_skipped = rows[n_above - 1][0] if n_above else n_lines
    commas = frozenset() if separator == "," else frozenset(at for at in range(width) if _has_commas(body, at))
    thousands = frozenset(at for at in range(width) if _has_thousands(body, at))
    form = "text with blanks between its columns" if separator == _BLANKS else "CSV"
    body = [[cell.replace(",", ".") if at in commas else cell for at, cell in enumerate(row)] for row in body]
    is_console = is_console or (names is not None and all(_is_console_row(row) for row in body))
    return Table(
        path=path,
        form="CSV of the CloudWatch console" if is_console else form,
        names=names,
        head=tuple(tuple((row[index] if index < len(row) else "") or None for index in range(width)) for row in body),
        rows=CsvRows(path, separator, width, n_skipped, watch, n_lines, commas, thousands),
        counts=names[1] if is_console and names is not None and width == 2 else None,
        has_gaps=is_console,
        notes=("its numbers have decimal commas",) if commas else (),
    )


def _preamble(first: bytes) -> tuple[int, str]:
    """How many lines at the top are no rows, and the separator of those that are.

    A line that begins with `#` is a comment unless it has as many cells as the first line that does not: a header.
    """
    if sep := _SEP_LINE.match(first):
        return 1, sep[1].decode("latin-1")
    lines = first.splitlines()
    n_hashed = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith(b"#")), 0)
    first_row = lines[n_hashed] if lines else b""
    separator = max(_SEPARATORS, key=lambda mark: first_row.count(mark.encode()))
    n_separators = first_row.count(separator.encode())
    if not n_separators and _are_by_blanks(lines[n_hashed : n_hashed + _PREAMBLE_ROWS_MAX]):
        return n_hashed, _BLANKS
    if n_hashed and lines[n_hashed - 1].count(separator.encode()) == n_separators:
        n_hashed -= 1
    return n_hashed, separator


def _are_by_blanks(lines: Sequence[bytes]) -> bool:
    """Whether each line has the same number of words, of which one of the last line is a number or a date: more than
    one column, that is. A date and its time of day alone are one."""
    rows = [line.decode(errors="replace").split() for line in lines if line.strip()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths < {2} or any(b'"' in line for line in lines):
        return False
    return not is_date(" ".join(rows[-1])) and any(is_number(word) or is_date(word) for word in rows[-1])


def _below(n_lines: int, pieces: Iterator[bytes], separator: str) -> Iterator[bytes]:
    """The blocks without the first lines, which lie in the first block; where blanks separate, tabs in their place."""
    for piece in pieces:
        rest = piece.split(b"\n", n_lines)[-1] if n_lines else piece
        n_lines = 0
        if rest and separator == _BLANKS:
            rest = re.sub(rb" +", b"\t", re.sub(rb"(?m)^ +| +(?=\r?$)", b"", rest))
        if rest:
            yield rest


def _character(separator: str) -> str:
    """What lies between the cells of a block that `_below` gave."""
    return "\t" if separator == _BLANKS else separator


def _has_commas(body: Sequence[Row], at: int) -> bool:
    """Whether a column holds numbers with a decimal comma: `1,234` alone might be a thousand and more."""
    cells = [row[at] for row in body if at < len(row) and row[at]]
    with_comma = [cell.lstrip("+-").partition(",") for cell in cells if re.match(_WITH_COMMA, cell)]
    if not with_comma or any("," in cell and not re.match(_WITH_COMMA, cell) for cell in cells):
        return False
    return any(len(whole) > 3 or whole == "0" or len(fraction) != 3 for whole, _, fraction in with_comma)


def _has_thousands(body: Sequence[Row], at: int) -> bool:
    """Whether a column has `1.000` beside `0`: a point that were a decimal one would be in every cell, or be followed
    by fewer digits in some."""
    cells = [row[at] for row in body if at < len(row) and row[at]]
    marked = [cell for cell in cells if _THOUSANDS.fullmatch(cell)]
    plain = [cell for cell in cells if _BELOW_A_THOUSAND.fullmatch(cell)]
    return len(marked) >= _THOUSANDS_MIN and bool(plain) and len(marked) + len(plain) == len(cells)


def _with_points(cells: pl.Series) -> pl.Series:
    is_one = cells.str.contains(_WITH_COMMA)
    return pl.select(pl.when(is_one).then(cells.str.replace(",", ".", literal=True)).otherwise(cells)).to_series()


def _layout(rows: Sequence[Row], wanted: set[str]) -> tuple[tuple[str, ...] | None, int, bool]:
    """The names, how many rows lie above the data, and whether the CloudWatch console wrote them."""
    first = rows[0]
    if wanted & set(first):
        return tuple(first), 1, False
    if len(rows) > 1 and all(row[0].rstrip(":").lower() in _CONSOLE_ROWS for row in rows[:2]):
        begins = (at for at, row in enumerate(rows) if is_date(row[0]))
        n_above = next(begins, len(rows))
        labels = {row[0].rstrip(":").lower(): row for row in reversed(rows[:n_above])}
        named = next((labels[kind] for kind in ("label", "full label", "id") if kind in labels), first)
        return ("time", *(name or str(at) for at, name in enumerate(named[1:], 2))), n_above, True
    if not any(is_number(cell) or is_date(cell) or is_time_of_day(cell) for cell in first) or n_counted(first):
        return tuple(first), 1, False
    return None, 0, False


def _is_console_row(row: Row) -> bool:
    """A date as the console writes it, and nothing but values beside it."""
    return len(row) > 1 and "/" in row[0] and is_date(row[0]) and all(not cell or is_number(cell) for cell in row[1:])


def n_counted(names: Sequence[str]) -> int:
    """How many of the last names count up from one: columns of counts, of a minute each; 0 for fewer than ten."""
    n = int(names[-1]) if names and names[-1].isdecimal() and len(names[-1]) <= 5 else 0
    counted = 10 <= n <= len(names) and all(name == str(at) for at, name in enumerate(names[-n:], 1))
    return n if counted else 0


def _library_rows(path: Path, pieces: Iterable[bytes], separator: str, line: int) -> Iterator[tuple[int, Row]]:
    """Line and cells of each row that is not empty, cells without blanks around them; `line` is the first one's."""
    reader = csv.reader(
        _text_lines(path, pieces, line), delimiter=_character(separator), skipinitialspace=True, strict=True
    )
    try:
        while (cells := _next_row(reader)) is not None:
            row = [cell.strip() for cell in cells]
            if any(row):
                yield reader.line_num + line - 1, row
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num + line - 1}: not CSV: {error}") from error


def _next_row(reader: Iterator[Row]) -> Row | None:
    """The next row, its cells as long as a line may be: the library's limit is one for the whole process, so it is
    raised for this call alone."""
    before = csv.field_size_limit(LINE_MAX_BYTES)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


def _text_lines(path: Path, pieces: Iterable[bytes], line: int) -> Iterator[str]:
    for piece in pieces:
        try:
            text = piece.decode()
        except UnicodeDecodeError as error:
            at = line + piece.count(b"\n", 0, error.start)
            raise UsageError(f"{path} is not UTF-8 text: {error.reason} in line {at}", "save it as UTF-8") from error
        line += piece.count(b"\n")
        yield from io.StringIO(text, newline="")
