"""Rows of a CSV or JSON-lines file as text, each with its line, so that a bad one can be named."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from smbench.errors import UsageError

Row = list[str | None]

_JSON_SUFFIXES = {".jsonl", ".ndjson", ".json"}


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows. `names` is None when the file has no header; its columns are then called 1, 2, 3."""

    path: Path
    names: tuple[str, ...] | None
    rows: list[Row]  # cells without the blanks around them; None: this row has no such cell
    lines: list[int]  # of each row, from 1

    def find(self, column: str) -> int:
        """The index of a column given by its name, or by its number from 1 when the file has no header."""
        if self.names is None:
            width = len(self.rows[0])
            if not column.isdecimal() or not 1 <= int(column) <= width:
                raise UsageError(
                    f"{self.path} has no header, so '{column}' names nothing in it", f"name a column as 1 to {width}"
                )
            return int(column) - 1
        if column in self.names:
            return self.names.index(column)
        near = get_close_matches(column, self.names, n=1)
        meant = f"; did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"{self.path} has no column '{column}'{meant}", f"its columns: {', '.join(self.names)}")

    def name(self, index: int) -> str:
        """The column's name, or its number from 1 where the file has no header."""
        return str(index + 1) if self.names is None else self.names[index]

    def cells(self, index: int) -> Iterator[tuple[int, str]]:
        """Line and text of one column, row by row."""
        for line, row in zip(self.lines, self.rows, strict=True):
            cell = row[index] if index < len(row) else None
            if not cell:
                raise UsageError(f"{self.path}:{line}: the row has nothing in column '{self.name(index)}'")
            yield line, cell

    def bad(self, line: int, index: int, value: str, problem: str) -> UsageError:
        """The error for one cell."""
        shown = value if len(value) <= 60 else value[:57] + "..."
        return UsageError(f"{self.path}:{line}: '{shown}' in column '{self.name(index)}' {problem}")


def read_table(path: Path, is_data: Callable[[str], bool], wanted: Iterable[str]) -> Table:
    """The file's rows, empty lines left out; JSON lines by suffix or first character, else CSV.

    A byte order mark, CRLF, and commas, semicolons or tabs between cells are taken as they come.

    Args:
        is_data: Whether a cell could be data. A CSV's first row is its header when none of its cells could, or when
            it holds a wanted name.
        wanted: Column names to look for in the first row.

    Raises:
        UsageError: unreadable, not UTF-8, not CSV or JSON, or without a row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    if path.suffix.lower() in _JSON_SUFFIXES or text.lstrip()[:1] == "{":
        table = _json_table(path, text)
    else:
        table = _csv_table(path, text, is_data, wanted)
    if not table.rows:
        raise UsageError(f"{path} holds no rows")
    return table


def _csv_table(path: Path, text: str, is_data: Callable[[str], bool], wanted: Iterable[str]) -> Table:
    first_line = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first_line.count), strict=True)
    rows: list[Row] = []
    lines: list[int] = []
    try:
        for cells in reader:
            row: Row = [cell.strip() for cell in cells]
            if any(row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: not CSV: {error}") from error
    if not rows:
        return Table(path, None, rows, lines)
    first = tuple(cell or "" for cell in rows[0])
    if set(wanted) & set(first) or not any(is_data(cell) for cell in first):
        return Table(path, first, rows[1:], lines[1:])
    return Table(path, None, rows, lines)


def _json_table(path: Path, text: str) -> Table:
    names: tuple[str, ...] = ()
    rows: list[Row] = []
    lines: list[int] = []
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            # Numbers stay text: as floats they would lose the digits that tell microseconds apart.
            value = json.loads(written, parse_float=str, parse_int=str)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}:{line}: not JSON: {error}", "one JSON object a line") from error
        if not isinstance(value, dict):
            raise UsageError(f"{path}:{line}: not a JSON object: {written.strip()[:60]}", "one JSON object a line")
        names = names or tuple(value)
        rows.append([None if value.get(name) is None else str(value[name]).strip() for name in names])
        lines.append(line)
    return Table(path, names, rows, lines)
