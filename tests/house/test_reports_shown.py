"""Goal: a report that a document shows is the report, today's.

Method: print that of `results/sample` and set it into the documents; where they differ from what is committed,
`pytest tests/house --update-golden` writes them anew, and the sample's `summary.json`.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import smbench
from smbench.analysis.verdict.checks import CHECKS, ENDED_BY_ITSELF
from smbench.cli.app import app
from smbench.printable import json_document

ROOT = Path(__file__).parents[2]
SAMPLE = "results/sample"
SHOWN = re.compile(rf"(<!-- report of {SAMPLE}(?:: (.+?))? -->\n```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def paragraphs() -> list[str]:
    """Of the report, each without its blank line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        printed = CliRunner().invoke(app, ["report", SAMPLE], catch_exceptions=False).stdout
    lines = [line.rstrip() for line in printed.strip().splitlines()]
    return "\n".join(lines).split("\n\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/report.md"])
def test_a_report_in_a_document_is_what_the_sample_run_says(
    name: str, paragraphs: list[str], is_golden: Callable[[Path, str], bool]
) -> None:
    def shown(match: re.Match[str]) -> str:
        openings = tuple(match[2].split(", ")) if match[2] else ("",)
        chosen = [paragraph for paragraph in paragraphs if paragraph.startswith(openings)]
        assert chosen, f"the report has no paragraph that begins with one of {openings}"
        return match[1] + "\n\n".join(chosen) + "\n"

    written = (ROOT / name).read_text(encoding="utf-8")
    drawn, n = SHOWN.subn(shown, written)
    assert n == 1, "one report, after its marker"
    assert is_golden(ROOT / name, drawn), "draw it again: pytest tests/house --update-golden"


@pytest.mark.slow
def test_the_summary_of_the_sample_run_is_todays(
    monkeypatch: pytest.MonkeyPatch, is_golden: Callable[[Path, str], bool]
) -> None:
    monkeypatch.chdir(ROOT)
    summary = json_document(smbench.report(SAMPLE).to_json())
    assert is_golden(ROOT / SAMPLE / "summary.json", summary.decode()), "pytest tests/house --update-golden"


def test_every_check_has_its_line_in_the_legend_of_the_report() -> None:
    verdict = ROOT / "src" / "smbench" / "analysis" / "verdict"
    sources = "".join((verdict / name).read_text(encoding="utf-8") for name in ("checks.py", "generator_checks.py"))
    names = set(re.findall(r'\bname="([^"]+)"', sources)) | {ENDED_BY_ITSELF}
    legend = (
        (ROOT / "docs" / "report.md").read_text(encoding="utf-8").partition("\n## Checks\n")[2].partition("\n## ")[0]
    )
    assert len(names) >= len(CHECKS)
    assert set(re.findall(r"^\| ([^|]+?) \|", legend, re.MULTILINE)) - {"check"} == names
