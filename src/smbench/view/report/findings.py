"""Findings as text and JSON: one below the other, each with what to do."""

import textwrap
from collections.abc import Sequence

from smbench import units
from smbench.findings import Finding, Verdict, verdict
from smbench.printable import printable

_WIDTH = 100
_MARKS = {Verdict.VALID: "ok", Verdict.UNKNOWN: "unknown", Verdict.INVALID: "wrong"}
_INDENT = " " * 9


def findings_text(findings: Sequence[Finding]) -> str:
    """Every finding with what was seen, and below it what to do; the last line counts."""
    lines: list[str] = []
    for finding in findings:
        seen = printable(f"{finding.name}: {finding.seen}")
        lines += textwrap.wrap(seen, _WIDTH, initial_indent=f"{_MARKS[finding.verdict]:<9}", subsequent_indent=_INDENT)
        if finding.advice:
            advice = printable(f"-> {finding.advice}")
            lines += textwrap.wrap(advice, _WIDTH, initial_indent=_INDENT, subsequent_indent=f"{_INDENT}   ")
    n_wrong, n_unknown = (sum(one.verdict is kind for one in findings) for kind in (Verdict.INVALID, Verdict.UNKNOWN))
    wrong = "nothing is wrong" if not n_wrong else f"{n_wrong} wrong"
    return "\n".join([*lines, f"{units.counted(len(findings), 'question')}: {wrong}, {n_unknown} not known"])


def findings_json(findings: Sequence[Finding]) -> dict[str, object]:
    """The verdict of all, and each finding with its members."""
    return {"verdict": verdict(findings).value, "findings": [one.model_dump(mode="json") for one in findings]}
