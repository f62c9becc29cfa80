"""What is set, not measured: limits and policies of an endpoint as its description says, in a scenario's terms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smbench.analysis.capacity.alarm_facts import on_before
from smbench.analysis.capacity.cost import instance_hour_usd
from smbench.analysis.rows.frames import Frames
from smbench.records import Unknown
from smbench.scenario.emulated import Emulated, Policy
from smbench.scenario.values.record import Part

BACKLOG_PER_INSTANCE = "ApproximateBacklogSizePerInstance"
_WITHOUT_CAPACITY = "HasBacklogWithoutCapacity"
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
_ADJUSTMENTS = {"ChangeInCapacity": "change", "ExactCapacity": "exact", "PercentChangeInCapacity": "percent"}
_IDLE_S = 1200.0  # an alarm on low values that is on has seen a quarter of an hour without work


@dataclass(frozen=True, slots=True)
class Configured:
    """Limits and policies. `questions` are settings of the alarms that Application Auto Scaling made.

    `instance_hour` is USD, as the run's own costs have it; None: not known.
    """

    min: int
    max: int
    concurrency: int | None
    policies: tuple[Policy, ...]
    questions: dict[str, float | int]
    idle_s: float  # before the run
    is_read: bool  # from the endpoint's description; False: from the scenario of an emulated one
    notes: tuple[str, ...]  # what the model has no place for
    places: Mapping[str, int]  # of each alarm's policy among `policies`, by the alarm's name; empty: not described
    instance_hour: float | None


def configured(frames: Frames) -> Configured:
    """As found before the run."""
    found = frames.manifest.target
    if not found:
        return _of_the_scenario(frames)
    limits = found.get("scalable_target") or {}
    there = int(found.get("instances_desired") or found.get("instances_current") or 0)
    alarms = {str(alarm.get("AlarmName")): alarm for alarm in found.get("alarms") or ()}
    policies: list[Policy] = []
    notes: list[str] = []
    places: dict[str, int] = {}
    for described in found.get("policies") or ():
        policy = _policy(described, alarms.values())
        if isinstance(policy, str):
            notes.append(policy)
            continue
        own = [
            name for name, alarm in alarms.items() if described.get("PolicyARN") in (alarm.get("AlarmActions") or ())
        ]
        places |= dict.fromkeys(own, len(policies))
        policies.append(policy)
    return Configured(
        min=int(limits.get("MinCapacity", there)),
        max=max(1, int(limits.get("MaxCapacity", there))),
        concurrency=found.get("concurrency"),
        policies=tuple(policies),
        questions=_questions(alarms),
        idle_s=_IDLE_S if on_before(found) else 0.0,
        is_read=True,
        notes=tuple(notes),
        places=places,
        instance_hour=_instance_hour(frames),
    )


def _of_the_scenario(frames: Frames) -> Configured:
    target = frames.manifest.scenario.get("target") or {}
    # Files are not looked up: of an emulated endpoint only what is set is read here.
    emulated = {key: value for key, value in (target.get("emulated") or {}).items() if key in ("instances", "policies")}
    said = Emulated.model_validate(emulated)
    is_said = bool(target.get("emulated"))
    return Configured(
        min=said.instances.min,
        max=said.instances.max,
        concurrency=said.instances.concurrency if is_said else None,
        policies=said.policies,
        questions={},
        idle_s=0.0,
        is_read=False,
        notes=(),
        places={},
        instance_hour=_instance_hour(frames),
    )


def _instance_hour(frames: Frames) -> float | None:
    usd = instance_hour_usd(frames)
    return None if isinstance(usd, Unknown) else usd


def _policy(described: Mapping[str, Any], alarms: Iterable[Mapping[str, Any]]) -> Policy | str:
    """A policy in a scenario's terms, or a sentence why there is none."""
    name = described.get("PolicyName")
    tracking = described.get("TargetTrackingScalingPolicyConfiguration")
    if tracking:
        metric = (tracking.get("CustomizedMetricSpecification") or {}).get("MetricName")
        if metric != BACKLOG_PER_INSTANCE:
            return f"the policy {name} tracks another metric than {BACKLOG_PER_INSTANCE}: it is left out of the model"
        wish = {
            "backlog_per_instance": tracking["TargetValue"],
            "out_cooldown": tracking.get("ScaleOutCooldown", 300),
            "in_cooldown": tracking.get("ScaleInCooldown", 300),
            "disable_scale_in": bool(tracking.get("DisableScaleIn", False)),
        }
        return Policy.model_validate({"target_tracking": wish})
    stepping = described.get("StepScalingPolicyConfiguration")
    own = [alarm for alarm in alarms if described.get("PolicyARN") in (alarm.get("AlarmActions") or ())]
    if not stepping or len(own) != 1 or not own[0].get("MetricName"):
        return f"the policy {name} is of a kind, or has an alarm, that the model does not know: it is left out"
    return _step(stepping, own[0])


def _step(stepping: Mapping[str, Any], alarm: Mapping[str, Any]) -> Policy:
    adjusted = [
        {
            "lower": each.get("MetricIntervalLowerBound"),
            "upper": each.get("MetricIntervalUpperBound"),
            "change": each["ScalingAdjustment"],
        }
        for each in stepping.get("StepAdjustments") or ()
    ]
    adjustment = _ADJUSTMENTS[stepping.get("AdjustmentType", "ChangeInCapacity")]
    cooldown, of = stepping.get("Cooldown", 300), alarm.get("EvaluationPeriods", 1)
    points = alarm.get("DatapointsToAlarm") or of
    is_from_zero = (alarm["MetricName"], adjustment, of) == (_WITHOUT_CAPACITY, "change", points)
    if is_from_zero and len(adjusted) == 1 and adjusted[0]["upper"] is None:
        recipe = {"add": adjusted[0]["change"], "cooldown": cooldown, "minutes": points}
        return Policy.model_validate({"step_from_zero": recipe})
    wish = {
        "metric": alarm["MetricName"],
        "statistic": alarm.get("Statistic", "Average"),
        "comparison": _COMPARISONS[alarm["ComparisonOperator"]],
        "threshold": alarm["Threshold"],
        "datapoints": points,
        "of": None if of == points else of,
        "missing": alarm.get("TreatMissingData", "missing"),
        "adjustment": adjustment,
        "steps": adjusted,
        "min_magnitude": stepping.get("MinAdjustmentMagnitude"),
        "cooldown": cooldown,
    }
    return Policy.model_validate({"step": wish})


def _questions(alarms: Mapping[str, Mapping[str, Any]]) -> dict[str, float | int]:
    """How many minutes the alarms of target tracking need, and where the low one's threshold is."""
    high = next((alarm for name, alarm in alarms.items() if "-AlarmHigh-" in name), None)
    low = next((alarm for name, alarm in alarms.items() if "-AlarmLow-" in name), None)
    questions: dict[str, float | int] = {}
    if high is not None:
        questions["tracking_points_out"] = int(high["EvaluationPeriods"])
    if low is not None:
        questions["tracking_points_in"] = int(low["EvaluationPeriods"])
    if high is not None and low is not None and high.get("Threshold"):
        questions["tracking_low_share"] = round(float(low["Threshold"]) / float(high["Threshold"]), 6)
    return questions


def as_written(part: Part) -> dict[str, Any]:
    """A part of a scenario as a person writes it: without what is not given."""
    written: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_none=True)
    return written
