"""What a CI job makes of a run: which findings and thresholds fail it, and the exit status that follows.

A missed threshold says that the endpoint is slow, a broken finding that the run cannot say so. A run that was cut short
fails in any case: its question is not answered. `is_strict` fails whatever else is not known, too.
"""

from collections.abc import Sequence

from smbench.analysis.verdict.checks import ENDED_BY_ITSELF
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.errors import ExitCode
from smbench.findings import Finding, Verdict, verdict


def breaks(finding: Finding, *, is_strict: bool = False) -> bool:
    """Whether the finding alone keeps the run from passing."""
    if finding.verdict is Verdict.UNKNOWN:
        return is_strict or finding.name == ENDED_BY_ITSELF
    return finding.verdict is Verdict.INVALID


def exit_status(
    findings: Sequence[Finding], thresholds: Sequence[ThresholdResult], *, is_strict: bool = False
) -> ExitCode:
    """An invalid run cannot pass or miss a threshold: it says nothing of the endpoint."""
    if verdict(findings) is Verdict.INVALID:
        return ExitCode.INVALID
    if any(threshold.passed is False for threshold in thresholds):
        return ExitCode.THRESHOLD
    if any(breaks(finding, is_strict=is_strict) for finding in findings):
        return ExitCode.INVALID
    if is_strict and any(threshold.passed is None for threshold in thresholds):
        return ExitCode.INVALID
    return ExitCode.OK
