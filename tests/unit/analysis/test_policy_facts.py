"""Goal: an endpoint that cannot leave zero, and policies that undo each other, are known from their descriptions."""

from typing import Any

import pytest

from smbench.analysis.capacity.alarm_facts import alarms_without_data
from smbench.analysis.capacity.policy_facts import held_at_zero, policies_at_odds

WAKING: dict[str, Any] = {
    "AlarmName": "waking",
    "Namespace": "AWS/SageMaker",
    "MetricName": "HasBacklogWithoutCapacity",
    "Dimensions": [{"Name": "EndpointName", "Value": "ep"}],
    "AlarmActions": ["step-arn"],
}


def step(change: int = 1) -> dict[str, Any]:
    settings = {"StepAdjustments": [{"ScalingAdjustment": change}]}
    return {"PolicyName": "step", "PolicyARN": "step-arn", "StepScalingPolicyConfiguration": settings}


def tracking(value: float = 5.0, name: str = "tracking", **more: Any) -> dict[str, Any]:
    metric = {"CustomizedMetricSpecification": {"MetricName": "ApproximateBacklogSizePerInstance"}}
    settings = {"TargetValue": value} | metric | more
    return {"PolicyName": name, "PolicyARN": name, "TargetTrackingScalingPolicyConfiguration": settings}


def found(*policies: dict[str, Any], least: int = 0, alarms: tuple[dict[str, Any], ...] = (WAKING,)) -> dict[str, Any]:
    return {"scalable_target": {"MinCapacity": least}, "policies": list(policies), "alarms": list(alarms)}


@pytest.mark.parametrize(
    ("target", "word"),
    [
        (found(step()), ""),
        (found(step(), tracking()), ""),
        (found(least=1), ""),
        ({}, ""),
        (found(), "no policy adds"),
        (found(step(-1)), "no policy adds"),
        (found(step(), alarms=()), "no policy adds"),
        (found(step(), alarms=({**WAKING, "ActionsEnabled": False},)), "no policy adds"),
        (found(step(), alarms=({**WAKING, "Dimensions": []},)), "no policy adds"),
        (found(tracking(7), tracking(4, "other")), "a backlog of 4 requests or fewer"),
    ],
)
def test_what_keeps_an_endpoint_at_zero_is_said(target: dict[str, Any], word: str) -> None:
    held = held_at_zero(target)
    assert (held is not None) == bool(word)
    if held is not None:
        assert word in held.why
        assert held.is_certain == ("fewer" not in word)


def test_policies_that_may_not_be_read_are_not_guessed_at() -> None:
    assert held_at_zero({**found(), "unread": ["describe scaling policies: AccessDeniedException"]}) is None


def test_suspended_scaling_out_keeps_it_at_zero() -> None:
    target = found(step())
    target["scalable_target"]["SuspendedState"] = {"DynamicScalingOutSuspended": True}
    held = held_at_zero(target)
    assert held is not None
    assert "suspended" in held.why


@pytest.mark.parametrize(
    ("policies", "word"),
    [
        ((tracking(), step(1)), ""),
        ((tracking(), step(-1)), "without asking tracking"),
        ((step(-1), tracking()), "without asking tracking"),
        ((tracking(DisableScaleIn=True), step(-1)), ""),
        ((tracking(5), tracking(9, "other")), "only tracking ever counts"),
        ((tracking(5), tracking(5, "other")), ""),
    ],
)
def test_policies_that_undo_or_hide_each_other_are_at_odds(policies: tuple[dict[str, Any], ...], word: str) -> None:
    said = " ".join(policies_at_odds(found(*policies)))
    assert word in said
    assert bool(said) == bool(word)


def test_an_endpoint_that_answers_in_the_call_publishes_invocations_and_no_backlog() -> None:
    alarm = {**WAKING, "MetricName": "InvocationsPerInstance"}
    assert alarms_without_data({"kind": "realtime", "alarms": [alarm]}) == []
    (why,) = alarms_without_data({"kind": "realtime", "alarms": [WAKING]})
    assert "only asynchronous endpoints publish" in why
