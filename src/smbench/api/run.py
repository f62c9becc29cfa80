"""Runs and judges a scenario: from a script, a notebook, a running event loop or the command line."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from smbench.api.loops import outside_loops
from smbench.api.report import readable, report
from smbench.api.result import Run
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, reseeded
from smbench.ceiling.crew import crew_of
from smbench.ceiling.headroom import ceiling_warning
from smbench.errors import ExitCode, UsageError
from smbench.generator.forecast import forecast
from smbench.generator.forecast_text import warnings
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.shares import check_workers
from smbench.lifecycle.background.presence import Presence
from smbench.lifecycle.carry_out import CarriedOut, Settings, carry_out
from smbench.lifecycle.origin import Origin
from smbench.model.cautions import scaling_cautions
from smbench.pricing.table import current_prices
from smbench.processes.clusters.on_ray import check_place, workers_on
from smbench.processes.descriptors import require_descriptors
from smbench.processes.interrupts import Interrupts
from smbench.processes.session import SessionEnd
from smbench.records import Ending
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view
from smbench.view.live.reading import reading_progress

Progress = Literal["auto", "full", "plain", "none"]


def run(
    scenario: ScenarioLike | None = None,
    *,
    endpoint: str | None = None,
    stack: str | None = None,
    seed: int | None = None,
    workers: int | Literal["auto"] = 1,
    on: str = "local",
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    transport: Literal["wire", "sdk"] | None = None,
    results: str | os.PathLike[str] = "results",
    thresholds: Sequence[str] = (),
    stop_when_certain: bool = False,
    strict: bool = False,
    max_cost: float | None = None,
    prices: Mapping[str, float] | None = None,
    progress: Progress = "auto",
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    command: Sequence[str] = ("smbench.run",),
) -> Run:
    """Run a scenario to its end and judge it.

    It leaves a folder below `results`. SIGINT (Ctrl-C, a notebook's stop button), SIGTERM and SIGHUP end it early: the
    first stops sending and follows what was sent, the second stops at once; either way the result is returned, with
    `interrupted` set. Where an event loop runs in the calling thread, the run has a thread of its own and the caller
    waits; `await asyncio.to_thread(smbench.run, ...)` does not block the loop.

    Args:
        scenario: A file, the name of a shipped scenario, a mapping or a Scenario; None is the quick start.
        endpoint: A real endpoint instead of the scenario's target. This uses AWS and costs money.
        stack: The endpoint that `deploy` brought up under this name, instead.
        seed: Another seed than the scenario's.
        workers: Processes that share the load; 1 in warp time. `auto`: as many as the load needs and this machine's
            cores hold beside an emulated endpoint.
        on: Where the workers run: `local`, on this machine; `ray`, on the cluster that RAY_ADDRESS names, or on one of
            this machine while the run lasts; `ray://HOST:PORT`, on that cluster.
        region: AWS region; None: as the AWS tools find it.
        profile: AWS profile; None: as the AWS tools find it.
        endpoint_url: Another address for all AWS services.
        transport: How the hot calls leave; None: as the scenario says.
        results: Folder in which the run's own is made.
        thresholds: Beside those of the scenario, such as `"p95 < 8m"`.
        stop_when_certain: Send no more once the thresholds' verdict cannot change, then drain.
        strict: A verdict or a threshold that is not known fails the gate, too.
        max_cost: USD that the run may cost at most, as `estimate` foresees it; what is not known is refused, too.
        prices: USD by the names of `smbench prices`, instead of those of the table; the run's manifest keeps them.
        progress: What stderr shows: one live screen, plain lines or nothing; auto: live on a terminal, else plain.
        base_dir: Folder of the files that a mapping or a Scenario names; None: the current one. What a scenario file
            names is beside it.
        allow_files: Folders outside of that one which files may be in.
        command: What asked for the run, for the manifest.

    Returns:
        The run with its figures and its verdict, whatever ended it.

    Raises:
        ScenarioError, UsageError, TargetError, ResultsError: the run could not begin, and nothing was sent.
    """
    return carried(
        planned(
            scenario,
            endpoint=endpoint,
            stack=stack,
            seed=seed,
            workers=workers,
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
            transport=transport,
            results=results,
            thresholds=thresholds,
            stop_when_certain=stop_when_certain,
            strict=strict,
            max_cost=max_cost,
            prices=prices,
            on=on,
            progress=progress,
            base_dir=base_dir,
            allow_files=allow_files,
            command=command,
        )
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that may begin."""

    plan: RunPlan
    origin: Origin
    settings: Settings
    progress: Progress
    is_strict: bool
    on: str


def planned(
    scenario: ScenarioLike | None,
    *,
    endpoint: str | None,
    stack: str | None,
    seed: int | None,
    workers: int | Literal["auto"],
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    transport: Literal["wire", "sdk"] | None,
    results: str | os.PathLike[str],
    thresholds: Sequence[str],
    stop_when_certain: bool,
    strict: bool,
    max_cost: float | None,
    prices: Mapping[str, float] | None,
    on: str,
    progress: Progress,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
    command: Sequence[str],
    job_machines: tuple[str, int] | None = None,
) -> Planned:
    """All of `run` before anything is started; the same arguments, the same errors.

    Args:
        job_machines: As `api.account.estimate` takes them.
    """
    if on != "processing":  # which another command carries out
        check_place(on)
    table = current_prices().with_own(prices or {})
    given = given_scenario(scenario, base_dir, allow_files)
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    target = given.scenario
    if target.target.endpoint is not None or endpoint is not None or stack is not None:
        from smbench.api.stacks import aimed  # the AWS clients, as below

        target = aimed(given, endpoint, stack, **where)
    changed = _changed(target, transport=transport, seed=seed, thresholds=thresholds)
    if changed.target.endpoint is None and (region or profile or endpoint_url):
        raise UsageError(
            f"{given.origin.file or changed.name} runs on the emulated endpoint: --region, --profile and "
            "--endpoint-url have no effect on it",
            "add --endpoint NAME to use a real one",
        )
    plan = make_plan(changed, given.origin.base_dir, None if progress == "none" else reading_progress())
    access = AwsAccess(region, profile, endpoint_url)
    if max_cost is not None:
        from smbench.api.account import require_within

        require_within(plan, access, max_cost, table, job_machines)
    crew = crew_of(plan, workers, on)
    check_workers(plan, crew.n_workers)
    require_descriptors(plan)
    if progress != "none":
        ceiling = ceiling_warning(plan, crew.n_workers)
        said = (*plan.notes, *warnings(forecast(plan)), *scaling_cautions(changed), *filter(None, [crew.why, ceiling]))
        for line in said:
            print(f"smbench: {line}", file=sys.stderr)  # noqa: T201  # what a run says before it begins
    settings = Settings(
        access=access,
        n_workers=crew.n_workers,
        results=Path(results),
        stops_when_certain=stop_when_certain,
        command=tuple(command),
        prices=dict(prices or {}),
    )
    return Planned(plan, given.origin, settings, progress, strict, on)


def carried(planned: Planned, presence: Presence | None = None) -> Run:
    """All of `run` after that.

    Args:
        presence: How other processes find the run; a terminal that goes away is then its business.
    """
    interrupts = Interrupts(takes_hang_up=presence is None)
    view = choose_view(planned.progress, sys.stderr, os.environ)
    with workers_on(planned.on, outlive=not planned.plan.is_emulated) as placement:
        if placement.note and planned.progress != "none":
            print(f"smbench: {placement.note}", file=sys.stderr)  # noqa: T201  # what a run says before it begins
        settings = replace(planned.settings, start=placement.start, cluster=placement.cluster)
        done = outside_loops(
            lambda: carry_out(planned.plan, planned.origin, settings, view, interrupts, presence), interrupts
        )
    return reported(done, is_strict=planned.is_strict)


def _changed(
    scenario: Scenario,
    *,
    transport: str | None,
    seed: int | None,
    thresholds: Sequence[str],
) -> Scenario:
    """The scenario with what the caller says instead."""
    changes: dict[str, object] = {}
    if transport is not None:
        if transport not in ("wire", "sdk"):
            raise UsageError(f"transport {transport!r}: must be wire or sdk")
        changes["transport"] = transport
    if asserted := readable(thresholds):
        changes["thresholds"] = tuple(dict.fromkeys((*scenario.thresholds, *asserted)))
    changed = scenario.model_copy(update=changes) if changes else scenario
    return changed if seed is None else reseeded(changed, seed)


def reported(done: CarriedOut, *, is_strict: bool = False) -> Run:
    """The run read from its files, with what the processes know of how it ended; its `summary.json` is written."""
    end, problems = done.end, [f"{problem.message}\n  {problem.advice}" for problem in done.problems]
    result = report(done.path, strict=is_strict)
    if end.ending is Ending.FAILED:
        status = ExitCode.INVALID if end.failure is None else end.failure.exit_code
        result = replace(result, failure=_failure(end), ended_with=status)
    else:
        result = replace(result, interrupted=done.was_interrupted)
    try:
        result.write_summary()
    except OSError as error:
        problems.append(f"cannot write {done.path}: {error.strerror or error}")
    return replace(result, problems=tuple(problems))


def _failure(end: SessionEnd) -> str:
    if end.failure is None:
        return f"the run did not end by itself: {end.reason}"
    return f"{end.failure.message}\n{end.failure.traceback or f'  {end.failure.advice}'}"
