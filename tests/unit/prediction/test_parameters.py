"""Goal: what is not known of a fitted model moves a prediction, by the same amount for every policy.

Method: an endpoint without chance, so that replications differ by the parameters alone.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smbench.calibration.parameter import Parameter
from smbench.prediction.space import Point
from smbench.prediction.sweep import Question, sweep
from smbench.scenario.model import Scenario
from smbench.scenario.thresholds import parse_threshold
from smbench.schedule.plan import plan


def question() -> Question:
    emulated: dict[str, Any] = {"instances": {"min": 1, "max": 1}, "service": "2s", "notify_lag": "0s", "time": "warp"}
    load = [{"burst": {"requests": 10}}]
    scenarios = tuple(
        Scenario.model_validate({"name": "known", "seed": seed, "target": {"emulated": emulated}, "load": load})
        for seed in range(1, 9)
    )
    schedules = tuple(plan(one, Path(), [1.0]) for one in scenarios)
    return Question(scenarios, schedules, ("a",), Path(), 0, (parse_threshold("p95 < 1m"),), None)


def figures(of: Question) -> list[list[float]]:
    """Of two alike policies, the objective in each replication."""
    emulated = of.scenarios[0].target.emulated
    found = sweep(of, [Point({}, emulated)], Point({}, emulated), leaves_out=False)
    return [[one[0] for one in row.figures] for row in found.rows]


def test_an_endpoint_as_written_has_no_uncertainty() -> None:
    first, second = figures(question())
    assert first == second
    assert len(set(first)) == 1


def test_a_fitted_model_is_drawn_in_each_replication_and_for_all_policies_alike() -> None:
    first, second = figures(replace(question(), parameters=()))
    assert first == second
    assert len(set(first)) == 8
    spread = (max(first) - min(first)) / min(first)
    assert 0.05 < spread < 0.5  # of eight values whose service has a deviation of 5 %


@pytest.mark.slow
def test_another_load_draws_the_model_otherwise_and_the_same_load_alike() -> None:
    # Of a band made of few draws, chance makes some narrow: not those of every prediction with the same seeds.
    of = replace(question(), parameters=())
    one, again, other = (figures(replace(of, load_digest=digest))[0] for digest in ("a1", "a1", "b2"))
    assert one == again
    assert not set(one) & set(other)


def test_the_wider_the_error_of_provisioning_the_wider_the_cost() -> None:
    waking = {"instances": {"min": 0, "max": 1}, "policies": [{"step_from_zero": {"add": 1, "minutes": 1}}]}

    def costs(error_s: float) -> float:
        of = question()
        emulated = type(of.scenarios[0].target.emulated).model_validate(
            {**of.scenarios[0].target.emulated.model_dump(), **waking, "provision": "100s"}
        )
        known = Parameter(name="provisioning", value=100.0, error=error_s, n=5, source="L2")
        found = sweep(replace(of, parameters=(known,)), [], Point({}, emulated), leaves_out=False)
        values = [one[0] for one in found.current.figures]
        return max(values) - min(values)

    assert costs(30.0) > costs(0.0)
