"""Goal: a scenario whose scaling will surprise its author says so before it runs, and no other scenario does.

Method: pauses on either side of what AlarmLow judges; policies on metrics that no asynchronous endpoint publishes.
"""

from typing import Any

import pytest

from modelling import scenario
from smbench.model.cautions import scaling_cautions
from smbench.scenario.load import load_scenario
from smbench.scenario.starter import shipped_names, shipped_scenario

TRACK = {"target_tracking": {"backlog_per_instance": 5}}
BURST = {"burst": {"requests": 40, "within": "5s"}}


def said(load: list[dict[str, Any]], **changes: Any) -> str:
    settings: dict[str, Any] = {"instances": {"min": 0, "max": 4, "start": 2}, "policies": [TRACK]} | changes
    return " ".join(scaling_cautions(scenario(load, **settings)))


def after(pause: str, **changes: Any) -> str:
    return said(
        [BURST | {}, {"pause": {"for": pause}}, {"burst": {"requests": 60, "within": "5s", "name": "second"}}],
        **changes,
    )


@pytest.mark.parametrize(("pause", "is_said"), [("14m", False), ("15m", True), ("1680s", True), ("3h", False)])
def test_a_phase_that_begins_while_alarm_low_is_on_is_named(pause: str, is_said: bool) -> None:
    text = after(pause)
    assert ("phase second begins after" in text) == is_said
    assert ("its points are from before the load" in text) == is_said


@pytest.mark.parametrize(
    "changes",
    [
        {"policies": []},
        {"policies": [{"target_tracking": {"backlog_per_instance": 5, "disable_scale_in": True}}]},
        {"suspended": ["in"]},
        {"instances": {"min": 4, "max": 4}},
        {"open_questions": {"tracking_points_in": 30}},
    ],
)
def test_where_nothing_can_go_in_nothing_is_said(changes: dict[str, Any]) -> None:
    assert after("1680s", **changes) == ""


def test_idleness_before_the_run_counts_as_a_pause() -> None:
    assert "phase burst" in said([BURST], initial={"idle": "20m"})
    assert said([BURST]) == ""


@pytest.mark.parametrize(("metric", "is_said"), [("InvocationsPerInstance", True), ("CPUUtilization", False)])
def test_a_step_policy_on_a_metric_that_is_not_published_is_named(metric: str, is_said: bool) -> None:
    step = {"step": {"metric": metric, "threshold": 1, "steps": [{"lower": 0, "change": 1}]}}
    assert (f"publishes {metric}" in said([BURST], policies=[step])) == is_said


@pytest.mark.parametrize("name", shipped_names())
def test_no_shipped_scenario_needs_a_caution(name: str) -> None:
    assert scaling_cautions(load_scenario(shipped_scenario(name))) == ()
