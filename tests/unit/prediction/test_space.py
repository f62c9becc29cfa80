"""Goal: a policy space is every combination of its lists and ranges, and what is wrong in it is one sentence."""

from typing import Any

import pytest

from smbench.errors import UsageError
from smbench.prediction.space import POINTS_MAX, policy_words, space_of
from smbench.scenario.emulated import Emulated

BASE = Emulated.model_validate(
    {
        "instances": {"min": 1, "max": 4, "concurrency": 2},
        "policies": [{"target_tracking": {"backlog_per_instance": 5, "in_cooldown": "60s"}}],
    }
)


def test_every_combination_is_a_point_and_ranges_include_both_ends() -> None:
    vary = {
        "min": [0, 1],
        "max": {"from": 4, "to": 8, "step": 2},
        "out_cooldown": {"from": "1m", "to": "2m", "step": "30s"},
    }
    space = space_of(vary, BASE, "p.yaml")
    assert len(space.points) == 2 * 3 * 3
    limits = {(one.emulated.instances.min, one.emulated.instances.max) for one in space.points}
    assert limits == {(low, high) for low in (0, 1) for high in (4, 6, 8)}
    cooldowns = {one.emulated.policies[0].target_tracking.out_cooldown for one in space.points}  # type: ignore[union-attr]
    assert cooldowns == {60.0, 90.0, 120.0}
    assert space.points[0].values == {"min": "0", "max": "4", "out_cooldown": "1m"}


def test_what_is_not_varied_stays_as_the_target_has_it() -> None:
    (point,) = space_of({"backlog_per_instance": 9}, BASE, "p.yaml").points
    (policy,) = point.emulated.policies
    assert policy.target_tracking is not None
    assert (policy.target_tracking.backlog_per_instance, policy.target_tracking.in_cooldown) == (9, 60.0)
    assert point.emulated.instances == BASE.instances
    assert point.emulated.service == BASE.service


def test_a_step_policy_is_added_and_none_removes_the_one_from_zero() -> None:
    woken = BASE.model_copy(
        update={
            "policies": (
                *BASE.policies,
                *space_of({"step_from_zero": {"add": 3}}, BASE, "").points[0].emulated.policies[1:],
            )
        }
    )
    without, with_two = space_of({"step_from_zero": ["none", {"add": 2}]}, woken, "p.yaml").points
    assert [one.step_from_zero for one in without.emulated.policies] == [None]
    assert [one.step_from_zero.add for one in with_two.emulated.policies if one.step_from_zero] == [2]
    step = {"metric": "ApproximateBacklogSize", "threshold": 10, "steps": [{"change": 1}]}
    out, none = space_of({"step_out": [step, None]}, BASE, "p.yaml").points
    assert len(out.emulated.policies) == len(none.emulated.policies) + 1


def test_whole_sets_of_policies_can_be_tried() -> None:
    tracking = {"target_tracking": {"backlog_per_instance": 2}}
    one, none = space_of({"policies": [[tracking], []]}, BASE, "p.yaml").points
    assert policy_words(one.emulated) == "min 1, max 4; tracking 2 (5m out, 5m in)"
    assert none.emulated.policies == ()


def test_combinations_that_make_no_sense_are_left_out_and_counted() -> None:
    space = space_of({"min": [1, 5], "max": [4, 6]}, BASE, "p.yaml")
    assert (len(space.points), space.n_senseless) == (3, 1)


def test_the_target_s_own_values_stand_beside_the_points() -> None:
    space = space_of({"min": [2], "in_cooldown": ["2m"], "step_from_zero": ["none"]}, BASE, "p.yaml")
    assert space.current.values == {"min": "1", "in_cooldown": "1m"}


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({}, "p.yaml: nothing to vary"),
        ({"mim": [1]}, "p.yaml: 'mim' cannot be varied"),
        ({"min": []}, "p.yaml: min: the list is empty"),
        ({"min": ["many"]}, "p.yaml: min: "),
        ({"in_cooldown": [300]}, ""),
        ({"max": {"from": 1, "to": 5, "by": 2}}, "p.yaml: max: a range is {from, to, step}"),
        ({"max": {"from": 9, "to": 5}}, "goes up from"),
        ({"max": {"from": "a", "to": 5}}, "must be numbers"),
        ({"min": [9]}, "no combination makes sense: "),
        ({"policies": [[]], "in_cooldown": ["1m"]}, "whole sets of policies"),
        ({"step_out": [{"threshold": 1}]}, "p.yaml: step_out.steps: is missing"),
        ({"step_out": [{"add": 1}]}, "p.yaml: step_out.threshold: is missing"),
        ({"step_from_zero": ["maybe"]}, "p.yaml: step_from_zero: must be a mapping with settings such as"),
        ({"policies": ["x"]}, "p.yaml: policies: must be exactly one of"),
        (
            {"policies": [[{"target_tracking": {"backlog_per_instance": 1, "x": 1}}]]},
            "p.yaml: policies.target_tracking.x: unknown key; known here: ",
        ),
        ({"min": [-1]}, "p.yaml: min: must be at least 0"),
        ({"backlog_per_instance": [0]}, "p.yaml: backlog_per_instance: must be above 0"),
        ({"max": {"from": 1}}, "p.yaml: max: a range has both ends"),
        ({"max": {}}, "p.yaml: max: a range has both ends"),
        ({"min": {"from": True, "to": 2}}, "must be numbers"),
    ],
)
def test_what_is_wrong_is_one_sentence(vary: dict[str, Any], message: str) -> None:
    if not message:  # a plain number is seconds, as in a scenario
        assert len(space_of(vary, BASE, "p.yaml").points) == 1
        return
    with pytest.raises(UsageError) as failed:
        space_of(vary, BASE, "p.yaml")
    assert message in failed.value.message
    assert "\n" not in failed.value.message


def test_a_space_of_a_billion_points_is_refused_before_any_is_made() -> None:
    vary = {
        "min": {"from": 0, "to": 999},
        "max": {"from": 1, "to": 1000},
        "backlog_per_instance": {"from": 1, "to": 1000},
    }
    with pytest.raises(UsageError, match=rf"1,000,000,000 policies; at most {POINTS_MAX:,} can be tried"):
        space_of(vary, BASE, "p.yaml")
