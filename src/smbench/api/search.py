"""The highest rate that keeps thresholds: found by one run after another, with its interval and those runs."""

import datetime
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import RenderableType

from smbench import units
from smbench.api.report import readable, report
from smbench.api.result import Run, as_html, as_text, write_table_and_page
from smbench.api.run import Progress, reported
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario
from smbench.api.stacks import aimed
from smbench.errors import ExitCode, NotBegunError, ResultsError, UsageError
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.lifecycle.cells import Cells, Finished, Task, in_warp, run_cells
from smbench.lifecycle.origin import Origin
from smbench.pricing.table import current_prices
from smbench.printable import json_document
from smbench.processes.interrupts import Interrupts
from smbench.processes.warm import WarmWorkers
from smbench.results.files import write_whole
from smbench.results.store import new_run_dir
from smbench.scenario.explain import first_in_words
from smbench.scenario.model import Scenario
from smbench.scenario.values.quantities import parse_duration_s, parse_rate_hz
from smbench.sweeping.asked import PROBES, Asked, Bill, asked_of, bill_of, usual_time_s
from smbench.sweeping.capacity import Ask, Found, Purpose, Seen, found, next_asks
from smbench.sweeping.demands import Demand
from smbench.sweeping.figures import Figures, figures_of
from smbench.sweeping.offered import offered
from smbench.sweeping.probe import Evidence, evidence_of
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view
from smbench.view.report.search import progress_line, render, rows_of, to_json

ASKED_FILE = "search.json"
_ERROR_SHOWN = 60  # characters of an error in a sentence
_SPOILED_MAX = 2  # probes in a row that did not measure the endpoint end a search: a third would not either
Rate = str | float
"""Requests a second, or with a unit: `"30/m"`."""


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
class Search:
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
        return found(_seen(self.probes))

    @property
    def rate_hz(self) -> float | None:
        """The highest rate that keeps the thresholds; None: it is outside of what was searched."""
        return self.found.rate_hz

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

    def __str__(self) -> str:
        return as_text(self.to_text())

    def __repr__(self) -> str:
        return f"<smbench.Search {self.name}: {self.rate_hz} /s, {len(self.probes):,} probes, {self.path}>"

    def _repr_html_(self) -> str:
        return as_html(str(self))


def search(
    scenario: ScenarioLike | None = None,
    *,
    slo: str | Sequence[str] = (),
    endpoint: str | None = None,
    stack: str | None = None,
    between: tuple[Rate, Rate] | None = None,
    requests: int | None = None,
    settle: str | float | None = None,
    probes: int = PROBES,
    max_time: str | float | None = None,
    prices: Mapping[str, float] | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    results: str | os.PathLike[str] = "results",
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    confirm: Callable[[Bill], bool] = lambda _bill: True,
    progress: Progress = "auto",
    command: Sequence[str] = ("smbench.search",),
) -> Search:
    """Find the highest offered rate that keeps thresholds.

    A rate is kept where the backlog does not grow, every threshold holds, and, unless one of them speaks of errors,
    99 % of the requests complete. Each rate that is tried is a run with a folder of its own; `resume_search` goes on
    after a kill.

    Args:
        scenario: As `run` takes it; its load is one phase, `constant` or `poisson`, whose rate is changed.
        slo: What must hold, such as `"p95 < 30s"`; empty: the scenario's thresholds.
        endpoint: A real endpoint instead of the scenario's target. This uses AWS and costs money.
        stack: The endpoint that `deploy` brought up under this name, instead.
        between: The lowest rate and the highest to try; None: a 64th of the scenario's own to 64 times as much.
        requests: Of a probe of full length; None: 2,000, or more where a threshold is strict.
        settle: How long each rate is offered before it is measured, seconds or with a unit, at least a quarter of the
            probe; None: half an hour where the emulated endpoint scales.
        probes: The most runs.
        max_time: Of all probes on a real endpoint, drains included; None: that of `probes` runs at the scenario's rate.
        prices: As `run` takes it, for every probe.
        region: As `run` takes it, as the two that follow.
        results: Folder in which the search's own is made.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        confirm: Given what a search of a real endpoint may take at most; nothing is sent unless it returns True.
        progress: `none`, or a line on stderr for each probe that is over.
        command: What asked for it, for the manifests.

    Raises:
        ScenarioError, UsageError: a file, a threshold or a bound is wrong; nothing was started.
        TargetError: there is no such stack.
        NotBegunError: `confirm` said no.
        ResultsError: the folder cannot be written.
    """
    current_prices().with_own(prices or {})
    given = given_scenario(scenario, base_dir, allow_files)
    where = {"region": region, "profile": profile, "endpoint_url": endpoint_url}
    target = aimed(given, endpoint, stack, **where)
    asked = asked_of(
        target,
        given.origin.base_dir,
        [Path(folder) for folder in allow_files],
        slos=readable((slo,) if isinstance(slo, str) else tuple(slo), "--slo"),
        between_hz=None
        if between is None
        else (_quantity(parse_rate_hz, between[0], "between"), _quantity(parse_rate_hz, between[1], "between")),
        requests=requests,
        settle=None if settle is None else _quantity(parse_duration_s, settle, "settle"),
        probes=probes,
        time_max_s=None if max_time is None else _quantity(parse_duration_s, max_time, "max-time"),
        at_once=2 if in_warp(target) else 1,
        prices=prices or {},
        access=where,
    )
    if target.target.endpoint is not None:
        asked = asked.model_copy(update={"time_max_s": asked.time_max_s or usual_time_s(asked, target)})
        if not confirm(bill_of(asked, target)):
            raise NotBegunError("not agreed to: nothing was sent")
    folder = new_run_dir(Path(results), f"search-{target.name}", datetime.datetime.now(datetime.UTC))
    try:
        write_whole(folder / ASKED_FILE, json_document(asked.model_dump(mode="json")))
    except OSError as error:
        raise ResultsError(
            f"cannot write {folder}: {error.strerror or error}", "choose another folder for the search"
        ) from error
    return _Searching(folder, asked, target, progress, command).carried_out()


