"""Goal: scaling targets are the stated shares of where an instance saturates, and the highest that keeps all is taken.

Method: the matrix as data, checked as scenarios; groups made by hand.
"""

from typing import Any

import pytest

from smbench.api.deciding.scaling_target import scaling_target
from smbench.errors import UsageError
from smbench.scenario.model import Scenario
from smbench.sweeping.figures import Figures
from smbench.sweeping.question import Question, cells_of
from smbench.sweeping.ranking import Group
from smbench.sweeping.scaling_target import highest_kept, put_scaling_policy, verification, verified

BASE: dict[str, Any] = {
    "name": "x",
    "target": {
        "kind": "realtime",
        "emulated": {
            "instances": {"min": 1, "max": 5, "concurrency": 2},
            "policies": [{"invocations_tracking": {"invocations_per_instance": 9, "out_cooldown": "30s"}}],
            "time": "warp",
        },
    },
    "load": [{"burst": {"requests": 1}}],
}


def test_each_target_meets_the_same_rise_and_one_three_times_as_steep(tmp_path: Any) -> None:
    matrix = verification(Scenario.model_validate(BASE), 2.0, 900.0)
    cells = cells_of(Question(base=BASE, base_dir=tmp_path, matrix=matrix))
    assert len(cells) == 3 * 2
    seen = []
    for cell in cells:
        (policy,) = cell.scenario.target.emulated.policies
        assert policy.invocations_tracking is not None
        assert policy.invocations_tracking.out_cooldown == 30.0
        rise, hold = cell.scenario.load
        assert rise.ramp is not None
        assert hold.poisson is not None
        # From what one instance is given at 40 % of 2/s to what five are.
        assert (rise.ramp.from_hz, rise.ramp.to_hz, hold.poisson.rate) == pytest.approx((0.8, 4.0, 4.0))
        seen.append((policy.invocations_tracking.invocations_per_instance, rise.ramp.for_s))
    assert seen == [(48.0, 900.0), (48.0, 300.0), (60.0, 900.0), (60.0, 300.0), (84.0, 900.0), (84.0, 300.0)]


UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(("p50", "p95", "p99", "iqr_s", "mean_s", "throughput", "usd", "usd_per_1000", "usd_day")),
    "verdict": "valid", "missed": (), "n": 0, "completed": 0, "errors": {}, "usd_why": "",
}  # fmt: skip


def groups(**kept: tuple[bool | None, bool | None]) -> list[Group]:
    found = []
    for name, states in kept.items():
        for ramp, one in zip(("1x", "3x"), states, strict=True):
            figures = Figures.model_validate({**UNKNOWN, "kept": one})
            found.append(Group(f"policy={name} ramp={ramp}", "load", {}, {1: figures}))
    return found


def test_the_highest_target_that_keeps_the_thresholds_under_both_ramps_is_taken() -> None:
    found = verified(groups(availability=(True, True), balanced=(True, True), cost=(True, False)), 2.0)
    assert [(one.name, one.kept) for one in found] == [("availability", True), ("balanced", True), ("cost", False)]
    chosen = highest_kept(found)
    assert chosen is not None
    assert (chosen.name, chosen.invocations_per_instance) == ("balanced", 60.0)
    open_ones = verified(groups(availability=(True, None), balanced=(None, False)), 2.0)
    assert [one.kept for one in open_ones] == [None, False, None]  # the last was not run
    assert highest_kept(open_ones) is None


@pytest.mark.parametrize("unfit", [{"part": "5 of 100 requests were sent"}, {"has_failed": True}])
def test_a_target_is_not_taken_from_a_run_that_ended_early(unfit: dict[str, Any]) -> None:
    whole, early = (Figures.model_validate({**UNKNOWN, "kept": True, **more}) for more in ({}, unfit))
    runs = {"availability": (whole, whole), "balanced": (whole, early)}
    found = [
        Group(f"policy={name} ramp={ramp}", "load", {}, {1: one})
        for name, both in runs.items()
        for ramp, one in zip(("1x", "3x"), both, strict=True)
    ]
    chosen = highest_kept(verified(found, 2.0))
    assert chosen is not None
    assert chosen.name == "availability"


def test_the_policy_is_what_auto_scaling_takes() -> None:
    policy = put_scaling_policy(60.0, "mine", "AllTraffic", {"out_cooldown": 30.0})
    assert policy["ResourceId"] == "endpoint/mine/variant/AllTraffic"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 30,
        "ScaleInCooldown": 300,
    }


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"kind": "async"}, "does not measure a real-time endpoint"),
        ({"kind": "serverless"}, "does not measure a real-time endpoint"),
        ({"kind": "realtime", "endpoint": "mine"}, "is used as it is"),
        ({"kind": "realtime", "emulated": {"instances": {"min": 1, "max": 1}}}, "nothing scales"),
    ],
)
def test_what_has_no_such_target_is_refused_before_anything_runs(
    target: dict[str, Any], words: str, tmp_path: Any
) -> None:
    with pytest.raises(UsageError, match=words):
        scaling_target({**BASE, "target": target}, results=tmp_path)
    assert list(tmp_path.iterdir()) == []
