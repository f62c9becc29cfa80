"""A matrix of scenarios, each cell a run: with a table, a parquet file, a page and a recommendation."""

import datetime
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from smbench import units
from smbench.api.report import readable
from smbench.api.run import Progress, reported
from smbench.api.scenarios import Folders, Given, ScenarioLike, with_endpoint
from smbench.api.stacks import aimed, priced
from smbench.api.sweeping.asked import read_asked, say_what_was_left, write_asked
from smbench.api.sweeping.on_stacks import Account, Stack, StacksBill, bill_of, on_stacks, stacks_of
from smbench.api.sweeping.question import MatrixLike, question_of, refuse_changes_of_aws, refuse_discount
from smbench.api.sweeping.sweep_result import Sweep
from smbench.errors import NotBegunError, SmbenchError, UsageError
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.lifecycle.cells import Cells, Finished, Task, at_once, dropped, in_warp, run_cells
from smbench.lifecycle.origin import Origin
from smbench.pricing.table import PriceTable, current_prices
from smbench.processes.child import start_forked
from smbench.processes.interrupts import Interrupts
from smbench.processes.warm import WarmWorkers
from smbench.results.marks import sole_user
from smbench.results.store import new_run_dir
from smbench.scenario.model import Scenario
from smbench.stack.template import stack_name
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
    stack: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    max_cost: float | None = None,
    confirm: Callable[[StacksBill], bool] = lambda _bill: True,
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
        stack: Measure each configuration on a stack of its own, which its `deploy` section describes: `NAME-1`,
            `NAME-2` and so on, brought up side by side, and removed when its cells are over. This uses AWS and costs
            money.
        region: As `run` takes it, as the two that follow.
        max_cost: USD an hour that the stacks which are there at one time may cost at most; what is not known is
            refused, too.
        confirm: Given what stacks would be made; nothing is made unless it returns True.
        results: Folder in which the sweep's own is made.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        progress: `none`, or a line on stderr for each cell that is finished.
        command: What asked for it, for the manifests.

    Raises:
        ScenarioError, UsageError: a file, a key, a value or the cost will not do; nothing was started.
        NotBegunError: `confirm` said no.
        ResultsError: the folder cannot be written.
    """
    table = current_prices().with_own(prices or {})
    question = question_of(scenario, matrix, seeds, benchmarks, readable(thresholds), rule, base_dir, allow_files)
    cells = cells_of(question, on_stacks=stack is not None)
    account = Account(stack=stack, region=region, profile=profile, endpoint_url=endpoint_url)
    refuse_discount(question, cells, on_stacks=stack is not None)
    refuse_changes_of_aws(cells)
    if stack is not None:
        bill = bill_of(stacks_of(stack, cells))
        if max_cost is not None and (bill.hour_usd is None or not bill.hour_usd <= max_cost):  # nan refuses, too
            raise UsageError(f"{bill.sentence}: not within --max-cost {max_cost:g} USD an hour")
        if not confirm(bill):
            raise NotBegunError("not agreed to: nothing was made")
    folder = new_run_dir(Path(results), f"sweep-{cells[0].scenario.name}", datetime.datetime.now(datetime.UTC))
    parts = {"question": question, "prices": table, "account": account}
    write_asked(folder / QUESTION_FILE, {key: one.model_dump(mode="json") for key, one in parts.items()}, of="sweep")
    with sole_user(folder, "sweep"):
        return _Sweeping(folder, question, cells, table, account, progress, command).carried_out()


def is_sweep(path: Path) -> bool:
    """Whether a folder is a sweep's."""
    return (path / QUESTION_FILE).is_file()


def resume_sweep(folder: str | os.PathLike[str], *, progress: Progress = "auto") -> Sweep:
    """Run what is not finished of a sweep; a finished cell is not run again, and one that was killed is run anew.

    Stacks of a sweep that was killed are taken up, or removed where their cells are finished.

    Args:
        folder: Of the sweep.
        progress: As `sweep`.

    Raises:
        ResultsError: its files cannot be read, or another process works on it.
    """
    path = Path(folder)
    with sole_user(path, "sweep"):
        question, table, account = read_asked(
            path / QUESTION_FILE,
            lambda written: (
                Question.model_validate(written["question"]),
                PriceTable.model_validate(written["prices"]),
                Account.model_validate(written.get("account", {})),
            ),
        )
        say_what_was_left(path, progress)
        command = ("smbench.resume_sweep",)
        cells = cells_of(question, on_stacks=account.stack is not None)
        return _Sweeping(path, question, cells, table, account, progress, command).carried_out()


