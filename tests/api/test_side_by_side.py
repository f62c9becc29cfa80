"""Goal: how many processes predict changes nothing of what is predicted.

Method: policies foreseen here and in processes of their own, whose start is made worth it.
"""

import os
import signal
from typing import Any

import pytest

from smbench.api.predicting import side_by_side as module
from smbench.api.predicting.side_by_side import PredictionKilledError, side_by_side
from smbench.api.predicting.what_if import read_question, read_space
from smbench.prediction.sweep import Question, one_by_one
from smbench.scenario.emulated import Emulated

TARGET: dict[str, Any] = {
    "name": "story",
    "target": {
        "emulated": {
            "instances": {"min": 1, "max": 2},
            "service": {"exponential": {"mean": "4s"}},
            "policies": [{"target_tracking": {"backlog_per_instance": 4}}],
            "time": "warp",
        }
    },
    "load": [{"poisson": {"rate": "0.3/s", "for": "5m"}}],
}


@pytest.fixture(scope="module")
def asked() -> tuple[Question, list[Emulated]]:
    found = read_question(TARGET, None, ["p95 < 8m"], replications=2, force=False, base_dir=None, allow_files=())
    space = read_space({"min": [1, 2, 3], "max": [3, 4], "backlog_per_instance": [2, 8]}, found)
    return found.question, [point.emulated for point in space.points]


@pytest.mark.slow  # two processes import all that predicts
def test_every_policy_has_the_same_notes_in_processes_of_their_own_and_one_that_is_killed_is_said(
    asked: tuple[Question, list[Emulated]], monkeypatch: pytest.MonkeyPatch
) -> None:
    question, endpoints = asked
    monkeypatch.setattr(module, "_WORTH_IT_FROM_S", 0.0)
    monkeypatch.setattr(module, "_cores", lambda: {0, 1})
    alone = one_by_one(question)
    with side_by_side(question) as foresee:
        for number in range(2):
            assert list(foresee(number, endpoints)) == list(alone(number, endpoints))
        pool = foresee.__self__  # type: ignore[attr-defined]
        processes = list(pool.executor._processes.values())
        assert len(processes) == 2
        os.kill(processes[0].pid, signal.SIGKILL)
        with pytest.raises(PredictionKilledError, match="was killed"):
            list(foresee(1, endpoints))
    for process in processes:
        process.join(10)
        assert not process.is_alive()


def test_few_policies_are_foreseen_without_another_process(
    asked: tuple[Question, list[Emulated]], monkeypatch: pytest.MonkeyPatch
) -> None:
    question, endpoints = asked
    monkeypatch.setattr(module, "ProcessPoolExecutor", None)  # a call of it would fail
    with side_by_side(question) as foresee:
        assert list(foresee(0, endpoints[:4])) == list(one_by_one(question)(0, endpoints[:4]))