def is_search(path: Path) -> bool:
    """Whether a folder is a search's."""
    return (path / ASKED_FILE).is_file()


def resume_search(folder: str | os.PathLike[str], *, progress: Progress = "auto") -> Search:
    """Go on with a search; a probe that is over is not run again.

    Args:
        folder: Of the search.
        progress: As `search`.

    Raises:
        ResultsError: its files cannot be read.
    """
    path = Path(folder)
    try:
        asked = Asked.model_validate(json.loads((path / ASKED_FILE).read_bytes()))
    except ValidationError as error:
        raise ResultsError(f"{path / ASKED_FILE} is damaged: {first_in_words(error)}") from error
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path / ASKED_FILE} cannot be read: {error}") from error
    return _Searching(path, asked, asked.scenario, progress, ("smbench.resume_search",)).carried_out()


class _Searching:
    """A search under way: asks for probes, runs them, reads them."""

    def __init__(
        self, folder: Path, asked: Asked, scenario: Scenario, progress: Progress, command: Sequence[str]
    ) -> None:
        self.folder, self.asked, self.scenario, self.progress, self.command = folder, asked, scenario, progress, command
        self.demands, self.terms = asked.demands(scenario), asked.terms(scenario)
        self.cells, self.interrupts, self.warm = Cells(folder), Interrupts(), WarmWorkers()
        self.probes: list[Probe] = []
        self.spent_s = 0.0

    def carried_out(self) -> Search:
        """Until the search is over, or something ends it."""
        stopped = ""
        with self.warm:
            while not stopped and not self.interrupts.names and (asks := self._next()):
                stopped = self._run(asks)
        if not stopped and not self.interrupts.names and self._wanted():
            stopped = "the time for all probes is over"
        is_open = bool(self.interrupts.names) and bool(self._wanted())
        done = Search(
            self.folder,
            self.scenario.name,
            self.demands,
            tuple(self.probes),
            self.terms.lowest_hz,
            self.terms.highest_hz,
            stopped,
            is_open,
        )
        if done.probes and not is_open:  # a person who ends it need not wait for a page that resume writes
            done.write()
        return done

    def _wanted(self) -> tuple[Ask, ...]:
        """What to try now. A probe that did not measure the endpoint counts as a run, and for nothing else."""
        seen = _seen(self.probes)
        n_spoiled = len(self.probes) - len(seen)
        return next_asks(seen, replace(self.terms, probes_max=self.terms.probes_max - n_spoiled))

    def _next(self) -> tuple[Ask, ...]:
        """What to try now; nothing where it would take longer than it may."""
        asks = self._wanted()
        for place, ask in enumerate(asks):
            run = self._offered(ask, 0)
            self.spent_s += sum(phase.planned_s or 0.0 for phase in run.load) + run.drain
            if self.asked.time_max_s is not None and self.spent_s > self.asked.time_max_s:
                return asks[:place]
        return asks

    def _offered(self, ask: Ask, number: int) -> Scenario:
        n = round(self.asked.requests * ask.length)
        thresholds = tuple(demand.text for demand in self.demands if demand.threshold is not None)
        return offered(self.scenario, ask.rate_hz, n, self.asked.settle_s, number, thresholds)

    def _run(self, asks: Sequence[Ask]) -> str:
        """Run probes side by side; why nothing more can be asked, or nothing."""
        before = len(self.probes)
        by_number = {before + place: ask for place, ask in enumerate(asks, 1)}
        origin = Origin(self.asked.base_dir)
        tasks = [Task(number, self._offered(ask, number), origin) for number, ask in by_number.items()]

        def read(done: CarriedOut) -> dict[str, Any]:
            number = int(done.path.parent.name)
            return self._kept(done, by_number[number]).model_dump(mode="json")

        run_cells(
            self.cells,
            tasks,
            self._settings,
            lambda: choose_view("none", sys.stderr, os.environ),
            read,
            self._watch,
            self.interrupts,
            self.asked.at_once,
        )
        for number in by_number:
            finished = self.cells.finished.get(number)
            if finished is None:
                return ""
            if not finished.run:
                return f"a probe could not begin: {finished.found['dropped']}"
            probe = Probe(number, self.folder / finished.run, Kept.model_validate(finished.found))
            self.probes.append(probe)
            if probe.kept.hopeless:
                return f"at {probe.seen.rate_hz:.4g}/s {probe.kept.hopeless}"
        last = self.probes[-_SPOILED_MAX:]
        if len(last) == _SPOILED_MAX and all(probe.kept.spoiled for probe in last):
            at = units.rate(last[-1].seen.rate_hz)
            return f"two probes in a row did not measure the endpoint; the last, at {at}: {last[-1].kept.spoiled}"
        return ""

    def _settings(self, place: Path) -> Settings:
        access = AwsAccess(self.asked.region, self.asked.profile, self.asked.endpoint_url)
        start = self.warm.start if in_warp(self.scenario) else None
        return Settings(
            access=access, results=place, command=tuple(self.command), prices=self.asked.prices, start=start
        )

    def _watch(self, number: int, finished: Finished) -> None:
        if self.progress != "none":
            line = progress_line(number, finished.found)
            print(f"smbench: {line}", file=sys.stderr, flush=True)  # noqa: T201  # what a search says under way

    def _kept(self, done: CarriedOut, ask: Ask) -> Kept:
        run = reported(done)
        figures = figures_of(run.frames, run.summary, run.verdict.value, run.thresholds)
        evidence = evidence_of(run.frames, ask.rate_hz, self.demands, self.scenario.target.kind)
        return Kept(
            purpose=ask.purpose,
            length=ask.length,
            evidence=evidence,
            figures=figures,
            spoiled=_spoiled(run) or _ended_early(run, evidence),
            hopeless=_fails_at_any_rate(run, evidence),
        )


