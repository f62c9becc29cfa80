"""A matrix of scenarios, each cell a run: with a table, a parquet file, a page and a recommendation."""

import datetime
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError
from rich.console import RenderableType

from smbench.api.report import readable, report
from smbench.api.result import Run, as_html, as_text, write_table_and_page
from smbench.api.run import Progress, reported
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, scenario_file
from smbench.errors import ExitCode, ResultsError, UsageError
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.lifecycle.cells import Cells, Finished, Task, all_finished, at_once, in_warp, run_cells
from smbench.lifecycle.origin import Origin
from smbench.pricing.table import PriceTable, current_prices
from smbench.printable import json_document
from smbench.processes.child import start_forked
from smbench.processes.interrupts import Interrupts
from smbench.processes.warm import WarmWorkers
from smbench.results.files import write_whole
from smbench.results.store import new_run_dir
from smbench.scenario.explain import first_in_words
from smbench.scenario.model import Scenario
from smbench.scenario.source import TEXT_MAX, read_source
from smbench.scenario.values.files import read_regular
from smbench.sweeping.figures import Figures, figures_of
from smbench.sweeping.question import FILE_KEYS, Cell, Question, benchmarks_of, cells_of, rule_of, seeds_given, words
from smbench.sweeping.ranking import Choice, Group, Rule, Seen, choose, groups_of
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view
from smbench.view.report.sweep import progress_line, render, rows_of, to_json

QUESTION_FILE = "sweep.json"

MatrixLike = Mapping[str, Any]
"""Values by dotted scenario keys, or labelled settings of several keys: docs/sweep.md."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """What came of a matrix of runs.

    Attributes:
        path: Its folder.
        cells: Every run that was asked for, finished or not.
        figures: Of the finished ones, by the cell's number.
        runs: Their folders.
        dropped: Why a cell could not be run, by its number.
        prices: What costs were computed with.
        rule: By which `recommendation` was chosen.
        interrupted: A person ended it; `resume_sweep` goes on.
    """

    path: Path
    cells: tuple[Cell, ...]
    figures: Mapping[int, Figures]
    runs: Mapping[int, Path]
    dropped: Mapping[int, str]
    prices: PriceTable
    rule: Rule = Rule.CHEAPEST
    interrupted: bool = False
    groups: tuple[Group, ...] = field(init=False)

    def __post_init__(self) -> None:
        seen = [
            Seen(" ".join(words(cell.configuration)), cell.benchmark, cell.trial, cell.seed, figures)
            for cell in self.cells
            if (figures := self.figures.get(cell.number)) is not None
        ]
        object.__setattr__(self, "groups", groups_of(seen))

    @property
    def name(self) -> str:
        """Of the scenario."""
        return self.cells[0].scenario.name

    @property
    def recommendation(self) -> Choice | None:
        """Which configuration to take, by the first benchmark; None where nothing can be ranked."""
        first = self.groups[0].benchmark if self.groups else ""
        memory_mb = {
            " ".join(words(cell.configuration)): cell.scenario.target.emulated.serverless.memory for cell in self.cells
        }
        return choose([group for group in self.groups if group.benchmark == first], self.rule, memory_mb)

    @property
    def table(self) -> pl.DataFrame:
        """A row a cell: what was varied, the seed, the figures."""
        return pl.DataFrame(rows_of(self), infer_schema_length=None)

    @property
    def exit_status(self) -> ExitCode:
        """0, or what the worst cell says: an interrupt, a cell that could not be run, an invalid or failed run."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.dropped:
            return ExitCode.TARGET
        is_bad = any(one.verdict == "invalid" or one.has_failed for one in self.figures.values())
        return ExitCode.INVALID if is_bad else ExitCode.OK

    def run(self, number: int) -> Run:
        """The run of a cell, read from its folder, as `smbench.report` gives it."""
        return report(self.runs[number])

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, and the exit status of the command."""
        return {**to_json(self), "exit_status": int(self.exit_status)}

    def to_text(self) -> RenderableType:
        """The table and the recommendation as `rich` prints them."""
        return render(self)

    def to_html(self) -> str:
        """One page with pictures and tables; it needs no network."""
        from smbench.view.page.sweep_page import sweep_page  # its libraries cost half a second
        from smbench.view.page.vega import Vega

        with Vega() as vega:
            return sweep_page(self, vega)

    def write(self) -> None:
        """Write `sweep.parquet` and `sweep.html` into the folder.

        Raises:
            ResultsError: they could not be written.
        """
        write_table_and_page(self.path, "sweep", self.table, self.to_html())

    def __str__(self) -> str:
        return as_text(self.to_text())

    def __repr__(self) -> str:
        return f"<smbench.Sweep {self.name}: {len(self.figures):,} of {len(self.cells):,} cells, {self.path}>"

    def _repr_html_(self) -> str:
        return as_html(str(self))


def sweep(
    scenario: ScenarioLike | None = None,
    *,
    matrix: MatrixLike | None = None,
    seeds: str | Sequence[int] | int | None = None,
    benchmarks: Mapping[str, Any] | None = None,
    thresholds: Sequence[str] = (),
    rule: str | None = None,
    prices: Mapping[str, float] | None = None,
    results: str | os.PathLike[str] = "results",
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    progress: Progress = "auto",
    command: Sequence[str] = ("smbench.sweep",),
) -> Sweep:
    """Run every combination of a matrix, under each benchmark and each seed.

    Everything is checked before the first run begins. Each cell is a run with a folder of its own; in warp time as
    many go on at once as there are cores. `resume_sweep` goes on after a kill.

    Args:
        scenario: As `run` takes it, or the file of a sweep with the keys `scenario`, `matrix`, `seeds`, `benchmarks`,
            `thresholds` and `rule`; the arguments then add to it.
        matrix: What to vary; None: nothing.
        seeds: `"1-5"`, a number or several; every configuration meets the same. None: the scenario's own.
        benchmarks: `stability`, `concurrency`, `saturation` and `cold_start` with their settings; None: the
            scenario's own load.
        thresholds: Beside those of the scenario, such as `"p95 < 2s"`.
        rule: `cheapest`, of those that keep the thresholds, or `discounted`, of serverless memory sizes; None: the
            first.
        prices: USD by the names of `smbench prices`, instead of those of the table that ships.
        results: Folder in which the sweep's own is made.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        progress: `none`, or a line on stderr for each cell that is finished.
        command: What asked for it, for the manifests.

    Raises:
        ScenarioError, UsageError: a file, a key or a value is wrong; nothing was started.
        ResultsError: the folder cannot be written.
    """
    table = current_prices().with_own(prices or {})
    question = _question(scenario, matrix, seeds, benchmarks, readable(thresholds), rule, base_dir, allow_files)
    cells = cells_of(question)
    _refuse_discount(question, cells)
    _refuse_changes_of_aws(cells)
    folder = new_run_dir(Path(results), f"sweep-{cells[0].scenario.name}", datetime.datetime.now(datetime.UTC))
    asked = {"question": question.model_dump(mode="json"), "prices": table.model_dump(mode="json")}
    try:
        write_whole(folder / QUESTION_FILE, json_document(asked))
    except OSError as error:
        raise ResultsError(
            f"cannot write {folder}: {error.strerror or error}", "choose another folder for the sweep"
        ) from error
    return _swept(folder, question, cells, table, progress, command)


def is_sweep(path: Path) -> bool:
    """Whether a folder is a sweep's."""
    return (path / QUESTION_FILE).is_file()


