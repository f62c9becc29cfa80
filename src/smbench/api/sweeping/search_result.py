"""What came of a capacity search: the rate, its interval, and the runs behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict
from rich.console import RenderableType

from smbench.api.printed import Printed
from smbench.api.report import report
from smbench.api.result import Run, write_table_and_page
from smbench.errors import ExitCode
from smbench.sweeping.capacity import Found, Purpose, Seen, found
from smbench.sweeping.demands import Demand
from smbench.sweeping.figures import Figures
from smbench.sweeping.probe import Evidence
from smbench.units import counted, rate
from smbench.view.report.search import render, rows_of, to_json


class Kept(BaseModel):
    """What is kept of a probe's run."""

    model_config = ConfigDict(frozen=True)

    purpose: Purpose
    length: float
    evidence: Evidence
    figures: Figures
    spoiled: str  # why the run does not measure the endpoint; empty: it does
    hopeless: str = ""  # why no other rate would be kept; empty: it may


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of a search. `run` is its folder."""

    number: int
    run: Path
    kept: Kept

    @property
    def seen(self) -> Seen:
        """For the search."""
        return Seen(self.kept.purpose, self.kept.length, self.kept.evidence)


@dataclass(frozen=True, eq=False, repr=False)
class Search(Printed):
    """What came of a capacity search.

    Attributes:
        path: Its folder.
        name: Of the scenario.
        demands: What had to hold.
        probes: Every run, in the order in which they were asked for.
        lowest_hz: The lowest rate that might be tried.
        highest_hz: The highest.
        stopped: Why it ended before it was sure; empty: it was not stopped.
        interrupted: A person ended it; `resume_search` goes on.
    """

    path: Path
    name: str
    demands: tuple[Demand, ...]
    probes: tuple[Probe, ...]
    lowest_hz: float
    highest_hz: float
    stopped: str = ""
    interrupted: bool = False

    @cached_property
    def found(self) -> Found:
        """The answer, with its interval: of the probes that measured the endpoint."""
        return found(seen_of(self.probes))

    @property
    def rate_hz(self) -> float | None:
        """The highest rate that keeps the thresholds.

        None: it is outside of what was searched, or the search was stopped or interrupted before it was sure.
        """
        return None if self.stopped or self.interrupted else self.found.rate_hz

    @property
    def table(self) -> pl.DataFrame:
        """A row a probe, in the order in which they were made."""
        return pl.DataFrame(rows_of(self), infer_schema_length=None)

    @property
    def exit_status(self) -> ExitCode:
        """0: a rate was found. 99: even the lowest fails. 98: not known. 130: interrupted."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.rate_hz is not None:
            return ExitCode.OK
        return ExitCode.INVALID if self.stopped or self.found.low_hz else ExitCode.THRESHOLD

    def run(self, number: int) -> Run:
        """The run of a probe, read from its folder, as `smbench.report` gives it."""
        return report(next(probe.run for probe in self.probes if probe.number == number))

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, and the exit status of the command."""
        return {**to_json(self), "exit_status": int(self.exit_status)}

    def to_text(self) -> RenderableType:
        """The answer and the probes as `rich` prints them."""
        return render(self)

    def to_html(self) -> str:
        """One page with a picture and the probes; it needs no network."""
        from smbench.view.page.search_page import search_page  # its libraries cost half a second
        from smbench.view.page.vega import Vega

        with Vega() as vega:
            return search_page(self, vega)

    def write(self) -> None:
        """Write `search.parquet` and `search.html` into the folder.

        Raises:
            ResultsError: they could not be written.
        """
        write_table_and_page(self.path, "search", self.table, self.to_html())

    def __repr__(self) -> str:
        return f"<smbench.Search {self.name}: {rate(self.rate_hz)}, {counted(len(self.probes), 'probe')}, {self.path}>"


def seen_of(probes: Sequence[Probe]) -> list[Seen]:
    """Those that measured the endpoint."""
    return [probe.seen for probe in probes if not probe.kept.spoiled]