def _seen(probes: Sequence[Probe]) -> list[Seen]:
    """Those that measured the endpoint."""
    return [probe.seen for probe in probes if not probe.kept.spoiled]


def _spoiled(run: Run) -> str:
    """Why a run does not measure the endpoint. Calls that our own limit held back are no reason: they are counted."""
    if run.failure:
        return run.failure.splitlines()[0]
    bad = [one for one in run.findings if one.verdict == "invalid"]
    if len(bad) == 1 and run.summary.generator.n_dropped:
        return ""
    return f"the run is invalid: {bad[0].name}: {bad[0].seen} (expected: {bad[0].expected})" if bad else ""


def _ended_early(run: Run, evidence: Evidence) -> str:
    """Of a run that sent a part of its load, where that part does not show that the rate fails. Empty: it is not so."""
    if not run.frames.n_unreached or evidence.said == "fails":
        return ""
    counts = run.summary.measured
    why = run.summary.reason or run.summary.ending
    return f"the run ended before its load did ({why}): {counts.sent:,} of {counts.scheduled:,} requests were sent"


def _fails_at_any_rate(run: Run, evidence: Evidence) -> str:
    """Of an endpoint that completes nothing while nothing waits: no lower rate will help it. Empty: it is not so."""
    counts = run.summary.counts
    if not counts.sent or counts.completed or evidence.growth == "fails":
        return ""
    worst = max(run.summary.causes, key=lambda one: one.n, default=None)
    why = "" if worst is None else f" ({worst.error[:_ERROR_SHOWN]}…)"
    return (
        f"none of {counts.sent:,} requests completed, and not for want of capacity, for the backlog does not "
        f"grow{why}: the endpoint fails at any rate; mend it, or its payloads, then search again"
    )


def _quantity(read: Callable[[object], float], written: object, name: str) -> float:
    try:
        return read(written)
    except ValueError as error:
        raise UsageError(f"--{name} '{written}' {error}") from None
