"""Goal: many runs under one folder end when a person says so, soon, and what was finished stays finished.

Method: the lifecycle of a run is replaced by a function that waits for an interrupt.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from runs import manifest_of
from smbench.errors import ResultsError
from smbench.lifecycle import cells
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.lifecycle.cells import Cells, Task, left_by_kills, run_cells
from smbench.lifecycle.origin import Origin
from smbench.processes.interrupts import Interrupts
from smbench.processes.session import SessionEnd
from smbench.records import Ending
from smbench.scenario.model import Scenario
from smbench.view.live.choose import choose_view


def scenario(time: str) -> Scenario:
    target = {"emulated": {"time": time}}
    load = [{"burst": {"requests": 1}}]
    return Scenario.model_validate({"name": "cell", "target": target, "load": load})


@pytest.mark.parametrize(("time", "at_once"), [("warp", True), ("real", None)])
def test_the_first_interrupt_ends_runs_in_warp_time_at_once_and_none_of_them_is_read_or_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: str, at_once: bool | None
) -> None:
    interrupts, seen = Interrupts(), []

    def carried_out(_plan: object, _origin: object, settings: Settings, _view: object, own: Interrupts) -> CarriedOut:
        if settings.results.name == "0002":
            interrupts.give("SIGTERM")
            own.pause(10, 0)
            seen.append(own.at_once(1))
        return CarriedOut(settings.results, SessionEnd(), (), was_interrupted=bool(own.names))

    def read(done: CarriedOut) -> dict[str, Any]:
        return {"read": done.path.name}

    monkeypatch.setattr(cells, "carry_out", carried_out)
    kept, tasks = Cells(tmp_path), [Task(number, scenario(time), Origin(tmp_path)) for number in (1, 2, 3)]
    shows_nothing = choose_view("none", sys.stderr, {})
    run_cells(
        kept,
        tasks,
        lambda place: Settings(results=place),
        lambda: shows_nothing,
        read,
        lambda *_: None,
        interrupts,
        n_at_once=1,
    )
    assert seen == [at_once]
    assert {number: one.found for number, one in kept.finished.items()} == {1: {"read": "0001"}}
    assert Cells(tmp_path).finished == kept.finished


def test_of_killed_runs_those_are_named_that_hold_a_queue(tmp_path: Path) -> None:
    held = {"0": {"queue": "https://sqs/1/smbench-smb-test-0"}}
    for name, manifest in {
        "0001/finished": manifest_of(),
        "0002/killed": manifest_of(ending=Ending.RUNNING).model_copy(update={"held": held}),
        "0003/in-warp-time": manifest_of(ending=Ending.RUNNING),
        "0004/not-begun": None,
    }.items():
        path = tmp_path / cells.CELLS / name
        path.mkdir(parents=True)
        if manifest is not None:
            manifest.write(path)
    (sentence,) = left_by_kills(tmp_path)
    assert f"`smbench resume {tmp_path / cells.CELLS / '0002/killed'}` collects what it sent" in sentence


@pytest.mark.parametrize("content", ["[]", '"x"', "7", "null", '{"1": []}', '{"1": {"run": "x"}}', '{"one": {}}', "{"])
def test_a_file_of_finished_runs_that_has_something_else_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / cells.FINISHED_FILE).write_text(content)
    with pytest.raises(ResultsError, match=r"finished\.json cannot be read"):
        Cells(tmp_path)
