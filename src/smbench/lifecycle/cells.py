"""Many runs under one folder: each a whole run, some side by side; a finished one is not repeated.

What is finished is in one file, written anew after each run, so that a sweep that was killed goes on where it was.
"""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smbench.clock import TimeKind
from smbench.errors import ResultsError, SmbenchError
from smbench.generator.plan import make_plan
from smbench.lifecycle.carry_out import CarriedOut, Settings, carry_out
from smbench.lifecycle.origin import Origin
from smbench.printable import json_document
from smbench.processes.descriptors import require_descriptors
from smbench.processes.interrupts import Interrupts
from smbench.results.files import write_whole
from smbench.results.manifest import read_manifest
from smbench.scenario.model import Scenario
from smbench.view.live.choose import View

FINISHED_FILE = "finished.json"
CELLS = "cells"  # the folder of the runs, each in one of its number
_LOOK_S = 0.2  # between two looks at what a person asks for


@dataclass(frozen=True, slots=True)
class Task:
    """One run to make. `number` names its folder."""

    number: int
    scenario: Scenario
    origin: Origin


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over.

    Args:
        run: Its folder, as a path below the sweep's; empty where it could not begin.
        found: What was read from it, as JSON values; of one that could not begin its reason, under `dropped`.
    """

    run: str
    found: dict[str, Any]


Read = Callable[[CarriedOut], dict[str, Any]]
"""From a run that is over to what is kept of it, as JSON values."""


class Cells:
    """The finished runs of one folder.

    Args:
        folder: Of the sweep.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.finished: dict[int, Finished] = {}
        path = folder / FINISHED_FILE
        if path.exists():
            try:
                written = json.loads(path.read_bytes())
                self.finished = {int(number): Finished(**one) for number, one in written.items()}
            except (AttributeError, OSError, ValueError, TypeError) as error:
                raise ResultsError(f"{path} cannot be read: {error}", "remove it to run every cell again") from error

    def put(self, number: int, finished: Finished) -> None:
        """Keep it, on disk too unless it could not begin: then another try may go well.

        Raises:
            ResultsError: it could not be written.
        """
        self.finished[number] = finished
        begun = {one: self.finished[one] for one in sorted(self.finished) if self.finished[one].run}
        written = {str(one): {"run": cell.run, "found": cell.found} for one, cell in begun.items()}
        try:
            write_whole(self.folder / FINISHED_FILE, json_document(written))
        except OSError as error:
            raise ResultsError(
                f"cannot write {self.folder}: {error.strerror or error}", "free some disk space"
            ) from error


def left_by_kills(folder: Path) -> list[str]:
    """A sentence for each run of a sweep that was killed and holds something in AWS. Such a run is made anew."""
    left = []
    for path in sorted((folder / CELLS).glob("*/*")):
        with suppress(ResultsError):  # killed before it began: it sent nothing and holds nothing
            if read_manifest(path).held:
                left.append(f"{path} was killed: `smbench resume {path}` collects what it sent and removes its queue")
    return left


def in_warp(scenario: Scenario) -> bool:
    """Whether a run of it waits for nothing."""
    return scenario.target.endpoint is None and scenario.target.emulated.time == TimeKind.WARP.value


def at_once(scenarios: Sequence[Scenario]) -> int:
    """How many of such runs may go on side by side: as many as there are cores in warp time, else one."""
    return max(1, os.cpu_count() or 1) if all(map(in_warp, scenarios)) else 1


def run_cells(
    cells: Cells,
    tasks: Sequence[Task],
    settings: Callable[[Path], Settings],
    make_view: Callable[[], View],
    read: Read,
    watch: Callable[[int, Finished], None],
    interrupts: Interrupts,
    n_at_once: int,
) -> None:
    """Run what is not finished; returns when all is, or when a person ended it.

    The first interrupt begins no other run and has those that go on send no more; the second stops them at once. In
    warp time, where a run leaves nothing behind, the first does. A run that was ended like that is not finished.

    Args:
        settings: Of a run, from the folder in which its own is made.
        watch: Called in this thread with each run that is over.

    Raises:
        ResultsError: what is finished could not be written.
    """
    left = [task for task in tasks if task.number not in cells.finished]
    going: dict[Future[CarriedOut], tuple[Task, Interrupts]] = {}
    n_passed_on = 0
    with interrupts.from_signals(), ThreadPoolExecutor(n_at_once, "smbench-cell") as pool:
        while left or going:
            while left and len(going) < n_at_once and not interrupts.names:
                task, own = left.pop(0), Interrupts()
                going[pool.submit(_carried_out, task, settings, cells.folder, make_view, own)] = (task, own)
            if not going:
                return
            over, _ = wait(going, _LOOK_S, FIRST_COMPLETED)
            for future in over:
                task, own = going.pop(future)
                if own.names:
                    continue
                finished = _taken(future, cells.folder, read)
                cells.put(task.number, finished)
                watch(task.number, finished)
            for name in interrupts.names[n_passed_on:]:
                for task, own in going.values():
                    own.give(name, at_once=True if in_warp(task.scenario) else None)
            n_passed_on = len(interrupts.names)


def _carried_out(
    task: Task, settings: Callable[[Path], Settings], folder: Path, make_view: Callable[[], View], own: Interrupts
) -> CarriedOut:
    plan = make_plan(task.scenario, task.origin.base_dir)
    require_descriptors(plan)
    place = folder / CELLS / f"{task.number:04d}"
    return carry_out(plan, task.origin, settings(place), make_view(), own)


def _taken(future: Future[CarriedOut], folder: Path, read: Read) -> Finished:
    try:
        done = future.result()
        return Finished(str(done.path.relative_to(folder)), read(done))
    except SmbenchError as error:  # this one is dropped with its reason; the others go on
        return dropped(error)


def dropped(error: SmbenchError) -> Finished:
    """Of a run that cannot begin: its reason."""
    return Finished("", {"dropped": "; ".join(filter(None, (error.message, error.advice)))})
