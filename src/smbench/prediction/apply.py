"""A scenario's scaling as something to apply: arguments of AWS's calls, CloudFormation, and the difference of two.

What a call takes is what `model.world` makes of a policy, so what was foreseen is what is applied.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from smbench.model.endpoints.invocation_metrics import CONCURRENT_PREDEFINED
from smbench.model.monitoring.alarms import Alarm
from smbench.model.monitoring.series import MINUTE_S
from smbench.model.scaling.policies import PolicySpec, StepSpec, TrackingSpec
from smbench.model.world import as_step_policy, resource_id_of, step_alarm, step_policy, tracking_policy
from smbench.scenario.emulated import Emulated

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_NAMESPACE = "sagemaker"
ENDPOINT, VARIANT = "ENDPOINT", "AllTraffic"  # where the caller names none
_UNSET = "unset"

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """The arguments of each call, in the order in which the calls are made.

    Args:
        target: Of register_scalable_target.
        policies: Of put_scaling_policy.
        alarms: Of put_metric_alarm, each with the name of the policy whose ARN is its action; the ARN is in the
            answer of put_scaling_policy.
    """

    target: Arguments
    policies: tuple[Arguments, ...]
    alarms: tuple[tuple[str, Arguments], ...]

    @classmethod
    def of(cls, emulated: Emulated, endpoint: str, variant: str) -> "Applied":
        """The scaling of an emulated endpoint for an endpoint's variant."""
        resource_id = resource_id_of(endpoint, variant)
        where = {"ServiceNamespace": _NAMESPACE, "ResourceId": resource_id, "ScalableDimension": DIMENSION}
        policies, alarms = [], []
        for place, policy in enumerate(emulated.policies):
            if (tracking := policy.tracking) is not None:
                spec = tracking_policy(resource_id, endpoint, variant, tracking, place)
            else:
                wish = policy.step if policy.step is not None else as_step_policy(policy.step_from_zero)
                spec = step_policy(resource_id, f"{wish.metric}-{place}", wish)
                alarm = step_alarm(f"{endpoint}-{spec.name}", endpoint, variant, wish, f"ARN of {spec.name}")
                alarms.append((spec.name, _alarm(alarm)))
            policies.append({"PolicyName": spec.name, **where, **_policy(spec)})
        limits = {"MinCapacity": emulated.instances.min, "MaxCapacity": emulated.instances.max}
        return cls({**where, **limits}, tuple(policies), tuple(alarms))


def cloud_formation(applied: Applied) -> Arguments:
    """The same as the resources of a template."""
    where = {key: applied.target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    resources: Arguments = {
        "ScalableTarget": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": applied.target}
    }
    names = {}
    for place, policy in enumerate(applied.policies):
        names[policy["PolicyName"]] = f"ScalingPolicy{place}"
        resources[f"ScalingPolicy{place}"] = {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                **{key: value for key, value in policy.items() if key not in where},
                "ScalingTargetId": {"Ref": "ScalableTarget"},
            },
        }
    for place, (name, alarm) in enumerate(applied.alarms):
        resources[f"Alarm{place}"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {**alarm, "AlarmActions": [{"Ref": names[name]}]},
        }
    return {"Resources": resources}


def differences(before: Applied, after: Applied) -> tuple[str, ...]:
    """What changes, a line each: limits, policies by name, alarms by name; empty where nothing does."""
    lines = _changed("scalable target", before.target, after.target)
    pairs = (
        ("policy", _by_name(before.policies, "PolicyName"), _by_name(after.policies, "PolicyName")),
        ("alarm", _by_name(_alarms(before), "AlarmName"), _by_name(_alarms(after), "AlarmName")),
    )
    for what, old, new in pairs:
        for name in dict.fromkeys((*old, *new)):
            if name not in new:
                lines.append(f"{what} {name}: delete it")
            elif name not in old:
                lines.append(f"{what} {name}: new")
            else:
                lines += _changed(f"{what} {name}", old[name], new[name])
    return tuple(lines)


def _by_name(all_of_them: Iterable[Arguments], key: str) -> dict[str, Arguments]:
    return {one[key]: one for one in all_of_them}


def _alarms(applied: Applied) -> list[Arguments]:
    return [alarm for _, alarm in applied.alarms]


def _changed(what: str, before: Arguments, after: Arguments) -> list[str]:
    old, new = _flat(before), _flat(after)
    return [
        f"{what}: {key} {old.get(key, _UNSET)} -> {new.get(key, _UNSET)}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {name: one for part, inner in value.items() for name, one in _flat(inner, part).items()}
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return {
            f"{key}[{place}].{name}": one for place, inner in enumerate(value) for name, one in _flat(inner).items()
        }
    return {key: value}


def _policy(spec: PolicySpec) -> Arguments:
    if spec.tracking is not None:
        return {
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": _tracking(spec.tracking),
        }
    assert spec.step is not None, "tracking or steps, nothing else"
    return {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": _step(spec.step)}


def _tracking(tracking: TrackingSpec) -> Arguments:
    metric = tracking.metric
    assert metric is not None, "a scenario's tracking policy names its metric"
    tracked: Arguments = {
        "CustomizedMetricSpecification": {
            "MetricName": metric.name,
            "Namespace": metric.namespace,
            "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            "Statistic": tracking.statistic,
        }
    }
    if tracking.out_period_s < MINUTE_S:  # a customized metric is looked at by the minute
        tracked = {"PredefinedMetricSpecification": {"PredefinedMetricType": CONCURRENT_PREDEFINED}}
    return {
        "TargetValue": tracking.target,
        **tracked,
        "ScaleOutCooldown": round(tracking.out_cooldown_s),
        "ScaleInCooldown": round(tracking.in_cooldown_s),
        "DisableScaleIn": tracking.disable_scale_in,
    }


def _step(step: StepSpec) -> Arguments:
    adjustments = [
        {
            **({} if one.lower is None else {"MetricIntervalLowerBound": one.lower}),
            **({} if one.upper is None else {"MetricIntervalUpperBound": one.upper}),
            "ScalingAdjustment": one.change,
        }
        for one in step.steps
    ]
    return {
        "AdjustmentType": step.adjustment,
        "StepAdjustments": adjustments,
        "Cooldown": round(step.cooldown_s),
        "MetricAggregationType": step.aggregation,
        **({} if step.min_magnitude is None else {"MinAdjustmentMagnitude": step.min_magnitude}),
    }


def _alarm(alarm: Alarm) -> Arguments:
    return {
        "AlarmName": alarm.name,
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in alarm.dimensions],
        "Statistic": alarm.statistic,
        "Period": alarm.period_s,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.points_to_alarm,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison,
        "TreatMissingData": alarm.treat_missing_data,
        "AlarmActions": list(alarm.actions),
    }
