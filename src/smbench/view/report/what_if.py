"""A what-if as a table, rows and JSON: the table has its front, the others everything."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from smbench import units
from smbench.analysis.verdict.thresholds import WRITE
from smbench.prediction.space import policy_words
from smbench.prediction.sweep import UPPER, Question, Row, Sweep
from smbench.scenario.thresholds import Threshold
from smbench.view.report.whole_table import WholeTable

SCHEMA_VERSION = 1
SHOWN_MAX = 20  # rows of the front
_KEPT = {True: "yes", False: "no", None: "unknown"}


class Looked(Protocol):
    """What is shown: `api.what_if.WhatIf`."""

    @property
    def name(self) -> str: ...

    @property
    def sweep(self) -> Sweep: ...

    @property
    def question(self) -> Question: ...

    @property
    def label(self) -> str: ...

    @property
    def is_demanded(self) -> bool: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


def kind_of(question: Question) -> str:
    """Of the endpoint."""
    return question.scenarios[0].target.kind


def metric_of(threshold: Threshold) -> str:
    """What a threshold names, without its comparison."""
    return threshold.text.split(threshold.op)[0].strip()


def cost_text(cost: float, question: Question) -> str:
    """USD, or instance-hours where there is no price."""
    return units.usd(cost) if question.is_in_usd else f"{cost:,.2f} h"


def figure_text(value: float, threshold: Threshold) -> str:
    """In the threshold's unit; what has no bound, or was not measured, in words."""
    if math.isnan(value):
        return "-"
    return WRITE[threshold.unit](value) if math.isfinite(value) else "unbounded"


def is_kept(row: Row, question: Question) -> bool | None:
    """Whether a policy keeps what is demanded; None: it may, and no run of the load has requests enough to show it."""
    keeps = row.keeps(question.objectives)
    return None if keeps and question.too_few else keeps


def heads(looked: Looked) -> tuple[str, ...]:
    """Of `cells`."""
    varied = list(looked.sweep.rows[-1].point.values)
    figures = [f"{metric_of(one)} {UPPER:.0%}" for one in looked.question.objectives]
    kept = ("kept",) if looked.is_demanded else ()
    return (
        "",
        *varied,
        "cost" if looked.question.is_in_usd else "instance-hours",
        *figures,
        *kept,
        "alike",
    )


def cells(looked: Looked, row: Row, label: str) -> tuple[str, ...]:
    """One row of the table: what was varied, the mean cost, the bound of each objective, how many are alike."""
    varied = list(looked.sweep.rows[-1].point.values)
    question = looked.question
    n_alike = sum(one.cluster == row.cluster for one in looked.sweep.rows) - 1 if row.cluster is not None else 0
    figures = (figure_text(row.bound(place, one), one) for place, one in enumerate(question.objectives))
    kept = (_KEPT[is_kept(row, question)],) if looked.is_demanded else ()
    marked = label + (" !" if row.flags else "")
    return (
        marked,
        *(row.point.values.get(name, "-") for name in varied),
        cost_text(row.cost, question),
        *figures,
        *kept,
        f"{n_alike:,}" if row.cluster is not None else "-",
    )


def table_rows(looked: Looked) -> list[tuple[str, ...]]:
    """The front by cost, then the target as it is."""
    front = looked.sweep.front[:SHOWN_MAX]
    rows = [cells(looked, row, f"{place}") for place, row in enumerate(front, start=1)]
    if looked.sweep.current not in front:
        rows.append(cells(looked, looked.sweep.current, "now"))
    return rows


def table_notes(looked: Looked) -> list[str]:
    """What the columns mean, and what a reader should doubt."""
    n = units.counted(len(looked.question.scenarios), "replication")
    n_policies = units.counted(looked.sweep.n_points, "policy", "policies")
    notes = [
        f"Model {looked.label}. {n_policies}, {n} with the same chances.",
        f"Cost: the mean; {UPPER:.0%}: as many replications are at least as good; alike: policies without a paired "
        "difference beyond chance.",
        *(f"{note}." for note in looked.notes),
    ]
    if len(looked.sweep.front) > SHOWN_MAX:
        n_more = units.counted(len(looked.sweep.front) - SHOWN_MAX, "more is", "more are")
        notes.append(f"{n_more} on the front, in the files.")
    shown = [*looked.sweep.front[:SHOWN_MAX], looked.sweep.current]
    flags = dict.fromkeys(flag for row in shown for flag in row.flags)
    notes += [f"! Extrapolated: {flag}." for flag in flags]
    return notes


def render(looked: Looked) -> RenderableType:
    """The front, cheapest first, and what to know of it."""
    title = Text()
    n_policies = units.counted(looked.sweep.n_points, "policy", "policies")
    title.append(f"{looked.name}: the front of {n_policies}, cheapest first\n", "bold")
    title.append(f"now: {policy_words(looked.sweep.current.point.emulated, kind_of(looked.question))}", "dim")
    n_text = 1 + len(looked.sweep.rows[-1].point.values)
    table = WholeTable(*((head, "left" if place < n_text else "right") for place, head in enumerate(heads(looked))))
    for row in table_rows(looked):
        table.add_row(*row)
    notes = Text("\n".join(table_notes(looked)), style="dim")
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in (title, table, notes)))


def rows_of(looked: Looked) -> list[dict[str, Any]]:
    """Every policy, those that were left behind too, as a row of `policies.parquet`."""
    sweep = looked.sweep
    return [
        *(_row(looked, row, "now" if row is sweep.current else "all replications") for row in sweep.rows),
        *(_row(looked, row, "first replication" if row.costs else "fluid") for row in sweep.screened_out),
    ]


def _row(looked: Looked, row: Row, looked_at: str) -> dict[str, Any]:
    question = looked.question
    found: dict[str, Any] = {
        "policy": policy_words(row.point.emulated, kind_of(question)),
        "looked_at": looked_at,
        "model": looked.label,
        **{f"vary_{name}": row.point.values.get(name) for name in looked.sweep.rows[-1].point.values},
        "replications": len(row.costs),
        "cost": row.cost if row.costs else None,
        "cost_unit": "USD" if question.is_in_usd else "instance-hours",
    }
    for place, one in enumerate(question.objectives):
        name = metric_of(one)
        found[f"{name} median"] = row.median(place) if row.costs else None
        found[f"{name} bound"] = row.bound(place, one) if row.costs else None
    is_known = len(row.costs) == len(question.scenarios)
    found["kept"] = is_kept(row, question) if looked.is_demanded and is_known else None
    found["cluster"] = row.cluster
    found["on_front"] = row.is_leader
    found["extrapolated"] = "; ".join(row.flags)
    return found


def to_json(looked: Looked) -> dict[str, Any]:
    """All of it; no NaN and no infinity can be in it, they are null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "what-if",
        "name": looked.name,
        "model": looked.label,
        "objectives": [one.text for one in looked.question.objectives] if looked.is_demanded else [],
        "replications": len(looked.question.scenarios),
        "notes": list(looked.notes),
        "policies": [_finite(row) for row in rows_of(looked)],
    }


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()
    }


def sentence(looked: Looked) -> str:
    """What the front shows, for the title of its picture."""
    front: Sequence[Row] = looked.sweep.front
    first, objective = front[0], looked.question.objectives[0]
    said = f"From {cost_text(first.cost, looked.question)} with {metric_of(objective)} {_bound(first, objective)}"
    if len(front) > 1:
        last = front[-1]
        said += f" to {cost_text(last.cost, looked.question)} with {_bound(last, objective)}"
    return said


def _bound(row: Row, objective: Threshold) -> str:
    return figure_text(row.bound(0, objective), objective)
