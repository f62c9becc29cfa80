"""Goal: policies are read from AWS's description as what they are, and what the model lacks is named.

Method: descriptions as Application Auto Scaling and CloudWatch give them, for policies of a scenario.
"""

from typing import Any

import pytest

from runs import Request, frames_of
from smbench.analysis.rows.frames import Frames
from smbench.calibration.configured import as_written, configured

TRACKING = {
    "PolicyARN": "arn:tracking",
    "PolicyName": "tracking",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 5.0,
        "CustomizedMetricSpecification": {"MetricName": "ApproximateBacklogSizePerInstance"},
        "ScaleOutCooldown": 30,
        "ScaleInCooldown": 150,
        "DisableScaleIn": False,
    },
}
STEP = {
    "PolicyARN": "arn:step",
    "PolicyName": "step",
    "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
        "Cooldown": 120,
    },
}
ALARM: dict[str, Any] = {
    "AlarmName": "own",
    "AlarmActions": ["arn:step"],
    "MetricName": "HasBacklogWithoutCapacity",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 2,
    "DatapointsToAlarm": 2,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "missing",
    "StateValue": "OK",
}


def described(**changes: Any) -> Frames:
    found = {
        "endpoint": "mine",
        "instances_desired": 1,
        "concurrency": 4,
        "scalable_target": {"MinCapacity": 0, "MaxCapacity": 6},
        "policies": [TRACKING, STEP],
        "alarms": [ALARM],
    }
    frames = frames_of([Request(0.0, done=1.0)])
    manifest = frames.manifest.model_copy(update={"target": found | changes})
    return type(frames)(**{**vars(frames), "manifest": manifest})


def test_limits_and_policies_are_those_described() -> None:
    found = configured(described())
    assert (found.min, found.max, found.concurrency, found.notes) == (0, 6, 4, ())
    assert [as_written(policy) for policy in found.policies] == [
        {
            "target_tracking": {
                "backlog_per_instance": 5.0,
                "out_cooldown": 30.0,
                "in_cooldown": 150.0,
                "disable_scale_in": False,
            }
        },
        {"step_from_zero": {"add": 2, "cooldown": 120.0, "minutes": 2}},
    ]


def test_a_step_policy_of_another_kind_keeps_its_alarm() -> None:
    alarm = ALARM | {"MetricName": "ApproximateBacklogSize", "EvaluationPeriods": 5, "DatapointsToAlarm": 3}
    step = configured(described(policies=[STEP], alarms=[alarm])).policies[0].step
    assert step is not None
    assert (step.metric, step.comparison, step.datapoints, step.of) == ("ApproximateBacklogSize", ">=", 3, 5)


def test_what_the_model_does_not_know_is_named() -> None:
    other = {"PolicyName": "cpu", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 50}}
    found = configured(described(policies=[other, STEP], alarms=[]))
    assert found.policies == ()
    assert [note.split(" is")[0].split(" tracks")[0] for note in found.notes] == ["the policy cpu", "the policy step"]


def test_the_alarms_of_target_tracking_say_their_minutes() -> None:
    high = {"AlarmName": "t-AlarmHigh-1", "EvaluationPeriods": 4, "Threshold": 5.0}
    low = {"AlarmName": "t-AlarmLow-1", "EvaluationPeriods": 12, "Threshold": 3.5}
    found = configured(described(alarms=[high, low]))
    assert found.questions == {"tracking_points_out": 4, "tracking_points_in": 12, "tracking_low_share": 0.7}


@pytest.mark.parametrize(("state", "idle_s"), [("ALARM", 1200.0), ("OK", 0.0)])
def test_a_low_alarm_that_was_on_says_that_the_endpoint_was_idle(state: str, idle_s: float) -> None:
    low = {"AlarmName": "t-AlarmLow-1", "EvaluationPeriods": 15, "ComparisonOperator": "LessThanThreshold"}
    assert configured(described(alarms=[low | {"StateValue": state}])).idle_s == idle_s
