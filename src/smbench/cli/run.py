"""`run`: from a scenario file to a verdict."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.run import run
from smbench.cli.report import ReportOptions, print_report
from smbench.errors import ExitCode


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line of `run`."""

    scenario: Path | None
    asked: dict[str, Any]  # what `api.run.run` takes by name
    output: str
    junit: Path | None = None
    summary_md: Path | None = None


def run_command(options: RunOptions) -> ExitCode:
    """Run, report, judge; returns the exit status.

    Raises:
        ScenarioError, UsageError, TargetError, ResultsError: before anything was sent.
    """
    result = run(options.scenario, command=("smbench", *sys.argv[1:]), **options.asked)
    print_report(result, ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md))
    for what in (result.failure, *result.problems):  # the first cause first
        if what:
            typer.echo(f"smbench: {what}", err=True)
    return result.exit_status
