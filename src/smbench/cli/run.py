"""`run`: from a scenario file to a verdict."""

import datetime
import hashlib
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import typer

from smbench import __version__
from smbench.analysis.verdict.early_verdict import EarlyVerdict
from smbench.ceiling.headroom import warning
from smbench.cli.report import ReportOptions, print_report, readable
from smbench.errors import ExitCode, ResultsError, UsageError
from smbench.generator.plan import AwsAccess, RunPlan, make_plan
from smbench.generator.shares import check_workers
from smbench.processes.session import SessionEnd, run_session
from smbench.records import Ending, Event, Reading, Stage
from smbench.results.ceiling import Machine, ceilings_file, find_ceiling
from smbench.results.manifest import ClockFacts, Host, Manifest
from smbench.results.store import compact, new_run_dir
from smbench.scenario.load import load_scenario
from smbench.scenario.model import Scenario, Seeds, Target
from smbench.scenario.starter import QUICK_START, shipped_names, shipped_scenario
from smbench.scenario.thresholds import parse_threshold
from smbench.snapshot import Snapshot
from smbench.view.live.choose import View, choose_view
from smbench.view.live.state import LiveState, RunHeader


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
    plan = make_plan(_chosen(load_scenario(file, options.allow_files), options, file), file.parent)
    check_workers(plan, options.workers)
    access = AwsAccess(options.region, options.profile, options.endpoint_url)
    started = datetime.datetime.now(datetime.UTC)
    run_dir = new_run_dir(options.results, plan.scenario.name, started.strftime("%Y%m%dT%H%M%SZ"))
    manifest = _manifest(plan, file, started, options.workers)
    _warn_beyond_ceiling(plan, options.workers, manifest.host)
    view = choose_view(options.ui, sys.stderr, os.environ)
    screen = _Screen(LiveState(_header(plan, run_dir)), view, _foresight(plan), stops=options.stops_when_certain)

    def on_ready(end: SessionEnd) -> None:
        _at_start(manifest, plan, end).write(run_dir)

    try:
        with view:
            screen.preparing("starting the processes")
            end = anyio.run(run_session, plan, access, options.workers, run_dir, manifest.run_id, screen, on_ready)
    except BaseException:  # Ctrl-C included: the folder must not outlive a run that never began; it goes on up
        _remove_if_unused(run_dir)
        raise
    end.reason = end.reason or screen.stopped
    return _conclude(run_dir, _at_start(manifest, plan, end), end, options)


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


def _warn_beyond_ceiling(plan: RunPlan, n_workers: int, host: Host) -> None:
    found = find_ceiling(ceilings_file(), plan.scenario.transport, Machine.of(host))
    if line := warning(plan, n_workers, found):
        typer.echo(f"smbench: {line}", err=True)


def _foresight(plan: RunPlan) -> EarlyVerdict:
    return EarlyVerdict([parse_threshold(text) for text in plan.scenario.thresholds], plan.schedule.spans)


class _Screen:
    """Passes what the session tells to the state, and the state to the view; says when the verdict is certain.

    Attributes:
        stopped: Why no more was sent than was needed for a verdict; empty where that was not asked for, or not so.
    """

    def __init__(self, state: LiveState, view: View, foresight: EarlyVerdict, *, stops: bool) -> None:
        self.state, self.view, self.foresight, self._stops = state, view, foresight, stops
        self.stopped = ""

    def preparing(self, text: str) -> None:
        self.state.preparing(text)
        self.view.show(self.state)

    def refresh(self) -> None:
        self.view.show(self.state)

    def update(self, snapshots: Sequence[Snapshot]) -> str:
        self.state.update(snapshots)
        if (now := self.state.now) is not None:
            told_until_ns = min((one.at_ns for one in snapshots if one.stage is not Stage.DONE), default=now.at_ns)
            self.foresight.update(now, told_until_ns)
            self.state.judged = self.foresight.judged
            if self._stops and not self.stopped and now.stage is Stage.SENDING and self.foresight.conclusion:
                self.stopped = f"stopped early, {self.foresight.conclusion}"
        self.view.show(self.state)
        return self.stopped

    def read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        self.state.read(readings, events)


def _header(plan: RunPlan, run_dir: Path) -> RunHeader:
    scenario = plan.scenario
    return RunHeader(
        scenario=scenario.name,
        target="emulated endpoint" if plan.is_emulated else f"endpoint {scenario.target.endpoint}",
        time_kind=plan.time_kind,
        phases=plan.schedule.spans,
        n_scheduled=len(plan.schedule),
        drain_s=scenario.drain,
        in_flight_limit=scenario.limits.in_flight,
        results=str(run_dir),
        scale=plan.scale,
    )


def _manifest(plan: RunPlan, file: Path, started: datetime.datetime, workers: int) -> Manifest:
    scenario = plan.scenario
    return Manifest(
        smbench=__version__,
        run_id=f"smb-{secrets.token_hex(5)}",
        command=("smbench", *sys.argv[1:]),
        started=started,
        scenario=scenario.model_dump(mode="json", by_alias=True),
        scenario_file=file.name,
        scenario_digest=hashlib.sha256(file.read_bytes()).hexdigest(),
        seeds={dimension: scenario.seed_of(dimension) for dimension in Seeds.model_fields},
        schedule_digest=plan.schedule.digest,
        spans=plan.schedule.spans,
        payload_digests={payload.name: payload.digest for payload in plan.payloads},
        workers=workers,
        transport=plan.scenario.transport,
        host=Host.this(),
    )


def _at_start(manifest: Manifest, plan: RunPlan, end: SessionEnd) -> Manifest:
    clock = ClockFacts(kind=plan.time_kind.value, epoch_ns=end.epoch_ns, scale=plan.scale)
    return manifest.model_copy(update={"clock": clock, "target": {} if end.target is None else end.target.as_json()})


def _remove_if_unused(run_dir: Path) -> None:
    """A run that never began leaves no folder; one that did leaves everything it has."""
    if not any(run_dir.iterdir()):
        run_dir.rmdir()


def _conclude(run_dir: Path, manifest: Manifest, end: SessionEnd, options: RunOptions) -> ExitCode:
    """Close the books of a run that began, print what is known, and say how it went."""
    ended = manifest.model_copy(
        update={
            "ended": datetime.datetime.now(datetime.UTC),
            "ending": end.ended,
            "reason": end.reason,
            "notes": tuple(end.notes),
            "emulator": end.emulator,
        }
    )
    try:
        compact(run_dir)
        ended.write(run_dir)
    except ResultsError as error:
        typer.echo(f"smbench: {error.message}\n  {error.advice}", err=True)
    status = print_report(
        run_dir,
        ReportOptions(output=options.output, junit=options.junit, summary_md=options.summary_md, has_summary_file=True),
    )
    if end.failure is not None:
        typer.echo(f"smbench: {end.failure.message}", err=True)
        typer.echo(end.failure.traceback or f"  {end.failure.advice}", err=True)
        return end.failure.exit_code
    if end.ended in (Ending.STOPPED, Ending.CANCELLED):
        return ExitCode.INTERRUPTED
    if end.ended is Ending.FAILED:
        typer.echo(f"smbench: the run did not end by itself: {end.reason}", err=True)
        return ExitCode.INVALID
    return status
