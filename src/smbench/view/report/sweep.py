"""A sweep as a table, rows and JSON: with its recommendation."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from rich.console import Group as Blocks
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from smbench import units
from smbench.analysis.capacity.price import Against, against_instances
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.known import reasons
from smbench.pricing.table import PriceTable
from smbench.records import Unknown
from smbench.sweeping.figures import ENDED_EARLY, Figures, row_of
from smbench.sweeping.question import Cell
from smbench.sweeping.ranking import Choice, Group, saturations, times_the_first
from smbench.sweeping.recommended import Recommended, recommended
from smbench.view.report.whole_table import WholeTable

SCHEMA_VERSION = 1
_INSTANCES_SHOWN = 6  # of the break-even, cheapest first


class Looked(Protocol):
    """What is shown: `api.sweeping.sweep_result.Sweep`."""

    @property
    def name(self) -> str: ...

    @property
    def cells(self) -> tuple[Cell, ...]: ...

    @property
    def figures(self) -> Mapping[int, Figures]: ...

    @property
    def dropped(self) -> Mapping[int, str]: ...

    @property
    def groups(self) -> tuple[Group, ...]: ...

    @property
    def recommendation(self) -> Choice | None: ...

    @property
    def prices(self) -> PriceTable: ...


def progress_line(cell: Cell, found: Mapping[str, Any], n_done: int, n_all: int) -> str:
    """One finished cell, in words."""
    if "dropped" in found:
        return f"{n_done:,} of {n_all:,}: {cell.label} seed {cell.seed}: dropped: {found['dropped']}"
    figures = Figures.model_validate(found)
    p95 = "nothing measured" if figures.p95 is None else f"p95 {figures.p95.text()}"
    errors = f"errors: {_errors(figures.errors)}" if figures.errors else _errors(figures.errors)
    seen = f"{p95}, {errors}, {figures.verdict}"
    return f"{n_done:,} of {n_all:,}: {cell.label} seed {cell.seed}: {seen}"


def render(looked: Looked) -> RenderableType:
    """Each benchmark's configurations, what to take, and what could not be run."""
    title = Text(f"{looked.name}: {len(looked.figures):,} of {units.counted(len(looked.cells), 'cell')}", "bold")
    blocks: list[RenderableType] = [title]
    for benchmark in benchmarks(looked):
        table = WholeTable(*((head, "left" if place < 1 else "right") for place, head in enumerate(HEADS)))
        for row in table_rows(looked, benchmark):
            table.add_row(*row)
        blocks += [Text(benchmark, "bold"), table]
    if rows := recommendations(looked):
        table = WholeTable(*((head, "left" if place < 2 else "right") for place, head in enumerate(RECOMMENDER_HEADS)))
        for cells in recommender_rows(rows):
            table.add_row(*cells)
        blocks += [Text("recommendations", "bold"), table, Text("\n".join(recommender_notes(rows)))]
    blocks.append(Text("\n".join([*sentences(looked), *notes(looked)])))
    return Blocks(*(Padding(block, (0, 0, 1, 0)) for block in blocks))


HEADS = (
    "configuration", "runs", "p50", "p95", "against the first", "per second", "errors", "kept", "USD a day",
    "USD per 1,000",
)  # fmt: skip


def benchmarks(looked: Looked) -> list[str]:
    """Those that have figures, in the order of the sweep."""
    return list(dict.fromkeys(group.benchmark for group in looked.groups))


def table_rows(looked: Looked, benchmark: str) -> list[tuple[str, ...]]:
    """A row a configuration; of several seeds the median, and the range of p95."""
    groups = [group for group in looked.groups if group.benchmark == benchmark]
    return [_cells(group, groups[0]) for group in groups]


THROUGHPUT_HEADS = ("configuration", "mean", "p25", "p50", "p75", "max")


