"""`run`: from a scenario file to a verdict."""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from smbench.ceiling.headroom import ceiling_warning
from smbench.cli.reading import reading_progress
from smbench.cli.report import ReportOptions, print_report, readable
from smbench.errors import ExitCode, UsageError
from smbench.generator.plan import make_plan
from smbench.generator.shares import check_workers
from smbench.lifecycle.carry_out import CarriedOut, Settings, carry_out
from smbench.lifecycle.folder import Origin
from smbench.processes.interrupts import Interrupts
from smbench.records import Ending
from smbench.scenario.load import load_scenario
from smbench.scenario.model import Scenario, Seeds, Target
from smbench.scenario.starter import QUICK_START, shipped_names, shipped_scenario
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line of `run`."""

    scenario: Path | None
    endpoint: str | None
    seed: int | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    transport: str | None
    results: Path
    ui: str
    output: str
    workers: int = 1
    asserted: tuple[str, ...] = ()  # thresholds beside the scenario's
    stops_when_certain: bool = False
    junit: Path | None = None
    summary_md: Path | None = None
    allow_files: tuple[Path, ...] = ()  # folders beside the scenario's own


def run_command(options: RunOptions) -> ExitCode:
    """Run, report, judge; returns the exit status.

    Raises:
        ScenarioError, UsageError, TargetError, ResultsError: before anything was sent.
    """
    file = _scenario_file(options.scenario)
    plan = make_plan(_chosen(load_scenario(file, options.allow_files), options, file), file.parent, reading_progress())
    check_workers(plan, options.workers)
    if line := ceiling_warning(plan, options.workers):
        typer.echo(f"smbench: {line}", err=True)
    settings = Settings(
        access=AwsAccess(options.region, options.profile, options.endpoint_url),
        n_workers=options.workers,
        results=options.results,
        stops_when_certain=options.stops_when_certain,
        command=("smbench", *sys.argv[1:]),
    )
    origin = Origin(file.parent, file.name, hashlib.sha256(file.read_bytes()).hexdigest())
    view = choose_view(options.ui, sys.stderr, os.environ)
    return _conclude(carry_out(plan, origin, settings, view, Interrupts()), options)


def _scenario_file(given: Path | None) -> Path:
    """The file given; the quick start where none is; a shipped scenario where only its name is given."""
    if given is None:
        return shipped_scenario(QUICK_START)
    if not given.exists() and str(given) in shipped_names():
        return shipped_scenario(str(given))
    return given


def _chosen(scenario: Scenario, options: RunOptions, file: Path) -> Scenario:
    """The scenario with what the command line says instead."""
    changes: dict[str, object] = {}
    if options.endpoint is not None:
        changes["target"] = Target(endpoint=options.endpoint, variant=scenario.target.variant)
    if options.transport is not None:
        changes["transport"] = options.transport
    if options.seed is not None:
        changes |= {"seed": options.seed, "seeds": Seeds()}
    if asserted := readable(options.asserted):
        changes["thresholds"] = tuple(dict.fromkeys((*scenario.thresholds, *asserted)))
    if changes:
        scenario = scenario.model_copy(update=changes)
    if scenario.target.endpoint is None and (options.region or options.profile or options.endpoint_url):
        raise UsageError(
            f"{file} runs on the emulated endpoint: --region, --profile and --endpoint-url have no effect on it",
            "add --endpoint NAME to use a real one",
        )
    return scenario


def _conclude(done: CarriedOut, options: RunOptions) -> ExitCode:
    """Print what is known, and say how it went."""
    for problem in done.problems:
        typer.echo(f"smbench: {problem.message}\n  {problem.advice}", err=True)
    end = done.end
    status = print_report(
        done.path,
        ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md, has_summary_file=True),
    )
    if end.failure is not None:
        typer.echo(f"smbench: {end.failure.message}", err=True)
        typer.echo(end.failure.traceback or f"  {end.failure.advice}", err=True)
        return end.failure.exit_code
    if end.ending is Ending.FAILED:
        typer.echo(f"smbench: the run did not end by itself: {end.reason}", err=True)
        return ExitCode.INVALID
    if done.was_interrupted:
        return ExitCode.INTERRUPTED
    return status
