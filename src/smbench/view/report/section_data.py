"""A report's sections as JSON has them: tables with typed cells, figures, sentences, unknowns with reasons.

The figures of `summary` have all digits and keys that stay; here is what a person reads, for a page of one's own.
"""

from pydantic import BaseModel, ConfigDict

from smbench.view.sections.blocks import (
    Block,
    Cell,
    Equations,
    Figures,
    Missing,
    Remark,
    Remarks,
    Section,
    Sentence,
    Table,
)


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class CellData(_Data):
    """A cell: as a person reads it, and the figure in its unit; null where it is a text, a range, or not known."""

    text: str
    value: int | float | None
    unit: str
    reason: str  # why it is not known; empty where it is


class TableData(_Data):
    """Rows of cells under heads."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[CellData, ...], ...]
    notes: tuple[str, ...]


class FigureData(_Data):
    """One figure, and the matter that it belongs to."""

    of: str
    name: str
    figure: CellData
    meaning: str


class UnknownData(_Data):
    """What is not known, and why."""

    what: str
    reason: str


class SectionData(_Data):
    """One section of the report."""

    name: str
    title: str
    tables: tuple[TableData, ...]
    figures: tuple[FigureData, ...]
    sentences: tuple[str, ...]
    unknown: tuple[UnknownData, ...]


def section_data(section: Section) -> SectionData:
    """The same content without anything that only a drawing needs."""
    figures = [block for block in section.blocks if isinstance(block, Figures)]
    return SectionData(
        name=section.name,
        title=section.title,
        tables=tuple(_table(block) for block in section.blocks if isinstance(block, Table)),
        figures=tuple(
            FigureData(of=block.title, name=one.name, figure=_cell(one.cell), meaning=one.meaning)
            for block in figures
            for one in block.figures
        ),
        sentences=tuple(text for block in section.blocks for text in _sentences(block)),
        unknown=tuple(
            UnknownData(what=block.what, reason=block.reason) for block in section.blocks if isinstance(block, Missing)
        ),
    )


def _table(block: Table) -> TableData:
    return TableData(
        title=block.caption,
        heads=tuple(column.head for column in block.columns),
        rows=tuple(tuple(map(_cell, row.cells)) for row in block.rows),
        notes=block.notes,
    )


def _cell(cell: Cell) -> CellData:
    return CellData(text=cell.text.strip(), value=cell.value, unit=cell.unit, reason=cell.reason)


def _sentences(block: Block) -> tuple[str, ...]:
    match block:
        case Sentence():
            return (block.text,)
        case Equations():
            return block.lines
        case Remarks():
            return tuple(map(_remark, block.remarks))
        case Figures():
            return block.notes
        case _:
            return ()


def _remark(remark: Remark) -> str:
    labels = [label for label in (remark.mark, remark.name) if label]
    parts = [f"{': '.join((*labels, remark.seen))}."]
    parts += [f"expected: {remark.expected}."] * bool(remark.expected)
    parts += [f"to do: {remark.advice}."] * bool(remark.advice)
    return " ".join(parts)
