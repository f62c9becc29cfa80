"""JUnit XML for CI: one test case a threshold and a check.

A missed threshold is a failure: the endpoint is slow. An invalid check is an error: the tester is wrong; so is a run
that was cut short, with every threshold that this leaves open. What else is not known is skipped, with the reason, and
an error where the gate is strict. All thresholds of an invalid run are skipped: it says nothing of the endpoint. Where
only the end of the command is bad (it was interrupted after the last request), that is a case of its own. So the
document is red exactly where the exit status is not 0. Times are of the wall, as CI has them, whatever time the
scenario kept.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from smbench.analysis.summary import Summary
from smbench.analysis.verdict.checks import ENDED_BY_ITSELF
from smbench.analysis.verdict.gate import breaks
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.errors import ExitCode
from smbench.findings import Finding, Verdict, verdict
from smbench.printable import printable

_RED = ("failure", "error")
# XML 1.0 has no way to write these, not even escaped; an endpoint's error messages may hold any of them.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(
    summary: Summary,
    findings: Sequence[Finding],
    thresholds: Sequence[ThresholdResult],
    run_dir: Path | None = None,
    *,
    is_strict: bool = False,
    status: ExitCode | None = None,
) -> bytes:
    """The document, UTF-8.

    Args:
        run_dir: Where the run's files are, named in each failure.
        status: The exit status of the command that writes it; None: what follows from findings and thresholds.
    """
    name = _clean(f"smbench.{summary.name or summary.run_id}")
    is_invalid = verdict(findings) is Verdict.INVALID
    unknown = (
        "error" if is_strict or any(one.name == ENDED_BY_ITSELF and breaks(one) for one in findings) else "skipped"
    )
    circumstances = _circumstances(summary, findings, run_dir)
    suites = [
        _suite(
            summary,
            f"{name}.thresholds",
            [_threshold(one, unknown, circumstances, is_invalid=is_invalid) for one in thresholds],
        ),
        _suite(summary, f"{name}.checks", [_check(one, is_strict=is_strict) for one in findings]),
    ]
    if status and not any(case.find(tag) is not None for suite in suites for case in suite for tag in _RED):
        suites.append(_suite(summary, f"{name}.command", [_ended_badly(summary, status, circumstances)]))
    root = ElementTree.Element("testsuites", {"name": "smbench", **_sums([case for suite in suites for case in suite])})
    root.extend(suites)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _ended_badly(summary: Summary, status: ExitCode, circumstances: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"name": "exit status", "time": "0"})
    why = f": {summary.reason}" if summary.reason else ""
    _add(case, "error", f"{status:d}, {status.name.lower()}{why}", kind=status.name.lower(), text=circumstances)
    return case


def _threshold(result: ThresholdResult, unknown: str, circumstances: str, *, is_invalid: bool) -> ElementTree.Element:
    result = result.of_an_invalid_run() if is_invalid else result
    case = ElementTree.Element("testcase", {"name": _clean(result.text), "time": "0"})
    seen = result.seen if result.low is None else f"seen {result.seen}"
    seen += f" ({result.note})" if result.note else ""
    if is_invalid:
        _add(case, "skipped", f"unknown: {seen}")
    elif result.passed is None:
        _add(case, unknown, f"unknown: {seen}", kind="unknown" if unknown == "error" else "", text=circumstances)
    elif not result.passed:
        _add(case, "failure", f"{result.text}: {seen}", kind="threshold", text=circumstances)
    else:
        _add(case, "system-out", text=seen)
    return case


def _circumstances(summary: Summary, findings: Sequence[Finding], run_dir: Path | None) -> str:
    """What a reader of a failure asks next: where the run is, what to doubt, and what is notable."""
    lines = [f"run: {run_dir or summary.run_id}", f"verdict: {verdict(findings).value}", *summary.counts.equations()]
    lines += [f"{one.verdict.value}: {one.name}: {one.seen}" for one in findings if one.verdict is not Verdict.VALID]
    lines += [f"notable: {one.name}: {one.seen}" for one in summary.observations]
    return "\n".join(lines)


def _check(finding: Finding, *, is_strict: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"name": _clean(finding.name), "time": "0"})
    text = f"expected: {finding.expected}\nseen: {finding.seen}" + (
        f"\nto do: {finding.advice}" if finding.advice else ""
    )
    if breaks(finding, is_strict=is_strict):
        _add(case, "error", finding.seen, kind=finding.verdict.value, text=text)
    elif finding.verdict is Verdict.UNKNOWN:
        _add(case, "skipped", f"unknown: {finding.seen}", text=text)
    else:
        _add(case, "system-out", text=text)
    return case


def _add(case: ElementTree.Element, tag: str, message: str = "", *, kind: str = "", text: str = "") -> None:
    attributes = {"message": _clean(message)} if message else {}
    if kind:
        attributes["type"] = kind
    ElementTree.SubElement(case, tag, attributes).text = _clean(text) or None


def _suite(summary: Summary, name: str, cases: list[ElementTree.Element]) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        {"name": name, **_sums(cases), "time": f"{summary.wall_s or 0.0:.3f}", "timestamp": summary.started[:19]},
    )
    for case in cases:
        case.set("classname", name)
        suite.append(case)
    return suite


def _sums(cases: Sequence[ElementTree.Element]) -> dict[str, str]:
    def count(tag: str) -> str:
        return str(sum(case.find(tag) is not None for case in cases))

    return {
        "tests": str(len(cases)),
        "failures": count("failure"),
        "errors": count("error"),
        "skipped": count("skipped"),
    }


def _clean(text: str) -> str:
    return _NO_XML.sub("?", printable(text))