def resume_sweep(folder: str | os.PathLike[str], *, progress: Progress = "auto") -> Sweep:
    """Run what is not finished of a sweep; a finished cell is not run again.

    Args:
        folder: Of the sweep.
        progress: As `sweep`.

    Raises:
        ResultsError: its files cannot be read.
    """
    path = Path(folder)
    try:
        written = json.loads((path / QUESTION_FILE).read_bytes())
        question = Question.model_validate(written["question"])
        table = PriceTable.model_validate(written["prices"])
    except ValidationError as error:
        raise ResultsError(f"{path / QUESTION_FILE} is damaged: {first_in_words(error)}") from error
    except (OSError, ValueError, KeyError) as error:
        raise ResultsError(f"{path / QUESTION_FILE} cannot be read: {error}") from error
    return _swept(path, question, cells_of(question), table, progress, ("smbench.resume_sweep",))


def _swept(
    folder: Path,
    question: Question,
    cells: Sequence[Cell],
    prices: PriceTable,
    progress: Progress,
    command: Sequence[str],
) -> Sweep:
    origin = Origin(question.base_dir)
    tasks = [Task(cell.number, cell.scenario, origin) for cell in cells]
    kept, interrupts = Cells(folder), Interrupts()

    def read(done: CarriedOut) -> dict[str, Any]:
        run = reported(done)
        frames = replace(run.frames, prices=prices)
        found = figures_of(frames, run.summary, run.verdict.value, run.thresholds)
        return found.model_dump(mode="json")

    def watch(number: int, finished: Finished) -> None:
        if progress != "none":
            line = progress_line(cells[number - 1], finished.found, len(kept.finished), len(cells))
            print(f"smbench: {line}", file=sys.stderr, flush=True)  # noqa: T201  # what a sweep says under way

    n_at_once, warm = at_once([cell.scenario for cell in cells]), WarmWorkers()
    start = warm.start if all(in_warp(cell.scenario) for cell in cells) else start_forked

    def settings(place: Path) -> Settings:
        own = prices.own_prices
        return Settings(access=AwsAccess(), results=place, command=tuple(command), prices=own, start=start)

    if progress != "none":
        print(f"smbench: {len(cells):,} cells, {n_at_once} at once", file=sys.stderr, flush=True)  # noqa: T201  # as above
    with warm:
        run_cells(
            kept,
            tasks,
            settings,
            lambda: choose_view("none", sys.stderr, os.environ),
            read,
            watch,
            interrupts,
            n_at_once,
        )
    done = _result(folder, cells, kept, prices, question.rule)
    done = replace(done, interrupted=bool(interrupts.names) and not all_finished(kept, tasks))
    if done.figures and not done.interrupted:  # a person who ends it need not wait for a page that resume writes
        done.write()
    return done


