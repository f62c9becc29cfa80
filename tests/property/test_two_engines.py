"""Goal: the fast engine is the model, only faster.

Method: random scenarios, with instants that coincide; `bench/what_if.py --check 1000` compares a thousand more.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretold import EPOCH_NS, assert_equal, both, documents
from smbench.model.service import Sampler
from smbench.prediction.engine import compiled
from smbench.prediction.engine.foresee import foresee
from smbench.scenario.model import Scenario
from smbench.scenario.values.distributions import Distribution
from smbench.scenario.values.seeds import stream
from smbench.schedule.plan import plan


@pytest.mark.slow  # the model itself takes a twentieth of a second for each
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_both_engines_give_every_request_and_every_change_the_same_instant(document: dict[str, Any]) -> None:
    assert_equal(*both(document))


def test_an_instance_that_is_removed_before_it_served_leaves_nothing_behind() -> None:
    # The burst is over before the second instance, which tracking asked for, is there.
    emulated = {
        "instances": {"min": 0, "max": 2, "start": 0, "concurrency": 1},
        "service": "0s",
        "provision": "120s",
        "remove": "0s",
        "metric_delay": "0s",
        "notify_lag": "0s",
        "action_delay": "0s",
        "start_of_minute": "0s",
        "policies": [
            {"target_tracking": {"backlog_per_instance": 2, "out_cooldown": "0s", "in_cooldown": "0s"}},
            {"step_from_zero": {"add": 1, "cooldown": "0s", "minutes": 1}},
        ],
        "open_questions": {
            "drain_on_remove": False,
            "redeliver_on_death": False,
            "serialise_updates": False,
            "per_instance_at_zero": "as_one",
            "zeros_when_idle": False,
            "scale_in": "one_step",
            "tracking_leaves_zero": False,
            "tracking_points_in": 1,
            "alarm_phase": "0s",
        },
        "time": "warp",
    }
    document = {
        "name": "removed-early",
        "seed": 0,
        "target": {"emulated": emulated},
        "load": [{"burst": {"requests": 1}}, {"pause": {"for": "4m"}}],
        "drain": "0s",
    }
    assert_equal(*both(document))


def test_what_is_entered_at_the_end_of_a_step_keeps_its_place_among_what_is_due_with_it() -> None:
    # The scheduled action and the alarms are due at one instant; an entry got the number of an earlier one.
    emulated = {
        "instances": {"min": 0, "max": 1, "start": 0, "concurrency": 1},
        "service": "0s",
        "provision": "0s",
        "remove": "0s",
        "metric_delay": "0s",
        "notify_lag": "0s",
        "action_delay": "0s",
        "start_of_minute": "0s",
        "policies": [{"target_tracking": {"backlog_per_instance": 0.5, "out_cooldown": "0s", "in_cooldown": "0s"}}],
        "open_questions": {
            "drain_on_remove": False,
            "redeliver_on_death": False,
            "serialise_updates": False,
            "per_instance_at_zero": "as_one",
            "zeros_when_idle": False,
            "scale_in": "one_step",
            "tracking_leaves_zero": False,
            "tracking_points_in": 1,
            "alarm_phase": "0s",
        },
        "scheduled": [{"at": "3m", "min": 1, "max": 1}],
        "time": "warp",
    }
    document = {
        "name": "one-instant",
        "seed": 0,
        "target": {"emulated": emulated},
        "load": [{"burst": {"requests": 1}}, {"burst": {"requests": 1}}],
        "drain": "5m",
    }
    assert_equal(*both(document))


def with_one(**emulated: Any) -> dict[str, Any]:
    return {"name": "one", "target": {"emulated": emulated}, "load": [{"burst": {"requests": 3}}]}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({**with_one(), "load": [{"closed": {"requests": 3, "outstanding": 1}}]}, "a closed phase"),
        ({**with_one(), "collector": {"tracking": "s3"}}, "collector.tracking: s3"),
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


@pytest.mark.slow  # the loops of the compiled engine, as Python where numba is not installed
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.booleans())
def test_the_compiled_loops_give_them_too(document: dict[str, Any], is_quiet: bool) -> None:
    emulated = document["target"]["emulated"]
    emulated["open_questions"]["drain_on_remove"] = True
    if is_quiet:  # minutes and alarms by the compiled loops, too
        emulated["faults"]["metric_gaps"], emulated["initial"] = 0.0, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "WORTH_IT_FROM", 0)
        patch.setattr(compiled, "is_available", lambda: True)
        assert_equal(*both(document))


@pytest.mark.slow
def test_nothing_loads_numba_before_a_large_load_needs_it() -> None:
    code = (
        "import sys, smbench.cli.app, smbench.api.predicting.what_if, smbench.api.predicting.advise; "
        "print('numba' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"


@pytest.mark.parametrize(
    "law",
    [
        "2s",
        {"lognormal": {"median": "2s", "sigma": 0.8}},
        {"exponential": {"mean": "10s"}},
        {"uniform": {"low": "1s", "high": "90s"}},
        {"gamma": {"mean": "4s", "cv": 2.0}},
    ],
)
def test_draws_at_once_are_the_draws_one_by_one(law: Any) -> None:
    of = Distribution.model_validate(law)
    one_by_one = Sampler(of, stream(5, "use"))
    assert Sampler(of, stream(5, "use")).first_s(300).tolist() == [one_by_one.draw_s() for _ in range(300)]
    assert len(Sampler(of, stream(5, "use")).first_s(0)) == 0
