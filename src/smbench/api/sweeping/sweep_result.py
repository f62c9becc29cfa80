"""What came of a matrix of runs: every cell, the table and the recommendation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import RenderableType

from smbench.api.printed import Printed
from smbench.api.report import report
from smbench.api.result import Run, write_table_and_page
from smbench.errors import ExitCode
from smbench.pricing.table import PriceTable
from smbench.sweeping.figures import Figures
from smbench.sweeping.question import Cell
from smbench.sweeping.ranking import Choice, Group, Rule, Seen, choose, groups_of
from smbench.units import counted
from smbench.view.report.sweep import render, rows_of, to_json


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Printed):
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
        left: A sentence on each stack of the sweep's own that could not be removed.
    """

    path: Path
    cells: tuple[Cell, ...]
    figures: Mapping[int, Figures]
    runs: Mapping[int, Path]
    dropped: Mapping[int, str]
    prices: PriceTable
    rule: Rule = Rule.CHEAPEST
    interrupted: bool = False
    left: tuple[str, ...] = ()
    groups: tuple[Group, ...] = field(init=False)

    def __post_init__(self) -> None:
        seen = [
            Seen(cell.name, cell.benchmark, cell.trial, cell.seed, figures)
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
        """Which configuration to take, by the first benchmark.

        None where nothing can be ranked, or a cell of it has not been run yet. A configuration one of whose seeds was
        dropped is left out: it would be judged by fewer runs than the others.
        """
        first = self.groups[0].benchmark if self.groups else ""
        asked = [cell for cell in self.cells if cell.benchmark == first]
        if any(cell.number not in self.figures and cell.number not in self.dropped for cell in asked):
            return None
        seeds = {cell.seed for cell in asked}
        whole = [group for group in self.groups if group.benchmark == first and seeds <= group.by_seed.keys()]
        memory_mb = {cell.name: cell.scenario.target.emulated.serverless.memory for cell in self.cells}
        return choose(whole, self.rule, memory_mb)

    @property
    def table(self) -> pl.DataFrame:
        """A row a cell: what was varied, the seed, the figures."""
        return pl.DataFrame(rows_of(self), infer_schema_length=None)

    @property
    def exit_status(self) -> ExitCode:
        """0, or the worst: an interrupt, a cell that could not be run, a stack that stays, an invalid or failed run."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.dropped or self.left:
            return ExitCode.TARGET
        is_bad = any(one.verdict == "invalid" or one.has_failed for one in self.figures.values())
        return ExitCode.INVALID if is_bad else ExitCode.OK

    def run(self, number: int) -> Run:
        """The run of a cell, read from its folder, as `smbench.report` gives it."""
        return report(self.runs[number])

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, and the exit status of the command."""
        return {**to_json(self), "left": list(self.left), "exit_status": int(self.exit_status)}

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

    def __repr__(self) -> str:
        done = f"{len(self.figures):,} of {counted(len(self.cells), 'cell')}"
        return f"<smbench.Sweep {self.name}: {done}, {self.path}>"
