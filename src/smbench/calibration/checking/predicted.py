"""A measured run as a model predicts it: the same arrivals, limits and policies, with chance of the model's own."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from smbench.analysis.rows.frames import Frames, derive
from smbench.calibration.alarm_seconds import alarm_seconds, as_initial
from smbench.calibration.checking.redrawn import redrawn
from smbench.calibration.configured import configured
from smbench.calibration.parameter import Parameter
from smbench.calibration.runs import MeasuredRun
from smbench.results.manifest import ClockFacts, Manifest
from smbench.scenario.emulated import Instances
from smbench.scenario.initial import Initial
from smbench.scenario.model import Scenario, Seeds
from smbench.scenario.values.request import Request
from smbench.schedule.base import PhaseSpan, Schedule
from smbench.simulator.simulate import simulate

_RUN_ID = "predicted"


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A run's arrivals at the endpoint, to be sent to a model.

    Attributes:
        scenario: The model under the run's own limits, policies and state at the start.
    """

    scenario: Scenario
    base_dir: Path
    schedule: Schedule
    classes: tuple[str, ...]
    epoch_ns: int


def replayed(run: MeasuredRun, model: Scenario, base_dir: Path) -> Replayed:
    """What the endpoint accepted in a run, when it received it.

    Args:
        base_dir: Of the files that the model's laws name.
    """
    frames = run.frames
    rows = (
        frames.requests.lazy()
        .filter(pl.col("accepted"))
        .select("seq", pl.coalesce("recv_ns", "send_ns").clip(lower_bound=0).alias("at_ns"))
        .collect()
        .join(run.classes, on="seq", how="left", maintain_order="left")
        .sort("at_ns", "seq")
    )
    classes = tuple(rows["payload"].unique().sort().to_list())
    places = {name: place for place, name in enumerate(classes)}
    end_ns = max(frames.end_ns, int(rows["at_ns"][-1]))
    span = PhaseSpan(0, "measured", "replay", False, 0, end_ns, 0, rows.height, None, "")
    schedule = Schedule(
        sched_ns=rows["at_ns"].to_numpy().astype(np.int64),
        phase=np.zeros(rows.height, dtype=np.int16),
        payload=rows["payload"].replace_strict(places, return_dtype=pl.Int32).to_numpy().astype(np.int32),
        spans=(span,),
    )
    return Replayed(_as_the_run(run, model), base_dir, schedule, classes, frames.epoch_ns)


def _as_the_run(run: MeasuredRun, model: Scenario) -> Scenario:
    found, said = configured(run.frames), run.frames.manifest.scenario
    start = int(run.capacity.serving_at(np.zeros(1, dtype=np.int64))[0])
    emulated = model.target.emulated.model_copy(
        update={
            "instances": Instances(
                min=found.min,
                max=max(found.max, start),
                start=start,
                concurrency=model.target.emulated.instances.concurrency,
            ),
            "policies": found.policies,
            "scheduled": (),
            "initial": Initial(idle=found.idle_s, alarm_seconds=as_initial(alarm_seconds([run], found))),
        }
    )
    asked = {key: value for key, value in (said.get("request") or {}).items() if key in ("ttl", "timeout") and value}
    return model.model_copy(
        update={
            "target": model.target.model_copy(update={"emulated": emulated}),
            "request": Request.model_validate(asked),
            "drain": float(said.get("drain") or model.drain),
            "gauges_every": float(said.get("gauges_every") or model.gauges_every),
        }
    )


def predictions(
    of: Replayed, n: int, first_seed: int, parameters: tuple[Parameter, ...] | None = None
) -> Iterator[Frames]:
    """The run as predicted, `n` times, each with seeds of its own.

    Args:
        parameters: With them, each time the model is drawn anew within their errors; None: it is as it is.
    """
    for seed in range(first_seed, first_seed + n):
        scenario = of.scenario.model_copy(update={"seed": seed, "seeds": Seeds()})
        if parameters is not None:
            drawn = redrawn(scenario.target.emulated, parameters, np.random.default_rng([seed, 1]))
            scenario = scenario.model_copy(update={"target": scenario.target.model_copy(update={"emulated": drawn})})
        made = simulate(scenario, of.base_dir, of.schedule, of.classes, epoch_ns=of.epoch_ns, run_id=_RUN_ID)
        manifest = Manifest(
            run_id=_RUN_ID,
            started=datetime.datetime.fromtimestamp(of.epoch_ns // 10**9, datetime.UTC),
            scenario=scenario.model_dump(mode="json", by_alias=True),
            spans=of.schedule.spans,
            clock=ClockFacts(kind="warp", epoch_ns=of.epoch_ns),
            transport="simulated",
        )
        yield derive(manifest, made.requests, made.readings, made.events)
