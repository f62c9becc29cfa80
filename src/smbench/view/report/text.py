"""The report of a run as a terminal shows it: verdict first, then every section, at most 80 columns wide.

It says the same without colour. `summary_file` has the same sections for programs, and more digits.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from smbench import units
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding, Verdict, verdict
from smbench.records import Ending
from smbench.view.report.whole_table import WholeTable
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Detail,
    Equations,
    Figures,
    Judged,
    Missing,
    Remark,
    Remarks,
    Sentence,
    Table,
    Tone,
)
from smbench.view.sections.judgement import tally
from smbench.view.sections.order import sections
from smbench.view.sections.prediction import meaning

_STYLE = {Verdict.VALID: "bold green", Verdict.UNKNOWN: "bold yellow", Verdict.INVALID: "bold red"}
_WORDS_WIDTH = 36
_TONE = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.BAD: "bold red", Tone.DOUBTFUL: "yellow", Tone.MINOR: "dim"}


def render(
    summary: Summary,
    findings: Sequence[Finding],
    thresholds: Sequence[ThresholdResult],
    run_dir: Path | None = None,
) -> RenderableType:
    """The whole report."""
    blocks: list[RenderableType] = [_head(summary, findings, thresholds)]
    shown = [
        block
        for section in sections(Judged(summary, findings, thresholds))
        for block in section.blocks
        if block.detail <= Detail.REPORT
    ]
    for kind, alike in groupby(shown, _kind):
        blocks += _DRAW[kind](list(alike))
    if run_dir is not None:
        blocks.append(Text(f"Files: {run_dir}", style="dim"))
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks))


# ---- head -----------------------------------------------------------------------------------------------------


def _head(summary: Summary, findings: Sequence[Finding], thresholds: Sequence[ThresholdResult]) -> Text:
    judged = verdict(findings)
    text = Text()
    text.append(judged.value.upper(), _STYLE[judged])
    text.append(f"  {summary.name or summary.run_id}: {meaning(summary, judged)}\n")
    if said := tally(thresholds):
        found = {result.passed for result in thresholds}
        style = "bold red" if False in found else "yellow" if None in found else "green"
        text.append(f"{said}\n", style)
    if summary.description:
        text.append(f"{summary.description.strip()}\n", "dim")
    text.append(f"{identity(summary)}, {_ending(summary)}", "dim")
    return text


def identity(summary: Summary) -> str:
    """What was measured, in which kind of time, how long, by how many workers, with which seed."""
    time = {"real": "real time", "warp": "virtual time"}.get(summary.clock, f"time scaled {summary.scale:g} times")
    seed = "" if summary.seed is None else f", seed {summary.seed}"
    by = "" if summary.workers == 1 else f", {summary.workers} workers"
    return f"{summary.target}, {time}, {units.duration(summary.length_s)}{by}{seed}"


def _ending(summary: Summary) -> str:
    """Finished, or why it was not as planned."""
    if summary.reason and summary.ending == Ending.FAILED:
        return f"{summary.ending}: {summary.reason}"
    return summary.reason or summary.ending


# ---- blocks ---------------------------------------------------------------------------------------------------


def _kind(block: Block) -> str:
    """Blocks of one kind that follow each other are drawn as one."""
    match block:
        case Figures() | Missing():
            return "lines"
        case Table():
            return "tables"
        case Remarks():
            return "remarks"
        case Equations():
            return "equations"
        case Sentence():
            return "sentences"


def _tables(blocks: Sequence[Block]) -> Iterator[RenderableType]:
    for block in blocks:
        assert isinstance(block, Table)
        yield Group(_table(block), *(Text(note, style="dim") for note in block.whole_notes))


def _table(block: Table) -> WholeTable:
    heads = ((column.head, "left" if column.is_text else "right") for column in block.columns[1:])
    table = WholeTable((block.title, "left"), *heads)
    n = len(block.rows) if block.n_brief is None else block.n_brief
    is_text = (True, *(column.is_text for column in block.columns[1:]))
    for row in block.rows[:n]:
        table.add_row(*map(_cell, row.cells, is_text), style="dim" if row.is_minor else "")
        if any(cell.note for cell in row.cells):
            table.add_row(*(Text(_folded(cell.note), style="dim") for cell in row.cells))
    if block.more is not None and len(block.rows) > n:
        table.add_row(*map(_cell, block.more.cells, is_text))
    return table


def _folded(words: str) -> str:
    """Words in a column of figures, which a table does not wrap."""
    return "\n".join(wrap(words, _WORDS_WIDTH)) if len(words) > _WORDS_WIDTH else words


def _cell(cell: Cell, is_text: bool) -> str | Text:
    text = cell.brief or cell.text
    if not is_text:
        text = _folded(text)
    return Text(text, _TONE[cell.tone]) if cell.tone else text


def _lines(blocks: Sequence[Block]) -> Iterator[RenderableType]:
    """Each block a line of words: what has few numbers needs no table."""
    table = _grid(style="bold")
    for block in blocks:
        if isinstance(block, Missing):
            table.add_row(block.title, f"not known: {block.reason}")
        elif isinstance(block, Figures) and (said := "; ".join(one.said for one in block.figures if one.said)):
            table.add_row(block.title, said)
    if table.row_count:
        yield table


def _remarks(blocks: Sequence[Block]) -> Iterator[RenderableType]:
    """Judgements have their verdict in front, observations their name."""
    remarks = [remark for block in blocks if isinstance(block, Remarks) for remark in block.remarks]
    for is_judged, alike in groupby(remarks, lambda remark: bool(remark.mark)):
        table = _grid(style="" if is_judged else "bold")
        for remark in alike:
            label = Text(remark.mark, _MARK[remark.tone]) if is_judged else remark.name
            table.add_row(label, _remark(remark))
        yield table


_MARK = {**_TONE, Tone.DOUBTFUL: "bold yellow"}


def _remark(remark: Remark) -> Text:
    if not remark.name:
        return Text(remark.seen, style="dim")
    text = Text(f"{remark.name}: {remark.seen}." if remark.mark else f"{remark.seen}.")
    if remark.expected:
        text.append(f"\nexpected: {remark.expected}")
    if remark.advice:
        text.append(f"\nto do: {remark.advice}", "" if remark.mark else "dim")
    return text


def _equations(blocks: Sequence[Block]) -> Iterator[RenderableType]:
    """Aligned at the equals sign; a long line is continued behind it."""
    table = Grid.grid(padding=(0, 1))
    for equation in (line for block in blocks if isinstance(block, Equations) for line in block.lines):
        sign = " != " if " != " in equation else " = "
        whole, parts = equation.split(sign)
        table.add_row(whole, sign.strip(), parts, style="bold red" if sign == " != " else "")
    yield table


def _sentences(blocks: Sequence[Block]) -> Iterator[RenderableType]:
    yield Text("\n".join(block.text for block in blocks if isinstance(block, Sentence)))


def _grid(style: str) -> Grid:
    """Labels and texts, the texts aligned."""
    table = Grid.grid(padding=(0, 2))
    table.add_column(style=style, no_wrap=True)
    table.add_column()
    return table


_DRAW = {
    "tables": _tables,
    "lines": _lines,
    "remarks": _remarks,
    "equations": _equations,
    "sentences": _sentences,
}
