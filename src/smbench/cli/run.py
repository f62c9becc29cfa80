"""The command `run`: from a scenario file to a verdict."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.result import Run
from smbench.api.run import carried, planned
from smbench.cli.given_out import require_writable
from smbench.cli.report import ReportOptions, print_report
from smbench.errors import ExitCode
from smbench.lifecycle.background.leaving import Leaving
from smbench.lifecycle.background.presence import Presence


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line of `run`."""

    scenario: Path | None
    asked: dict[str, Any]  # what `api.run.planned` takes by name
    output: str
    junit: Path | None = None
    summary_md: Path | None = None
    leaving: Leaving | None = None  # the run goes on without the command that started it


def run_command(options: RunOptions) -> ExitCode:
    """Run, report, judge; returns the exit status.

    Raises:
        ScenarioError, UsageError, TargetError, ResultsError: before anything was sent.
    """
    with Presence(options.leaving) as presence:
        require_writable(options.junit, options.summary_md)
        command = ("smbench", *sys.argv[1:])
        result = carried(planned(options.scenario, base_dir=None, command=command, **options.asked), presence)
        presence.ended(result.exit_status)
        print_run(result, ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md))
        return result.exit_status


def shown(result: Run, output: str) -> ExitCode:
    """Print the report of a run and what went wrong; returns the exit status."""
    print_run(result, ReportOptions(output=output))
    return result.exit_status


def print_run(result: Run, options: ReportOptions) -> None:
    """The report, and what went wrong beside it, the first cause first."""
    print_report(result, options)
    for what in (result.failure, *result.problems):
        if what:
            typer.echo(f"smbench: {what}", err=True)
