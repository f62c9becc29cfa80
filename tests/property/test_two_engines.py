"""Goal: the fast engine is the model, only faster.

Method: random scenarios, with instants that coincide; `bench/what_if.py --check 1000` compares a thousand more.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from foretold import EPOCH_NS, assert_equal, both, documents
from smbench.prediction.foresee import foresee
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan


@pytest.mark.slow  # the model itself takes a twentieth of a second for each
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_both_engines_give_every_request_and_every_change_the_same_instant(document: dict[str, Any]) -> None:
    assert_equal(*both(document))


def with_one(**emulated: Any) -> dict[str, Any]:
    return {"name": "one", "target": {"emulated": emulated}, "load": [{"burst": {"requests": 3}}]}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({**with_one(), "load": [{"closed": {"requests": 3, "outstanding": 1}}]}, "a closed phase"),
        (with_one(faults={"instance_life": "1h"}), "faults.instance_life"),
        (with_one(open_questions={"backlog_counts_running": False}), "open_questions.backlog_counts_running: false"),
        (
            with_one(policies=[{"step": {"metric": "CPUUtilization", "threshold": 1, "steps": [{"change": 1}]}}]),
            "a step policy on CPUUtilization",
        ),
        (
            with_one(policies=[{"step": {"statistic": "Maximum", "threshold": 1, "steps": [{"change": 1}]}}]),
            "a step policy on the Maximum of a metric",
        ),
    ],
)
def test_what_the_fast_engine_does_not_know_it_says_and_the_model_runs(document: dict[str, Any], why: str) -> None:
    scenario = Scenario.model_validate(document)
    schedule = plan(scenario, Path(), [1.0])
    seen = foresee(scenario, None, schedule, ["a"], epoch_ns=EPOCH_NS)
    assert seen.by_reference == (why,)
    assert len(seen.done_ns) == 3
