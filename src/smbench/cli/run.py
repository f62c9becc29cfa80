"""`run`: from a scenario file to a verdict; `resume`: the same for a run that was killed."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from smbench.api.account import estimate
from smbench.api.result import Run
from smbench.api.resume import taken_up
from smbench.api.run import carried, planned
from smbench.api.search import is_search, resume_search
from smbench.api.sweep import is_sweep, resume_sweep
from smbench.cli.given_out import print_json
from smbench.cli.report import ReportOptions, print_report
from smbench.cli.sweeping.printed import print_many
from smbench.errors import ExitCode
from smbench.lifecycle.background.leaving import Leaving
from smbench.lifecycle.background.presence import Presence
from smbench.targets.base import AwsAccess


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
        command = ("smbench", *sys.argv[1:])
        result = carried(planned(options.scenario, base_dir=None, command=command, **options.asked), presence)
        presence.ended(result.exit_status)
        print_run(result, ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md))
        return result.exit_status


def dry_run_command(scenario: Path | None, asked: dict[str, Any], output: str) -> None:
    """Print the plan and what it may cost; nothing is sent or made. Raises ScenarioError, UsageError, TargetError."""
    found = estimate(scenario, **asked)
    if output == "json":
        print_json(found.to_json())
        return
    for about, said in found.lines:
        typer.echo(f"{about:<10} {said}")
    typer.echo("nothing was sent or made")


def resume_command(run_folder: Path, access: AwsAccess, asked: dict[str, Any], output: str) -> ExitCode:
    """Take up, report, judge; returns the exit status.

    Raises:
        ResultsError, ScenarioError, TargetError: it cannot be taken up.
    """
    if is_sweep(run_folder):
        done = resume_sweep(run_folder, progress=asked["progress"])
        print_many(done, output)
        return done.exit_status
    if is_search(run_folder):
        search = resume_search(run_folder, progress=asked["progress"])
        print_many(search, output)
        return search.exit_status
    with Presence() as presence:
        result = taken_up(run_folder, access, presence=presence, **asked)
        presence.ended(result.exit_status)
        print_run(result, ReportOptions(output=output))
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
