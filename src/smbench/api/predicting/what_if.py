"""Many policies under one load: from two files and a policy space to a table, a picture and a parquet file."""

import datetime
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import RenderableType

from smbench.api.predicting.side_by_side import side_by_side
from smbench.api.predicting.simulate import (
    REPLICATIONS_MAX,
    Progress,
    predicted_manifest,
    replicated,
    require_emulated,
    require_whole_load,
)
from smbench.api.printed import Printed
from smbench.api.report import readable
from smbench.api.scenarios import Folders, Given, ScenarioLike, given_scenario
from smbench.errors import ResultsError, UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.prediction.called import require_known_of_calls
from smbench.prediction.figures import require_known
from smbench.prediction.label import fitted_parameters, model_label, require_validated
from smbench.prediction.space import Space, space_of
from smbench.prediction.sweep import Question, Sweep, sweep
from smbench.pricing.table import current_prices
from smbench.printable import json_document
from smbench.results.files import write_whole
from smbench.results.store import new_run_dir
from smbench.scenario.model import Scenario
from smbench.scenario.source import TEXT_MAX, read_source
from smbench.scenario.thresholds import parse_threshold
from smbench.scenario.values.files import read_regular
from smbench.units import counted
from smbench.view.report.what_if import render, rows_of, to_json

DEFAULT_OBJECTIVE = "sojourn_p95 < 1s"  # its metric is the axis where nothing is demanded; its value is not looked at

VaryLike = str | os.PathLike[str] | Mapping[str, Any]
"""A policy space: a YAML file, or a mapping with its keys."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a what-if or an advice is about, read and checked.

    Args:
        target: The scenario whose endpoint it is.
        load: The scenario whose requests it gets, with that endpoint.
        is_demanded: The objectives were given, by the caller or by the load.
    """

    target: Given
    load: Given
    question: Question
    label: str
    is_demanded: bool


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(Printed):
    """What many policies would have done.

    Attributes:
        sweep: Every policy that was looked at, with a value a replication.
        label: How far the model can be trusted.
        notes: What a reader should know of all of it.
    """

    name: str
    sweep: Sweep
    question: Question
    label: str
    is_demanded: bool
    notes: tuple[str, ...]

    @property
    def table(self) -> pl.DataFrame:
        """A row a policy: what was varied, cost, each objective's median and bound, cluster, what was flagged."""
        return pl.DataFrame(rows_of(self), infer_schema_length=None)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return to_json(self)

    def to_text(self) -> RenderableType:
        """The front as `rich` prints it."""
        return render(self)

    def to_html(self) -> str:
        """One page with a picture, cost against the first objective."""
        from smbench.view.page.vega import Vega  # its libraries cost half a second, which no table should wait for
        from smbench.view.page.what_if_page import what_if_page

        with Vega() as vega:
            return what_if_page(self, vega)

    def write(self, results: str | os.PathLike[str]) -> Path:
        """Make a folder below `results` with `policies.parquet` and `what-if.json`; its path.

        Raises:
            ResultsError: it could not be written.
        """
        files = {"policies.parquet": self.as_parquet(), "what-if.json": json_document(self.to_json())}
        return write_folder(results, f"what-if-{self.name}", files)

    def as_parquet(self) -> bytes:
        """`table` as the content of a parquet file."""
        buffer = io.BytesIO()
        self.table.write_parquet(buffer)
        return buffer.getvalue()

    def __repr__(self) -> str:
        policies = counted(self.sweep.n_points, "policy", "policies")
        return f"<smbench.WhatIf {self.name}: {policies}, {len(self.sweep.front):,} on the front>"


def what_if(
    target: ScenarioLike,
    *,
    vary: VaryLike,
    load: ScenarioLike | None = None,
    slo: Sequence[str] = (),
    replications: int = 10,
    force: bool = False,
    prices: Mapping[str, float] | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    progress: Progress | None = None,
) -> WhatIf:
    """Foresee many policies of one endpoint under one load, each with the same chances.

    Args:
        target: The scenario whose `target` is the endpoint; as `run` takes it.
        vary: What to try: for each key of `prediction.space.KEYS_OF` the endpoint's kind a value, a list, or a range
            `{from, to, step}`.
        load: The scenario whose requests it gets; None: the target's own.
        slo: Thresholds; the first is the axis beside cost. Empty: the load's own, else the 95th percentile of latency.
        replications: Of each policy, with the seeds that follow the load's.
        force: Take a fitted model without a grade, too.
        prices: USD by the names of `smbench prices`, in the place of the table's: what serverless calls cost.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        progress: What shows how far it is; None: nothing does.

    Raises:
        ScenarioError, UsageError: a file is wrong, the endpoint is a real one, there are too many policies, or a
            threshold names what a prediction does not have.
    """
    asked = read_question(
        target,
        load,
        slo,
        replications=replications,
        force=force,
        base_dir=base_dir,
        allow_files=allow_files,
        prices=prices,
    )
    space = read_space(vary, asked)
    watch = None if progress is None else progress("predicting policies")
    with side_by_side(asked.question) as foresee:
        found = sweep(asked.question, space.points, space.current, watch, foresee=foresee)
    return WhatIf(
        name=asked.load.scenario.name,
        sweep=found,
        question=asked.question,
        label=asked.label,
        is_demanded=asked.is_demanded,
        notes=notes_of(found, space, asked),
    )