class _Sweeping:
    """A sweep under way: runs what is not finished, all of it together or stack by stack."""

    def __init__(
        self,
        folder: Path,
        question: Question,
        cells: Sequence[Cell],
        prices: PriceTable,
        account: Account,
        progress: Progress,
        command: Sequence[str],
    ) -> None:
        self.folder, self.question, self.cells, self.prices = folder, question, cells, prices
        self.account, self.progress, self.command = account, progress, command
        self.origin, self.kept, self.interrupts = Origin(question.base_dir), Cells(folder), Interrupts()
        self.warm = WarmWorkers()
        self.stacks = () if account.stack is None else stacks_of(account.stack, cells)
        self.is_in_warp = account.stack is None and all(in_warp(cell.scenario) for cell in cells)

    def carried_out(self) -> Sweep:
        """Until every cell is over, or a person ended it."""
        left: list[str] = []
        n_at_once = at_once([cell.scenario for cell in self.cells]) if self.is_in_warp else 1
        self._say(f"{units.counted(len(self.cells), 'cell')}, {n_at_once} at once")
        if self.account.stack is None:
            with self.warm:
                self._run([Task(cell.number, cell.scenario, self.origin) for cell in self.cells], n_at_once)
        else:
            over: list[Stack] = []
            stacks: list[Stack] = []
            for stack in self.stacks:
                (over if all(number in self.kept.finished for number in stack.cells) else stacks).append(stack)
            left = on_stacks(
                stacks,
                over,
                self.account,
                self.question.base_dir,
                self._measure,
                self._drop,
                self._say,
                self.interrupts,
            )
            for sentence in left:
                self._say(sentence)
        done = _result(self.folder, self._measured(), self.kept, self.prices, self.question.rule)
        is_over = all(cell.number in self.kept.finished for cell in self.cells)
        done = replace(done, interrupted=bool(self.interrupts.names) and not is_over, left=tuple(left))
        if done.figures and not done.interrupted:  # a person who ends it need not wait for a page that resume writes
            done.write()
        return done

    def _run(self, tasks: Sequence[Task], n_at_once: int) -> None:
        run_cells(
            self.kept,
            tasks,
            self._settings,
            lambda: choose_view("none", sys.stderr, os.environ),
            self._read,
            self._watch,
            self.interrupts,
            n_at_once,
        )

    def _measured(self) -> Sequence[Cell]:
        """The cells as they were measured: each on its own endpoint, where there were stacks."""
        measured = list(self.cells)
        for stack in self.stacks:
            for number in stack.cells:
                cell = measured[number - 1]
                scenario = with_endpoint(priced(cell.scenario), stack_name(stack.name), stack.wanted.kind)
                measured[number - 1] = cell.model_copy(update={"scenario": scenario})
        return measured

    def _measure(self, stack: Stack) -> None:
        """The cells of a stack that is there, one after another."""
        numbers = [number for number in stack.cells if number not in self.kept.finished]
        try:
            tasks = [Task(number, self._aimed(number, stack), self.origin) for number in numbers]
        except SmbenchError as error:
            self._drop(stack, error)
            return
        self._run(tasks, 1)

    def _aimed(self, number: int, stack: Stack) -> Scenario:
        given = Given(self.cells[number - 1].scenario, self.origin)
        where = self.account
        return aimed(
            given, None, stack.name, region=where.region, profile=where.profile, endpoint_url=where.endpoint_url
        )

    def _drop(self, stack: Stack, error: SmbenchError) -> None:
        for number in stack.cells:
            if number not in self.kept.finished:
                self.kept.put(number, dropped(error))
                self._watch(number, self.kept.finished[number])

    def _settings(self, place: Path) -> Settings:
        access = AwsAccess(self.account.region, self.account.profile, self.account.endpoint_url)
        own, start = self.prices.own_prices, self.warm.start if self.is_in_warp else start_forked
        return Settings(access=access, results=place, command=tuple(self.command), prices=own, start=start)

    def _read(self, done: CarriedOut) -> dict[str, Any]:
        run = reported(done)
        frames = replace(run.frames, prices=self.prices)
        found = figures_of(frames, run.summary, run.verdict.value, run.thresholds)
        return found.model_dump(mode="json")

    def _watch(self, number: int, finished: Finished) -> None:
        self._say(progress_line(self.cells[number - 1], finished.found, len(self.kept.finished), len(self.cells)))

    def _say(self, text: str) -> None:
        if self.progress != "none":
            print(f"smbench: {text}", file=sys.stderr, flush=True)  # noqa: T201  # what a sweep says under way


def _result(folder: Path, cells: Sequence[Cell], kept: Cells, prices: PriceTable, rule: Rule) -> Sweep:
    figures, runs, dropped = {}, {}, {}
    for number, finished in sorted(kept.finished.items()):
        if not finished.run:
            dropped[number] = str(finished.found["dropped"])
            continue
        figures[number] = Figures.model_validate(finished.found)
        runs[number] = folder / finished.run
    return Sweep(folder, tuple(cells), figures, runs, dropped, prices, rule)
