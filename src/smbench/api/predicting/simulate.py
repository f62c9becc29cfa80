"""A run predicted by the model alone: without a process, a network or waiting; kept as a run's folder if wanted."""

import datetime
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from smbench.analysis.comparison.run_metrics import measure
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.frames import derive
from smbench.api.report import judged, readable
from smbench.api.result import Run
from smbench.api.scenarios import Folders, Given, ScenarioLike, given_scenario, reseeded
from smbench.aws.endpoint.description import unseen_in_s3
from smbench.calibration.checking.redrawn import chances, redrawn
from smbench.calibration.parameter import Parameter
from smbench.clock import TimeKind
from smbench.errors import ResultsError, UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.prediction.label import fitted_parameters, model_label
from smbench.prediction.replications import bands
from smbench.records import Ending
from smbench.results.damage import whole_checksums
from smbench.results.files import write_whole
from smbench.results.manifest import ClockFacts, Host, Manifest, Prediction
from smbench.results.store import PartWriter, compact, new_run_dir
from smbench.scenario.model import SEED_MAX, Scenario, Seeds
from smbench.simulator import simulate as simulator
from smbench.simulator.sender import Watch
from smbench.targets.kinds import inapplicable_to
from smbench.version import __version__

_RUN_ID = "simulated"
REPLICATIONS_MAX = 1000

Progress = Callable[[str], Watch]
"""From what is being done to the watcher of it."""


def simulate(
    scenario: ScenarioLike | None = None,
    *,
    seed: int | None = None,
    replications: int = 1,
    results: str | os.PathLike[str] | None = None,
    thresholds: Sequence[str] = (),
    strict: bool = False,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    progress: Progress | None = None,
    command: Sequence[str] = ("smbench.simulate",),
) -> Run:
    """Predict a run against the scenario's emulated endpoint.

    The same seeds give the same arrivals and the same endpoint as a run in virtual time, of every kind of endpoint.
    What happens on the way to the endpoint and back (faults that throttle, lost notices) is not simulated.

    Args:
        scenario: As `run` takes it; None is the quick start.
        seed: Another seed than the scenario's.
        replications: Predictions that make the band of each metric. The first is the one returned; the others have
            the seeds that follow the scenario's, in every dimension. Of a fitted model all are drawn anew within the
            errors of its parameters, and the one returned, of the model as it was fitted, is made besides.
        results: Folder in which the run's own is made; None: nothing is left on disk.
        thresholds: Beside those of the scenario, such as `"p95 < 8m"`.
        strict: A threshold that is not known fails the gate, too.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        progress: What shows how far it is; None: nothing does.
        command: What asked for the prediction, for the manifest.

    Returns:
        The run with its tables, figures and verdict; `manifest.kind` is `simulated`, and its `path` is None where
        nothing was left on disk.

    Raises:
        ScenarioError: with every problem found.
        UsageError: the scenario names a real endpoint, or a file that cannot be used.
        ResultsError: the folder cannot be written.
    """
    if not 1 <= replications <= REPLICATIONS_MAX:
        raise UsageError(f"{replications:,} replications: between 1 and {REPLICATIONS_MAX:,} can be made")
    given = given_scenario(scenario, base_dir, allow_files)
    chosen = given.scenario if seed is None else reseeded(given.scenario, seed)
    if asserted := readable(thresholds):
        chosen = chosen.model_copy(update={"thresholds": tuple(dict.fromkeys((*chosen.thresholds, *asserted)))})
    require_emulated(chosen)
    watch = None if progress is None else progress("simulating")
    parameters = fitted_parameters(given.origin.path) if replications > 1 else None
    n_made = replications + (parameters is not None)
    made, manifest = _made(Given(chosen, given.origin), _part_of(watch, 0, n_made), command)
    first = _judged(made, manifest)
    figures = [measure(first.frames, first.summary)] if parameters is None else []
    for place, number in enumerate(range(len(figures), replications), 1):
        other = Given(_another(chosen, number, parameters, manifest.schedule_digest), given.origin)
        figures.append(_figures(*_made(other, _part_of(watch, place, n_made), command)))
    if replications > 1:
        prediction = Prediction(label=_label(given), replications=replications, bands=bands(figures))
        manifest = manifest.model_copy(update={"prediction": prediction})
        first = _judged(made, manifest)
    if results is not None:
        path, manifest = _kept(Path(results), made, manifest)
        first = replace(first, path=path, manifest=manifest, is_strict=strict)
        try:
            first.write_summary()
        except OSError as error:
            raise ResultsError(f"cannot write {first.path}: {error.strerror or error}") from error
    return replace(first, is_strict=strict)


def _another(scenario: Scenario, number: int, parameters: tuple[Parameter, ...] | None, load_digest: str) -> Scenario:
    """The scenario as a replication of the band has it, from 0."""
    other = replicated(scenario, number)
    if parameters is None:
        return other
    emulated = redrawn(other.target.emulated, parameters, chances(other.seed, load_digest))
    return other.model_copy(update={"target": other.target.model_copy(update={"emulated": emulated})})