def write_folder(results: str | os.PathLike[str], name: str, files: Mapping[str, bytes]) -> Path:
    """Make a folder of that name and the time below `results`, with these files; its path.

    Raises:
        ResultsError: it could not be written.
    """
    path = new_run_dir(Path(results), name, datetime.datetime.now(datetime.UTC))
    try:
        for file, content in files.items():
            write_whole(path / file, content)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def read_question(
    target: ScenarioLike,
    load: ScenarioLike | None,
    slo: Sequence[str],
    *,
    replications: int,
    force: bool,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
    prices: Mapping[str, float] | None = None,
) -> Asked:
    """The endpoint, the load and what it is judged by; arguments and errors as `what_if`."""
    if not 1 <= replications <= REPLICATIONS_MAX:
        raise UsageError(f"{replications:,} replications: between 1 and {REPLICATIONS_MAX:,} can be made")
    current_prices().with_own(prices or {})
    of_target = given_scenario(target, base_dir, allow_files)
    require_emulated(of_target.scenario)
    if not force:
        require_validated(of_target.origin.path)
    of_load = of_target if load is None else given_scenario(load, base_dir, allow_files)
    require_whole_load(of_load.scenario)
    _require_same_kind(of_target.scenario, of_load.scenario)
    scenario = of_load.scenario.model_copy(update={"target": of_target.scenario.target})
    texts = readable(slo, "--slo") or scenario.thresholds
    objectives = tuple(parse_threshold(text) for text in texts or (DEFAULT_OBJECTIVE,))
    for objective in objectives:
        if scenario.target.is_synchronous:
            require_known_of_calls(objective, in_stream=scenario.request.stream)
        else:
            require_known(objective)
    objectives = tuple(one if one.lasting_s is None else one.of_its_duration() for one in objectives)
    scenarios = tuple(replicated(scenario, number) for number in range(replications))
    plans: list[RunPlan] = [make_plan(one, of_load.origin.base_dir) for one in scenarios]
    if any(objective.unit == "usd" for objective in objectives) and scenario.target.instance_hour is None:
        raise UsageError("what requests cost is not known without a price", "set target.instance_hour in the target")
    given = Given(scenario, of_load.origin)
    epoch_ns = plans[0].virtual_epoch_ns()
    manifest = None
    if scenario.target.is_synchronous:
        manifest = predicted_manifest(given, plans[0], epoch_ns, ()).model_copy(update={"prices": dict(prices or {})})
    question = Question(
        scenarios=scenarios,
        schedules=tuple(plan.schedule for plan in plans),
        payload_classes=tuple(payload.payload_class for payload in plans[0].payloads),
        base_dir=of_target.origin.base_dir,
        epoch_ns=epoch_ns,
        objectives=objectives,
        price_usd=scenario.target.instance_hour,
        parameters=fitted_parameters(of_target.origin.path),
        load_digest=plans[0].schedule.digest,
        size_bytes=tuple(payload.size_bytes for payload in plans[0].payloads),
        manifest=manifest,
    )
    if not len(question.schedules[0]):
        raise UsageError(f"{scenario.name}: the load has no request")
    return Asked(
        of_target, given, question, model_label(of_target.origin.path, scenario.target.emulated.faults), bool(texts)
    )


def _require_same_kind(target: Scenario, load: Scenario) -> None:
    """Refuse a load that is made for an endpoint of another kind. Raises UsageError."""
    if target.target.kind != load.target.kind:
        raise UsageError(
            f"{target.name} has an endpoint of kind {target.target.kind}, and the load of {load.name} is for the kind "
            f"{load.target.kind}",
            "set target.kind in the load's file",
        )


def read_space(vary: VaryLike, asked: Asked) -> Space:
    """The policies to try.

    Raises:
        UsageError: the space cannot be read, or is too large.
    """
    emulated, kind = asked.target.scenario.target.emulated, asked.target.scenario.target.kind
    if isinstance(vary, Mapping):
        return space_of(vary, emulated, "vary", kind)
    path = Path(vary)
    try:
        source = read_source(read_regular(path, TEXT_MAX).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason or error}") from None
    if source.problems:
        problem = next(iter(source.problems.values()))
        raise UsageError(f"{path}:{problem.line}:{problem.column}: {problem.message}")
    if not isinstance(source.value, dict):
        raise UsageError(f"{path}: must be a mapping", "as min: [0, 1], a key and its values a line")
    return space_of(source.value, emulated, str(path), kind)


def notes_of(found: Sweep, space: Space, asked: Asked) -> tuple[str, ...]:
    """What a reader should know of all rows."""
    too_few = asked.question.too_few if asked.is_demanded else ()
    notes = [f"{one}: no run of it could show that it is kept" for one in too_few]
    if space.other_start is not None:
        notes.append(
            f"each policy begins with its own minimum in service, not with the file's start: {space.other_start}"
        )
    if space.n_senseless:
        senseless = counted(space.n_senseless, "combination makes", "combinations make")
        notes.append(f"{senseless} no sense (such as min above max): left out")
    n_fluid = sum(not row.costs for row in found.screened_out)
    left_out = {"as a fluid": n_fluid, "after one replication": len(found.screened_out) - n_fluid}
    if found.screened_out:
        in_words = ", ".join(f"{n:,} {when}" for when, n in left_out.items() if n)
        notes.append(f"far from the front, so not looked at any further: {in_words}")
    if found.by_reference:
        notes.append(f"the model itself ran, slower: the fast engine does not know {', '.join(found.by_reference)}")
    return tuple(notes)