def throughput_rows(looked: Looked, benchmark: str) -> list[tuple[str, ...]]:
    """Completions a second: all by the time that they took, and the quartiles of whole seconds; of the median seed."""
    rows = []
    for group in (group for group in looked.groups if group.benchmark == benchmark):
        known = [one.throughput for one in group.by_seed.values() if one.throughput is not None]
        if known:
            middle = sorted(known, key=lambda one: one.mean)[(len(known) - 1) // 2]
            counts = (middle.p25, middle.p50, middle.p75, middle.max)
            rows.append((group.configuration or "as it is", units.rate(middle.mean), *map("{:,.0f}".format, counts)))
    return rows


def _cells(group: Group, first: Group) -> tuple[str, ...]:
    runs = list(group.by_seed.values())
    hertz = sorted(one.throughput.mean for one in runs if one.throughput is not None)
    errors: dict[str, int] = {}
    for one in runs:
        for name, n in one.errors.items():
            errors[name] = errors.get(name, 0) + n
    kept = group.why_unfit or {True: "yes", False: "no", None: "-"}[group.kept]
    return (
        group.configuration or "as it is",
        f"{len(runs):,}",
        _middle([one.p50 for one in runs]),
        _p95(group),
        "-" if group is first else _against(first, group),
        units.rate(hertz[(len(hertz) - 1) // 2]) if hertz else "-",
        _errors(errors),
        kept,
        "-" if group.usd_day is None else units.usd(group.usd_day),
        "-" if group.usd_per_1000 is None else units.usd(group.usd_per_1000),
    )


def _middle(figures: Sequence[Bounded | None]) -> str:
    known = sorted((one for one in figures if one is not None), key=lambda one: one.low)
    return known[(len(known) - 1) // 2].text() if known else "-"


def _p95(group: Group) -> str:
    if group.p95_s is None:
        return "-"
    least, median, most = (units.duration(one) if math.isfinite(one) else "unbounded" for one in group.p95_s)
    return median if least == most else f"{median} ({least} to {most})"


def _against(first: Group, group: Group) -> str:
    found = times_the_first(first, group)
    if found is None:
        return "-"
    times, low, high = found
    return f"×{times:.2f}" if low is None else f"×{times:.2f} ({low:.2f} to {high:.2f})"


def _errors(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in errors.items()) or "0 errors"


def sentences(looked: Looked) -> list[str]:
    """What to take, where more users add nothing, and from where on an instance is cheaper than serverless."""
    return [*_taken(looked), *_saturated(looked)]


def _saturated(looked: Looked) -> list[str]:
    said = []
    for found in saturations(looked.groups):
        name = found.matrix or "it as it is"
        if found.at is None:
            said.append(f"{name}: each stair of users added throughput.")
        else:
            said.append(f"{name}: saturated at {found.at.trial['users']} users, {units.rate(found.at.completed_hz)}.")
    return said


def _taken(looked: Looked) -> list[str]:
    found = looked.recommendation
    if found is None:
        if not looked.figures:
            return ["Take: not known, because no cell was run."]
        if len(looked.figures) + len(looked.dropped) < len(looked.cells):
            return ["Take: not known yet, because cells have not been run."]
        if all(one.usd_why for one in looked.figures.values()):
            return ["Take: not known, because no configuration has a cost; see below."]
        return ["Take: not known, because no configuration has a cost and a bounded p95, from whole and valid runs."]
    price = found.best.usd_per_1000
    said = [f"Take: {found.best.configuration or 'it as it is'} ({found.rule}), {_price(price)}."]
    if found.tied:
        names = ", ".join(group.configuration for group in found.tied)
        said.append(f"A tie: these runs show no difference from it beyond chance of {names}; it is the first of them.")
    if found.runner_up is not None:
        margin = "" if found.margin is None else f", {found.margin:+.1%} in cost"
        said.append(f"Runner-up: {found.runner_up.configuration}, {_price(found.runner_up.usd_per_1000)}{margin}.")
    if price and looked.cells[0].scenario.target.kind == "serverless":
        said.append(f"A million inferences: {units.usd(1000 * price)}; each: {price / 1000:.3g} USD.")
    if against := against_instances_of(looked):
        points = against.break_even[:_INSTANCES_SHOWN]
        cheaper = ", ".join(f"{one.instance_type} {one.n_month:,.0f}" for one in points)
        said.append(f"One instance is cheaper from this many inferences a month on, if it can do them: {cheaper}.")
    return said


def against_instances_of(looked: Looked) -> Against | None:
    """The configuration to take against instances; None where it is not serverless, or its price is not known."""
    found = looked.recommendation
    if found is None or not found.best.usd_per_1000:
        return None
    target = cell_of(looked, found.best).scenario.target
    if target.kind != "serverless" or target.endpoint is not None or target.emulated.serverless.provisioned:
        return None
    each_usd, data_usd = found.best.usd_per_1000 / 1000, found.best.data_usd_per_1000 / 1000
    return against_instances(each_usd, data_usd, target.emulated.serverless.memory, looked.prices)


def cell_of(looked: Looked, group: Group) -> Cell:
    """The first cell of a group."""
    return next(
        cell
        for cell in looked.cells
        if (cell.name, cell.benchmark, cell.trial) == (group.matrix, group.benchmark, group.trial)
    )


def recommendations(looked: Looked) -> list[Recommended]:
    """Every configuration under the benchmark that decides, the best first, then in the order of the sweep."""
    if not looked.groups:
        return []
    first = [group for group in looked.groups if group.benchmark == looked.groups[0].benchmark]
    best = None if looked.recommendation is None else looked.recommendation.best.configuration
    first.sort(key=lambda group: group.configuration != best)
    return [
        recommended(
            group,
            cell_of(looked, group).scenario,
            [other for other in looked.groups if other.matrix == group.matrix],
            looked.prices,
        )
        for group in first
    ]


RECOMMENDER_HEADS = (
    "configuration", "instance type", "count", "environment", "an hour", "an inference",
    "most a minute", "model latency", "CPU", "memory",
)  # fmt: skip


def recommender_rows(rows: Sequence[Recommended]) -> list[tuple[str, ...]]:
    """In the columns of AWS's recommender; `-` where it is not known, for the reasons below the table."""
    return [
        (
            row.configuration or "as it is",
            _written(row.instance_type, str),
            _written(row.initial_count, "{:,}".format),
            _written(row.environment, str),
            _written(row.usd_per_hour, units.usd),
            _written(row.usd_per_inference, units.usd),
            _written(row.max_invocations, "{:,.0f}".format),
            _written(row.model_latency_s, units.duration),
            _written(row.cpu, units.share),
            _written(row.memory, units.share),
        )
        for row in rows
    ]


def recommender_notes(rows: Sequence[Recommended]) -> list[str]:
    """Why figures are not known, each reason once."""
    heads = dict(zip(list(Recommended.model_fields), RECOMMENDER_HEADS, strict=True))
    found: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row:
            if isinstance(value, Unknown) and heads[name] not in found.setdefault(value.reason, []):
                found[value.reason].append(heads[name])
    return [f"- under {', '.join(names)}: {reason}." for reason, names in found.items()]


_Value = TypeVar("_Value")


def _written(value: _Value | Unknown, write: Callable[[_Value], str]) -> str:
    return "-" if isinstance(value, Unknown) else write(value)


def _price(usd_per_1000: float | None) -> str:
    return "cost not known" if usd_per_1000 is None else f"{units.usd(usd_per_1000)} per 1,000"


def notes(looked: Looked) -> list[str]:
    """What the columns mean, and what is missing."""
    several = any(len(group.by_seed) > 1 for group in looked.groups)
    common = looked.cells[0].common if looked.cells else ""
    found = [f"In every cell: {common}."] if common else []
    if several:
        found.append("p95: the median run, and the least and greatest. Against the first: p95 by pairs of the same "
                     "seed, geometric mean and 90 % interval.")  # fmt: skip
    found.append(f"Prices: list prices, {looked.prices.source}.")
    if any(cell.scenario.target.kind == "async" for cell in looked.cells):
        found.append("Cost: that of the instances; what an asynchronous endpoint calls of S3 and SNS is not in it.")
    why = dict.fromkeys(one.usd_why for one in looked.figures.values() if one.usd_why)
    found += [f"No cost: {reason}." for reason in why]
    for cell in looked.cells:
        if cell.number in looked.dropped:
            found.append(f"Dropped: {cell.label} seed {cell.seed}: {looked.dropped[cell.number]}.")
        one = looked.figures.get(cell.number)
        if one is not None and one.why_unfit == ENDED_EARLY:
            found.append(f"Ended early: {cell.label} seed {cell.seed}: {one.part or 'it could not go on'}.")
    n_left = len(looked.cells) - len(looked.figures) - len(looked.dropped)
    if n_left:
        found.append(f"{units.counted(n_left, 'cell has', 'cells have')} not been run: `smbench resume` goes on.")
    return found


def rows_of(looked: Looked) -> list[dict[str, Any]]:
    """Every finished cell as a row of `sweep.parquet`."""
    return [
        {
            "cell": cell.number,
            **cell.configuration,
            "benchmark": cell.benchmark,
            **{f"{cell.benchmark}_{name}": label for name, label in cell.trial.items()},
            "seed": cell.seed,
            **row_of(looked.figures[cell.number]),
        }
        for cell in looked.cells
        if cell.number in looked.figures
    ]


def to_json(looked: Looked) -> dict[str, Any]:
    """All of it; what is not known is null."""
    found = looked.recommendation
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "sweep",
        "name": looked.name,
        "prices_of": looked.prices.source,
        "cells": rows_of(looked),
        "dropped": {str(number): reason for number, reason in looked.dropped.items()},
        "recommendation": None
        if found is None
        else {
            "configuration": found.best.configuration,
            "rule": found.rule,
            "usd_per_1000": found.best.usd_per_1000,
            "tied": [group.configuration for group in found.tied],
            "runner_up": None if found.runner_up is None else found.runner_up.configuration,
            "margin": found.margin,
        },
        "recommendations": [
            {**row.model_dump(mode="json"), "unknown": reasons(row)} for row in recommendations(looked)
        ],
        "notes": notes(looked),
    }
