"""A run predicted by the model alone: no process, no network, no waiting, nothing left on disk."""

import datetime
import os
from dataclasses import replace

from smbench.analysis.rows.frames import derive
from smbench.api.report import judged
from smbench.api.result import Run
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario
from smbench.clock import TimeKind
from smbench.errors import UsageError
from smbench.generator.plan import make_plan
from smbench.records import Ending
from smbench.results.manifest import ClockFacts, Manifest
from smbench.scenario.model import Seeds
from smbench.simulator import simulate as simulator
from smbench.version import __version__

_RUN_ID = "simulated"


def simulate(
    scenario: ScenarioLike | None = None,
    *,
    seed: int | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
) -> Run:
    """Predict a run against the scenario's emulated endpoint.

    The same seeds give the same arrivals and the same endpoint as a run in virtual time. What happens on the way to
    the endpoint and back (throttles, lost notices) is not simulated.

    Args:
        scenario: As `run` takes it; None is the quick start.
        seed: Another seed than the scenario's.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.

    Returns:
        The run with its tables, figures and verdict; its `path` is None.

    Raises:
        ScenarioError: with every problem found.
        UsageError: the scenario names a real endpoint, or a file that it names cannot be used.
    """
    given = given_scenario(scenario, base_dir, allow_files)
    chosen = given.scenario
    if seed is not None:
        chosen = chosen.model_copy(update={"seed": seed, "seeds": Seeds()})
    plan = make_plan(chosen, given.origin.base_dir)
    if not plan.is_emulated:
        raise UsageError(f"{chosen.name} names the endpoint {chosen.target.endpoint}, and there is no model of it")
    epoch_ns = plan.virtual_epoch_ns()
    made = simulator.simulate(
        chosen,
        plan.base_dir,
        plan.schedule,
        [payload.payload_class for payload in plan.payloads],
        epoch_ns=epoch_ns,
        run_id=_RUN_ID,
        size_bytes=[payload.size_bytes for payload in plan.payloads],
    )
    now = datetime.datetime.now(datetime.UTC)
    manifest = Manifest(
        smbench=__version__,
        run_id=_RUN_ID,
        command=("smbench.simulate",),
        started=now,
        ended=now,
        ending=Ending.FINISHED,
        scenario=chosen.model_dump(mode="json", by_alias=True),
        scenario_file=given.origin.file,
        scenario_digest=given.origin.digest,
        seeds={dimension: chosen.seed_of(dimension) for dimension in Seeds.model_fields},
        schedule_digest=plan.schedule.digest,
        spans=plan.schedule.spans,
        clock=ClockFacts(kind=TimeKind.WARP.value, epoch_ns=epoch_ns),
        transport="simulated",
    )
    result = judged(derive(manifest, made.requests, made.readings, made.events), list(chosen.thresholds))
    return replace(
        result,
        requests=made.requests.lazy(),
        readings=made.readings.lazy(),
        events=made.events.lazy(),
        truth=made.truth.lazy(),
    )