def _result(folder: Path, cells: Sequence[Cell], kept: Cells, prices: PriceTable, rule: Rule) -> Sweep:
    figures, runs, dropped = {}, {}, {}
    for number, finished in sorted(kept.finished.items()):
        if not finished.run:
            dropped[number] = str(finished.found["dropped"])
            continue
        figures[number] = Figures.model_validate(finished.found)
        runs[number] = folder / finished.run
    return Sweep(folder, tuple(cells), figures, runs, dropped, prices, rule)


def _question(
    scenario: ScenarioLike | None,
    matrix: MatrixLike | None,
    seeds: Any,
    benchmarks: Mapping[str, Any] | None,
    thresholds: Sequence[str],
    rule: str | None,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
) -> Question:
    asked: dict[str, Any] = {}
    if isinstance(scenario, Scenario):
        given_scenario(scenario, base_dir, allow_files)  # its own misfits are said as its own
        base, folder, where = scenario.model_dump(mode="json", exclude_unset=True), Path(base_dir or "."), "sweep"
    elif isinstance(scenario, Mapping):
        base, folder, where = dict(scenario), Path(base_dir or "."), "sweep"
    else:
        file = scenario_file(scenario)
        base, folder, where = _of_file(file, allow_files), file.parent, str(file)
    if "scenario" in base and "load" not in base:
        asked, inner = base, base["scenario"]
        if unknown := [key for key in asked if key not in FILE_KEYS]:
            raise UsageError(f"{where}: '{unknown[0]}' is not known here", f"known are {', '.join(FILE_KEYS)}")
        if isinstance(inner, Mapping):
            base = dict(inner)
        else:
            beside = folder / str(inner)
            file = beside if beside.exists() else scenario_file(str(inner))
            base, folder = _of_file(file, allow_files), file.parent
    return Question(
        base=base,
        base_dir=folder.resolve(),
        allowed=tuple(Path(one).resolve() for one in allow_files),
        matrix={**_mapping(asked, "matrix", where), **(matrix or {})},
        seeds=seeds_given(asked.get("seeds") if seeds is None else seeds, where),
        benchmarks=benchmarks_of({**_mapping(asked, "benchmarks", where), **(benchmarks or {})}, where),
        thresholds=tuple(dict.fromkeys((*readable(_texts(asked, where), where), *thresholds))),
        rule=rule_of(rule or asked.get("rule"), where),
    )


def _of_file(file: Path, allow_files: Folders) -> dict[str, Any]:
    """A file's values. What is wrong in a scenario is said with its line."""
    try:
        text = read_regular(file, TEXT_MAX).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        given_scenario(file, None, allow_files)  # says what is wrong with it
        raise
    source = read_source(text)
    if source.problems or not isinstance(source.value, dict) or "load" in source.value:
        given_scenario(file, None, allow_files)
    assert isinstance(source.value, dict), "a scenario that was read is a mapping"
    return source.value


def _mapping(asked: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    found = asked.get(key, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"{where}: {key} needs keys and values")
    return dict(found)


def _texts(asked: Mapping[str, Any], where: str) -> tuple[str, ...]:
    found = asked.get("thresholds", [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UsageError(f"{where}: thresholds needs a list such as [p95 < 2s]")
    return tuple(found)


def _refuse_discount(question: Question, cells: Sequence[Cell]) -> None:
    """The discount is one on memory sizes of emulated serverless endpoints: of others they are not known before."""
    if question.rule is not Rule.DISCOUNTED:
        return
    if any(cell.scenario.target.kind != "serverless" or cell.scenario.target.endpoint for cell in cells):
        raise UsageError(
            "the rule `discounted` compares memory sizes of emulated serverless endpoints: these are others"
        )


def _refuse_changes_of_aws(cells: Sequence[Cell]) -> None:
    """A real endpoint is used as it is: nothing is created or changed for a cell."""
    for cell in cells:
        if cell.scenario.target.endpoint is None:
            continue
        changed = [key for key in cell.settings if key.startswith("target.") and key != "target.endpoint"]
        if changed:
            raise UsageError(
                f"{changed[0]} cannot be varied on the endpoint {cell.scenario.target.endpoint}: it is used as it is",
                "deploy a variant of each configuration and vary target.endpoint",
            )
