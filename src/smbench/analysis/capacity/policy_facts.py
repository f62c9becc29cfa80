"""Facts about an endpoint's scaling policies: from Application Auto Scaling's description.

Source: Application Auto Scaling user guide, "Multiple scaling policies": the largest capacity wins, and target tracking
takes instances away only when all tracking policies agree; a step policy needs no other's consent. Developer guide,
"Autoscale an asynchronous endpoint": from zero instances only HasBacklogWithoutCapacity acts whatever the backlog is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from smbench.analysis.capacity.alarm_facts import why_no_data

_Target = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HeldAtZero:
    """Why an endpoint without instances may stay so. `is_certain`: for ever; else while its backlog is small."""

    why: str
    is_certain: bool = True


def held_at_zero(target: _Target) -> HeldAtZero | None:
    """What holds an endpoint at zero instances; None where it wakes, never shrinks so far, or it is not known.

    Args:
        target: As found before the run.
    """
    scalable = target.get("scalable_target") or {}
    if scalable.get("MinCapacity") != 0 or target.get("unread"):
        return None
    if (scalable.get("SuspendedState") or {}).get("DynamicScalingOutSuspended"):
        return HeldAtZero("MinCapacity is 0 and scaling out is suspended: without an instance nothing is served")
    policies = list(target.get("policies") or ())
    if is_woken(target):
        return None
    tracked = [_tracking(policy) for policy in policies if policy.get("TargetTrackingScalingPolicyConfiguration")]
    if not tracked:
        return HeldAtZero(
            "MinCapacity is 0 and no policy adds the first instance: without an instance nothing is served"
        )
    least = min(value for _, value in tracked)
    return HeldAtZero(
        f"MinCapacity is 0 and only target tracking adds instances: a backlog of {least:g} requests or fewer may wait "
        "without end",
        is_certain=False,
    )


def is_woken(target: _Target) -> bool:
    """Whether a step policy adds instances on an alarm that has data without an instance."""
    return any(_wakes(policy, target) for policy in target.get("policies") or ())


def policies_at_odds(target: _Target) -> list[str]:
    """A sentence for each pair of policies of which one undoes or hides what the other does."""
    policies = list(target.get("policies") or ())
    return [why for one, other in combinations(policies, 2) if (why := _odds(one, other) or _odds(other, one))]


def _wakes(policy: _Target, target: _Target) -> bool:
    """A step policy that adds instances, on an alarm that has data without an instance."""
    if not any(change > 0 for change in _changes(policy)):
        return False
    return any(
        policy.get("PolicyARN") in (alarm.get("AlarmActions") or ())
        and alarm.get("ActionsEnabled", True)
        and not why_no_data(alarm, target)
        for alarm in target.get("alarms") or ()
    )


def _odds(one: _Target, other: _Target) -> str:
    tracking = one.get("TargetTrackingScalingPolicyConfiguration")
    if not tracking:
        return ""
    name, other_name = one.get("PolicyName"), other.get("PolicyName")
    if any(change < 0 for change in _changes(other)) and not tracking.get("DisableScaleIn"):
        return f"the step policy {other_name} takes instances away without asking {name}, which then adds them again"
    if other.get("TargetTrackingScalingPolicyConfiguration"):
        (metric, value), (other_metric, other_value) = _tracking(one), _tracking(other)
        if metric and metric == other_metric and value != other_value:
            kept = name if value < other_value else other_name
            return f"{name} and {other_name} track {metric}, at {value:g} and {other_value:g}: only {kept} ever counts"
    return ""


def _changes(policy: _Target) -> Iterator[float]:
    """By how much each step of a step policy changes the capacity, in whatever unit; nothing for another policy."""
    for step in (policy.get("StepScalingPolicyConfiguration") or {}).get("StepAdjustments") or ():
        yield float(step.get("ScalingAdjustment", 0))


def _tracking(policy: _Target) -> tuple[str, float]:
    """The metric that is tracked, empty where it is an expression, and its target value."""
    settings = policy["TargetTrackingScalingPolicyConfiguration"]
    custom, known = (settings.get(f"{kind}MetricSpecification") or {} for kind in ("Customized", "Predefined"))
    return str(custom.get("MetricName") or known.get("PredefinedMetricType") or ""), float(settings["TargetValue"])
