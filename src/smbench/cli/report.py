"""`report`: what a run's files say, printed again; and the exit status that follows from it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from smbench.analysis.checks import Finding, Verdict, check, verdict
from smbench.analysis.frames import load
from smbench.analysis.summary import summarise
from smbench.analysis.thresholds import ThresholdResult, evaluate
from smbench.errors import ExitCode
from smbench.results.store import open_run
from smbench.view.report import render, to_json

_PIPED_WIDTH = 100  # columns where no terminal says how many it has


def print_report(run_dir: Path, output: str) -> ExitCode:
    """Print to stdout what the files say; returns the exit status that the verdict and the thresholds ask for.

    Raises:
        ResultsError: it is no run, or its files are damaged.
    """
    run = open_run(run_dir)
    frames = load(run)
    summary = summarise(frames)
    findings = check(frames, summary)
    thresholds = evaluate(run.manifest.scenario.get("thresholds", ()), summary)
    if output == "json":
        sys.stdout.buffer.write(
            orjson.dumps(to_json(summary, findings, thresholds, run_dir), option=orjson.OPT_INDENT_2)
        )
        sys.stdout.buffer.write(b"\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False)
        console.print(render(summary, findings, thresholds, run_dir))
    return _status(findings, thresholds)


def _status(findings: Sequence[Finding], thresholds: Sequence[ThresholdResult]) -> ExitCode:
    """An invalid run cannot pass or miss a threshold: it says nothing of the endpoint."""
    if verdict(findings) is Verdict.INVALID:
        return ExitCode.INVALID
    if any(threshold.passed is False for threshold in thresholds):
        return ExitCode.THRESHOLD
    return ExitCode.OK