def replicated(scenario: Scenario, number: int) -> Scenario:
    """The scenario as its replication of that number has it, from 0: with the seeds that follow its own."""
    return reseeded(scenario, (scenario.seed + number) & SEED_MAX) if number else scenario


def require_emulated(scenario: Scenario) -> None:
    """Refuse a scenario whose endpoint is a real one.

    Raises:
        UsageError: it names an endpoint, or a phase of it stops by itself.
    """
    require_whole_load(scenario)
    if scenario.target.endpoint is not None:
        raise UsageError(
            f"{scenario.name} names the endpoint {scenario.target.endpoint}, and there is no model of it",
            "describe it under target.emulated, in the place of target.endpoint, and simulate that",
        )


def require_whole_load(scenario: Scenario) -> None:
    """Refuse a load that may end itself. Raises UsageError."""
    if any(phase.stop is not None for phase in scenario.load):
        raise UsageError(
            f"a phase of {scenario.name} stops by itself, which a simulation does not know",
            "leave `stop` out, or run it with `target.emulated.time: warp`",
        )


def _part_of(watch: Watch | None, number: int, of: int) -> Watch | None:
    """What watches one of so many replications of equal size as a part of them all."""
    return None if watch is None else lambda done, n: watch(number * n + done, of * n)


def _made(given: Given, watch: Watch | None, command: Sequence[str]) -> tuple[simulator.Simulated, Manifest]:
    plan = make_plan(given.scenario, given.origin.base_dir)
    epoch_ns = plan.virtual_epoch_ns()
    made = simulator.simulate(
        given.scenario,
        plan.base_dir,
        plan.schedule,
        [payload.payload_class for payload in plan.payloads],
        epoch_ns=epoch_ns,
        run_id=_RUN_ID,
        size_bytes=[payload.size_bytes for payload in plan.payloads],
        watch=watch,
    )
    return made, predicted_manifest(given, plan, epoch_ns, command)


def predicted_manifest(given: Given, plan: RunPlan, epoch_ns: int, command: Sequence[str]) -> Manifest:
    """Of the run that a prediction is of.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero.
        command: What asked for it.
    """
    now = datetime.datetime.now(datetime.UTC)
    chosen = given.scenario
    return Manifest(
        smbench=__version__,
        run_id=_RUN_ID,
        command=tuple(command),
        started=now,
        ended=now,
        ending=Ending.FINISHED,
        scenario=chosen.model_dump(mode="json", by_alias=True),
        scenario_file=given.origin.file,
        scenario_folder=str(given.origin.base_dir.resolve()),
        scenario_digest=given.origin.digest,
        seeds={dimension: chosen.seed_of(dimension) for dimension in Seeds.model_fields},
        schedule_digest=plan.schedule.digest,
        spans=plan.schedule.spans,
        payload_digests={payload.name: payload.digest for payload in plan.payloads},
        clock=ClockFacts(kind=TimeKind.WARP.value, epoch_ns=epoch_ns),
        target=_found(chosen),
        inapplicable=tuple(sorted(inapplicable_to(plan))),
        transport="simulated",
        kind="simulated",
        prediction=Prediction(label=_label(given)),
        host=Host.this(),
    )


def _label(given: Given) -> str:
    return model_label(given.origin.path, given.scenario.target.emulated.faults)


def _found(scenario: Scenario) -> dict[str, Any]:
    """What a run would have found out about its target that its figures depend on."""
    if scenario.collector.tracking != "s3":
        return {}
    return {"tracking": "s3", "unobservable": unseen_in_s3(writes_failures=True)}


def _judged(made: simulator.Simulated, manifest: Manifest) -> Run:
    result = judged(
        derive(manifest, made.requests, made.readings, made.events), list(manifest.scenario.get("thresholds", ()))
    )
    return replace(
        result,
        requests=made.requests.lazy(),
        readings=made.readings.lazy(),
        events=made.events.lazy(),
        truth=made.truth.lazy(),
    )


def _figures(made: simulator.Simulated, manifest: Manifest) -> dict[str, Bounded]:
    run = _judged(made, manifest)
    return measure(run.frames, run.summary)


def _kept(results: Path, made: simulator.Simulated, manifest: Manifest) -> tuple[Path, Manifest]:
    """Write the run's folder; its manifest says `running` until the files are whole. Returns both."""
    path = new_run_dir(results, str(manifest.scenario["name"]), manifest.started)
    manifest.model_copy(update={"ending": Ending.RUNNING, "ended": None}).write(path)
    for name, table in (("requests", made.requests), ("readings", made.readings), ("events", made.events)):
        PartWriter(path, name, 0).write(table)
    compact(path)
    try:
        write_whole(path / "truth.parquet", _parquet(made.truth))
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
    manifest = manifest.model_copy(update={"file_checksums": whole_checksums(path)})
    manifest.write(path)
    return path, manifest


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()
