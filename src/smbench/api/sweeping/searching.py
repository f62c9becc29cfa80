"""A capacity search under way: asks for probes, runs them side by side, and reads each where it ends."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from smbench import units
from smbench.api.result import Run
from smbench.api.run import Progress, reported
from smbench.api.sweeping.search_result import Kept, Probe, Search, seen_of
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.lifecycle.cells import Cells, Finished, Task, in_warp, run_cells
from smbench.lifecycle.origin import Origin
from smbench.processes.interrupts import Interrupts
from smbench.processes.warm import WarmWorkers
from smbench.scenario.model import Scenario
from smbench.sweeping.asked import Asked
from smbench.sweeping.capacity import Ask, next_asks
from smbench.sweeping.figures import figures_of
from smbench.sweeping.offered import offered
from smbench.sweeping.probe import Evidence, evidence_of
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import choose_view
from smbench.view.report.search import progress_line

_ERROR_SHOWN = 60  # characters of an error in a sentence
_SPOILED_MAX = 2  # probes in a row that did not measure the endpoint end a search: a third would not either


class Searching:
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
        seen = seen_of(self.probes)
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
