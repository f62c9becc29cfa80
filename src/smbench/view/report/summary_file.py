"""The file summary.json: a run's verdict, thresholds and figures for programs, with a version and a JSON schema."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from smbench.analysis.summary import Summary
from smbench.analysis.verdict.gate import exit_status
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.errors import ExitCode
from smbench.findings import Finding, Verdict, verdict
from smbench.view.report.section_data import SectionData, section_data
from smbench.view.sections.blocks import Judged
from smbench.view.sections.order import sections

SUMMARY_FILE = "summary.json"
HISTORY = {1: "the first: verdict, exit status, thresholds, law, findings, summary"}
"""What each version of the schema brought. A field that goes or changes its meaning makes a new one; a new field does
not."""

SCHEMA_VERSION = max(HISTORY)


class RunSummary(BaseModel):
    """What `summary.json` holds. Durations are seconds, rates per second; no number is NaN or infinite."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")

    schema_version: int
    verdict: Verdict
    exit_status: int  # of the command that wrote this: an interrupted run's is 130, and 98 when it is reported again
    thresholds: tuple[ThresholdResult, ...]
    law: tuple[str, ...]
    findings: tuple[Finding, ...]
    summary: Summary
    sections: tuple[SectionData, ...]  # what the report says, section by section
    files: str | None


def to_json(
    summary: Summary,
    findings: Sequence[Finding],
    thresholds: Sequence[ThresholdResult],
    run_dir: Path | None = None,
    *,
    status: ExitCode | None = None,
) -> dict[str, Any]:
    """All a report says, as plain JSON values.

    Args:
        status: The exit status of the command that says it; None: what follows from findings and thresholds.
    """
    whole = RunSummary(
        schema_version=SCHEMA_VERSION,
        verdict=verdict(findings),
        exit_status=exit_status(findings, thresholds) if status is None else status,
        thresholds=tuple(thresholds),
        law=tuple(summary.counts.equations()),
        findings=tuple(findings),
        summary=summary,
        sections=tuple(map(section_data, sections(Judged(summary, findings, thresholds)))),
        files=None if run_dir is None else str(run_dir),
    )
    return whole.model_dump(mode="json")


def summary_schema() -> dict[str, Any]:
    """The JSON schema of `summary.json`, draft 2020-12, with the history of its versions."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **RunSummary.model_json_schema(mode="serialization"),
        "title": "smbench summary",
        "$comment": "; ".join(f"version {version}: {what}" for version, what in HISTORY.items()),
    }
