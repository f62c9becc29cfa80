"""A table that never cuts a figure: columns that do not fit side by side follow below, with the labels repeated."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_BETWEEN = 2  # blanks between columns
_TEXT_MIN = 20  # columns that a text to be wrapped wants

Cell = str | Text


class WholeTable:
    """A bold head, two spaces between columns, no lines. The first column holds the labels.

    Args:
        columns: Head and alignment, `left` or `right`. What is aligned left may be wrapped, figures may not.
    """

    def __init__(self, *columns: tuple[str, str]) -> None:
        self._columns = columns
        self._rows: list[tuple[Sequence[Cell], str]] = []

    def add_row(self, *cells: Cell, style: str = "") -> None:
        """Add a row, a cell for each column."""
        self._rows.append((cells, style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for places in self._stacked(options.max_width):
            yield self._table(places)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._table(range(len(self._columns))))

    def _stacked(self, width: int) -> Iterator[Sequence[int]]:
        """Which columns are side by side: all where they fit, else as many as do, each time behind the labels."""
        widths = [self._width(place) for place in range(len(self._columns))]
        if self._longest_word() + sum(_BETWEEN + other for other in widths[1:]) <= width:  # labels may be wrapped
            yield range(len(widths))
            return
        beside: list[int] = []
        for place in range(1, len(widths)):
            taken = widths[0] + sum(_BETWEEN + widths[other] for other in (*beside, place))
            if beside and taken > width:
                yield (0, *beside)
                beside = []
            beside.append(place)
        yield (0, *beside)

    def _longest_word(self) -> int:
        """Of a label."""
        labels = (self._columns[0][0], *(row[0] for row, _ in self._rows))
        texts = (label.plain if isinstance(label, Text) else label for label in labels)
        return max((cell_len(word) for text in texts for word in text.split()), default=0)

    def _width(self, place: int) -> int:
        head, align = self._columns[place]
        cells = (head, *(row[place] for row, _ in self._rows))
        texts = (cell.plain if isinstance(cell, Text) else cell for cell in cells)
        width = max(cell_len(line) for text in texts for line in text.split("\n"))
        return min(width, _TEXT_MIN) if place and align == "left" else width

    def _table(self, places: Sequence[int]) -> Table:
        table = Table(box=None, padding=(0, _BETWEEN, 0, 0), pad_edge=False, header_style="bold")
        for place in places:
            head, align = self._columns[place]
            is_right = align == "right"
            table.add_column(head, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
        for row, style in self._rows:
            table.add_row(*(row[place] for place in places), style=style)
        return table
