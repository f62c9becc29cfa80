"""A matrix of scenarios, each cell a run: with a table, a parquet file, a page and a recommendation."""

import datetime
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from smbench.api.report import readable
from smbench.api.run import Progress, reported
from smbench.api.scenarios import Folders, ScenarioLike
from smbench.api.sweeping.asked import read_asked, write_asked
from smbench.api.sweeping.question import MatrixLike, question_of, refuse_changes_of_aws, refuse_discount
from smbench.api.sweeping.sweep_result import Sweep
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.lifecycle.cells import Cells, Finished, Task, all_finished, at_once, in_warp, run_cells
from smbench.lifecycle.origin import Origin
from smbench.pricing.table import PriceTable, current_prices
from smbench.processes.child import start_forked
from smbench.processes.interrupts import Interrupts
from smbench.processes.warm import WarmWorkers
from smbench.results.store import new_run_dir
from smbench.sweeping.figures import Figures, figures_of
from smbench.sweeping.question import Cell, Question, cells_of
from smbench.sweeping.ranking import Rule
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view
from smbench.view.report.sweep import progress_line

QUESTION_FILE = "sweep.json"


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
    question = question_of(scenario, matrix, seeds, benchmarks, readable(thresholds), rule, base_dir, allow_files)
    cells = cells_of(question)
    refuse_discount(question, cells)
    refuse_changes_of_aws(cells)
    folder = new_run_dir(Path(results), f"sweep-{cells[0].scenario.name}", datetime.datetime.now(datetime.UTC))
    asked = {"question": question.model_dump(mode="json"), "prices": table.model_dump(mode="json")}
    write_asked(folder / QUESTION_FILE, asked, of="sweep")
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
    question, table = read_asked(
        path / QUESTION_FILE,
        lambda written: (Question.model_validate(written["question"]), PriceTable.model_validate(written["prices"])),
    )
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
