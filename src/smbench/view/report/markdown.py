"""The report as Markdown, short enough for the page of a CI job: verdict, thresholds, what to doubt, latency."""

from collections.abc import Sequence

from smbench.analysis.latency.over_time import FROM_ACCEPTANCE, FROM_SCHEDULE
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Finding, Verdict, verdict
from smbench.printable import printable
from smbench.view.report.predicted import meaning

_WORD = {True: "met", False: "**missed**", None: "unknown"}
_PERCENTILES = ("p50", "p90", "p95", "p99", "max")


def to_markdown(summary: Summary, findings: Sequence[Finding], thresholds: Sequence[ThresholdResult]) -> str:
    """GitHub's Markdown, ending in a newline."""
    judged = verdict(findings)
    n_missed = sum(result.passed is False for result in thresholds)
    n_met = sum(result.passed is True for result in thresholds)
    said = f"; {n_met} of {len(thresholds)} thresholds met, {n_missed} missed" if thresholds else ""
    parts = [f"## smbench: {_cell(summary.name or summary.run_id)}\n\n**{judged.value.upper()}**{said}\n"]
    if summary.prediction is not None:
        parts.append(f"{_cell(meaning(summary, judged))}.\n")
    elif judged is Verdict.INVALID:
        parts.append("The figures below are the generator's, not the endpoint's: nothing passes or fails on them.\n")
    if thresholds:
        results = [(_WORD[one.passed], _code(one.text), _seen(one)) for one in thresholds]
        parts.append(_table(("", "threshold", "seen"), results))
    doubts = [one for one in findings if one.verdict is not Verdict.VALID]
    if doubts:
        parts.append(
            _table(
                ("", "check", "seen", "to do"),
                [(one.verdict.value, _cell(one.name), _cell(one.seen), _cell(one.advice)) for one in doubts],
            )
        )
    spreads = ((FROM_SCHEDULE.name, summary.sojourn), (FROM_ACCEPTANCE.name, summary.service_view))
    measured = [(name, spread) for name, spread in spreads if spread.n]
    if measured:
        rows = [
            (name, f"{spread.n:,}", *(_percentile(spread.percentile(one)) for one in _PERCENTILES))
            for name, spread in measured
        ]
        parts.append(_table(("latency", "n", *_PERCENTILES), rows))
    parts.append("\n".join(f"    {equation}" for equation in summary.counts.equations()) + "\n")
    return "\n".join(parts)


def _seen(result: ThresholdResult) -> str:
    return _cell(result.seen) + (f" ({_cell(result.note)})" if result.note else "")


def _percentile(figure: Bounded | None) -> str:
    return "-" if figure is None else _cell(figure.text())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cell(text: str) -> str:
    """One line of text that no character of which means anything to Markdown or ends the cell."""
    line = " ".join(printable(text).split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _code(text: str) -> str:
    """As written; in a table a bar is escaped even within a code span."""
    return f"`{' '.join(printable(text).split()).replace('`', chr(39)).replace('|', chr(92) + '|')}`"
