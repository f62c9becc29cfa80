"""Groups of runs to compare: of given figures, as folders on disk, and as simulated replications."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from modelling import SECOND, scenario
from runs import Request, manifest_of, requests_frame, span
from smbench.analysis.comparison.contrasts import Group, RunFigures
from smbench.analysis.comparison.run_metrics import measure, thin
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.rows.frames import derive
from smbench.analysis.summary import summarise
from smbench.results.manifest import Manifest
from smbench.results.schema import EVENTS, READINGS, polars_schema
from smbench.scenario.model import Seeds
from smbench.schedule.plan import plan
from smbench.simulator.simulate import simulate

PRIMARY = "sojourn_p95"
EPOCH_NS = 1_767_225_600 * SECOND  # 2026-01-01: a whole minute


def group_of(label: str, values: Sequence[float | Bounded], metric: str = PRIMARY) -> Group:
    """One run a value."""
    figures = [value if isinstance(value, Bounded) else Bounded.exactly(value) for value in values]
    return Group(label=label, runs=tuple(_run(f"{label}-{k}", {metric: one}) for k, one in enumerate(figures)))


def with_seeds(group: Group, seeds: Sequence[int], **others: Sequence[int]) -> Group:
    """The group with a seed of arrivals for each run, and of other dimensions by name."""
    runs = [
        run.model_copy(update={"seeds": {"arrivals": seed, **{name: own[place] for name, own in others.items()}}})
        for place, (run, seed) in enumerate(zip(group.runs, seeds, strict=True))
    ]
    return Group(label=group.label, runs=tuple(runs))


def _run(name: str, figures: dict[str, Bounded]) -> RunFigures:
    return RunFigures(run=name, run_id=f"smb-{name}", seed=1, verdict="valid", n_accepted=1, figures=figures)


def run_folder(folder: Path, sojourns_s: Sequence[float], **changes: Any) -> Path:
    """A run on disk whose requests, one a second, took this long; `changes` are of the manifest."""
    rows = [Request(float(k), done=k + sojourn_s) for k, sojourn_s in enumerate(sojourns_s)]
    rows += changes.pop("unsent", [])
    manifest = manifest_of(
        [span(len(rows), end_s=float(len(rows)))], scenario={"load": [], **changes.pop("scenario", {})}
    )
    manifest = manifest.model_copy(update={"run_id": f"smb-{folder.name}", "clock": manifest.clock, **changes})
    return write_run(folder, manifest, requests_frame(rows))


def write_run(folder: Path, manifest: Manifest, requests: pl.DataFrame) -> Path:
    folder.mkdir(parents=True)
    manifest.write(folder)
    requests.write_parquet(folder / "requests.parquet")
    pl.DataFrame(schema=polars_schema(READINGS)).write_parquet(folder / "readings.parquet")
    pl.DataFrame(schema=polars_schema(EVENTS)).write_parquet(folder / "events.parquet")
    return folder


def simulated(seed: int, *, load: list[dict[str, Any]], **changes: Any) -> RunFigures:
    """One replication of a scenario of `modelling.PLAIN`, measured."""
    of = scenario(load, seed=seed, **changes)
    schedule = plan(of, Path(), [1.0])
    run = simulate(of, None, schedule, ["a"], epoch_ns=EPOCH_NS, run_id=f"run{seed}", size_bytes=[100])
    manifest = manifest_of(schedule.spans, scenario=of.model_dump(mode="json", by_alias=True))
    manifest = manifest.model_copy(update={"clock": manifest.clock.model_copy(update={"epoch_ns": EPOCH_NS})})
    frames = derive(manifest, run.requests, run.readings, run.events)
    summary = summarise(frames)
    return RunFigures(
        run=f"run-{seed}",
        run_id=f"smb-{seed}",
        seed=seed,
        seeds={dimension: of.seed_of(dimension) for dimension in Seeds.model_fields},
        verdict="valid",
        n_accepted=summary.measured.accepted,
        figures=measure(frames, summary),
        thin=thin(summary),
    )
