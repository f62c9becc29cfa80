"""What a report consists of, before it is drawn: sections of tables, figures, remarks and sentences.

Text, page, Markdown and JSON draw the same blocks, so that a figure is written once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding


class Detail(IntEnum):
    """How short a report may be and still have a block; the page and the JSON have every block."""

    BRIEF = 0  # a CI job's page: everywhere
    REPORT = 1  # the terminal
    FULL = 2  # only the page and the JSON


class Tone(IntEnum):
    """How a text is emphasised where there are colours; it says the same without."""

    PLAIN = 0
    GOOD = 1
    BAD = 2
    DOUBTFUL = 3
    MINOR = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure or text.

    `value` is the figure in `unit`, for programs; None where the cell is a text, a range, or unknown for `reason`.
    `brief` replaces a long text where there is little room; `note` is what a reader should know of the figure.
    """

    text: str
    value: int | float | None = None
    unit: str = ""
    reason: str = ""
    brief: str = ""
    note: str = ""
    tone: Tone = Tone.PLAIN
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; figures are aligned right, texts left."""

    head: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, one a column; the first is its label."""

    cells: tuple[Cell, ...]
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads.

    `title` is short and heads the labels where the table has no caption above it. Where there is little room, only
    the first `n_brief` rows are shown, and then the row `more`.
    """

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    n_brief: int | None = None
    more: Row | None = None
    detail: Detail = Detail.REPORT

    @property
    def whole_notes(self) -> tuple[str, ...]:
        """The notes, and for what reason cells are `-`, each reason once, where neither note nor cell has it."""
        heads: dict[str, list[str]] = {}
        for row in self.rows:
            for column, cell in zip(self.columns, row.cells, strict=True):
                if cell.reason and cell.reason not in cell.text:
                    heads.setdefault(cell.reason, []).append(column.head)
        left = {why: named for why, named in heads.items() if not any(why in note for note in self.notes)}
        said = (f"- under {', '.join(dict.fromkeys(named))}: {why}." for why, named in left.items())
        return (*self.notes, *said)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its name and what it is. `said` is the figure in a line of several; empty: not in that line."""

    name: str
    cell: Cell
    meaning: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures on one matter: a table of them on a page, one line where there is little room."""

    title: str
    caption: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()  # for the page and the JSON
    detail: Detail = Detail.REPORT


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not known, and why. `title` labels it in a list of lines, `what` names it in a sentence."""

    title: str
    what: str
    reason: str
    detail: Detail = Detail.REPORT


@dataclass(frozen=True, slots=True)
class Remark:
    """Something found: what, whether it is bad, what was expected, and what to do. Empty: does not apply."""

    name: str
    seen: str
    mark: str = ""
    tone: Tone = Tone.PLAIN
    expected: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What was found, most important first."""

    title: str
    remarks: tuple[Remark, ...]
    detail: Detail = Detail.REPORT


@dataclass(frozen=True, slots=True)
class Equations:
    """Sums that add up, or do not: then they have `!=`."""

    lines: tuple[str, ...]
    detail: Detail = Detail.BRIEF


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of its own."""

    text: str
    detail: Detail = Detail.BRIEF


Block = Table | Figures | Missing | Remarks | Equations | Sentence


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report, in the order in which it is read; `name` is its anchor and its key."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a report is made from: a run's figures, what the checks found, and its thresholds."""

    summary: Summary
    findings: Sequence[Finding]
    thresholds: Sequence[ThresholdResult]


def table_of_texts(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = (), *, n_text: int = 1
) -> Table:
    """A table whose cells are texts already; the first `n_text` columns are words, the others figures."""
    columns = tuple(Column(head, is_text=place < n_text) for place, head in enumerate(heads))
    return Table(caption, caption, columns, tuple(Row(tuple(map(Cell, row))) for row in rows), tuple(notes))
