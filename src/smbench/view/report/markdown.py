"""The report as Markdown: verdict and brief blocks, short enough for the page of a CI job."""

from collections.abc import Sequence

from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding, Verdict, verdict
from smbench.printable import printable
from smbench.view.sections.blocks import (
    Block,
    Cell,
    Detail,
    Equations,
    Figures,
    Judged,
    Missing,
    Remarks,
    Sentence,
    Table,
    Tone,
)
from smbench.view.sections.judgement import tally
from smbench.view.sections.order import sections
from smbench.view.sections.prediction import meaning


def to_markdown(summary: Summary, findings: Sequence[Finding], thresholds: Sequence[ThresholdResult]) -> str:
    """GitHub's Markdown, ending in a newline."""
    judged = verdict(findings)
    said = "; ".join(filter(None, (f"**{judged.value.upper()}**", tally(thresholds))))
    parts = [f"## smbench: {_text(summary.name or summary.run_id)}\n\n{said}\n"]
    if summary.prediction is not None:
        parts.append(f"{_text(meaning(summary, judged))}.\n")
    elif judged is Verdict.INVALID:
        parts.append("The figures below are the generator's, not the endpoint's: nothing passes or fails on them.\n")
    parts += [
        _block(block)
        for section in sections(Judged(summary, findings, thresholds))
        for block in section.blocks
        if block.detail is Detail.BRIEF
    ]
    return "\n".join(parts)


def _block(block: Block) -> str:
    match block:
        case Table():
            heads = (block.title, *(column.head for column in block.columns[1:]))
            table = _table(heads, [tuple(map(_cell, row.cells)) for row in block.rows[: block.n_brief]])
            return "\n".join((table, *(f"{_text(note)}\n" for note in block.whole_notes)))
        case Figures():
            return f"**{_text(block.title)}**: {_text('; '.join(one.said for one in block.figures if one.said))}.\n"
        case Missing():
            return f"**{_text(block.title)}**: not known: {_text(block.reason)}.\n"
        case Remarks():
            rows = [(one.mark, _text(one.name), _text(one.seen), _text(one.advice)) for one in block.remarks]
            return _table((block.title, "", "seen", "to do"), rows)
        case Equations():
            return "".join(f"    {line}\n" for line in block.lines)
        case Sentence():
            return f"{_text(block.text)}\n"


def _cell(cell: Cell) -> str:
    text = cell.brief or cell.text
    if cell.is_code:
        return _code(text)
    emphasised = f"**{_text(text)}**" if cell.tone is Tone.BAD else _text(text)
    return f"{emphasised} ({_text(cell.note)})" if cell.note else emphasised


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _text(text: str) -> str:
    """One line of text in which no character means anything to Markdown or ends the cell."""
    line = " ".join(printable(text).split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _code(text: str) -> str:
    """As written; in a table a bar is escaped even within a code span."""
    return f"`{' '.join(printable(text).split()).replace('`', chr(39)).replace('|', chr(92) + '|')}`"
