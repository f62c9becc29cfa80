"""Scaling policies between two spellings: PutScalingPolicy's parameters, and the model's specifications."""

from itertools import pairwise
from typing import Any

from smbench.emulator.monitoring.metric_lists import STATISTICS, dimensions_of, queries_of
from smbench.emulator.monitoring.metric_lists import described as described_queries
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.model.endpoints.invocation_metrics import CONCURRENT, CONCURRENT_PREDEFINED, CONCURRENT_STATISTIC
from smbench.model.endpoints.provisioned import PROVISIONED_UTILIZATION as _UTILIZATION
from smbench.model.monitoring.metric_math import MathError
from smbench.model.monitoring.metrics import SAGEMAKER, MetricId
from smbench.model.monitoring.series import FINE_S, MINUTE_S
from smbench.model.monitoring.watched import MetricQuery
from smbench.model.scaling.policies import EXACT, PERCENT, PolicySpec, StepAdjustment, StepSpec, TrackingSpec
from smbench.model.world import COMPONENT

_TARGET_MIN, _TARGET_MAX = 2.0**-360, 2.0**360
COOLDOWN_S = 300.0  # of SageMaker variants, both ways, when the policy does not say
INVOCATIONS_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
INVOCATIONS_PER_COPY = "SageMakerInferenceComponentInvocationsPerCopy"
CONCURRENT_PER_COPY = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
PROVISIONED_UTILIZATION = "SageMakerVariantProvisionedConcurrencyUtilization"

# By predefined metric: of which dimension it is, the metric, and its statistic.
_PREDEFINED = {
    INVOCATIONS_PER_INSTANCE: ("sagemaker:variant:DesiredInstanceCount", "InvocationsPerInstance", "Sum"),
    INVOCATIONS_PER_COPY: ("sagemaker:inference-component:DesiredCopyCount", "InvocationsPerCopy", "Sum"),
    CONCURRENT_PREDEFINED: ("sagemaker:variant:DesiredInstanceCount", CONCURRENT, CONCURRENT_STATISTIC),
    CONCURRENT_PER_COPY: (
        "sagemaker:inference-component:DesiredCopyCount",
        "ConcurrentRequestsPerCopy",
        CONCURRENT_STATISTIC,
    ),
    PROVISIONED_UTILIZATION: ("sagemaker:variant:DesiredProvisionedConcurrency", _UTILIZATION, "Average"),
}


def invalid(message: str) -> ServiceError:
    """ValidationException in Application Auto Scaling's wording, to be raised."""
    return ServiceError("ValidationException", message)


def policy_spec(params: Params) -> PolicySpec:
    """The policy that a caller asks for.

    Raises:
        ServiceError: it contradicts itself, or is of a kind that the emulator does not know.
    """
    step, tracking = (
        params.get("StepScalingPolicyConfiguration"),
        params.get("TargetTrackingScalingPolicyConfiguration"),
    )
    kind = params.get("PolicyType", "StepScaling" if step is not None else "TargetTrackingScaling")
    resource_id, name = params["ResourceId"], params["PolicyName"]
    if kind == "TargetTrackingScaling" and tracking is not None and step is None:
        return PolicySpec(resource_id, name, tracking=_tracking(tracking, params))
    if kind == "StepScaling" and step is not None and tracking is None:
        return PolicySpec(resource_id, name, step=_step(step))
    if kind not in ("TargetTrackingScaling", "StepScaling"):
        raise beyond(f"know scaling policies of type {kind}")
    raise invalid(f"PolicyType {kind} needs its own configuration, and no other.")


def _tracking(config: Params, params: Params) -> TrackingSpec:
    custom, predefined = config.get("CustomizedMetricSpecification"), config.get("PredefinedMetricSpecification")
    if (custom is None) == (predefined is None):
        raise invalid(
            "Exactly one of CustomizedMetricSpecification and PredefinedMetricSpecification must be specified"
        )
    if custom is not None and "Metrics" in custom:
        return TrackingSpec(metric=None, queries=_metric_math(custom), **_tracking_settings(config))
    metric, statistic, unit = _customized(custom) if custom is not None else _predefined(predefined or {}, params)
    is_fine = (predefined or {}).get("PredefinedMetricType") in (CONCURRENT_PREDEFINED, CONCURRENT_PER_COPY)
    return TrackingSpec(
        metric=metric,
        statistic=statistic,
        unit=unit,
        out_period_s=FINE_S if is_fine else MINUTE_S,
        **_tracking_settings(config),
    )


def _tracking_settings(config: Params) -> dict[str, Any]:
    if not _TARGET_MIN <= config["TargetValue"] <= _TARGET_MAX:
        raise invalid(f"Target value must be between {_TARGET_MIN:.6e} and {_TARGET_MAX:.6e}")
    for name in ("ScaleOutCooldown", "ScaleInCooldown"):
        if config.get(name, 0) < 0:
            raise invalid(f"{name} must not be negative")
    return {
        "target": config["TargetValue"],
        "out_cooldown_s": float(config.get("ScaleOutCooldown", COOLDOWN_S)),
        "in_cooldown_s": float(config.get("ScaleInCooldown", COOLDOWN_S)),
        "disable_scale_in": config.get("DisableScaleIn", False),
    }


def _customized(custom: Params) -> tuple[MetricId, str, str | None]:
    missing = [name for name in ("MetricName", "Namespace", "Statistic") if name not in custom]
    if missing:
        raise invalid(f"{missing[0]} is required in CustomizedMetricSpecification")
    if custom["Statistic"] not in STATISTICS:
        raise invalid(f"{custom['Statistic']} is not a statistic")
    metric = MetricId.of(custom["Namespace"], custom["MetricName"], dimensions_of(custom.get("Dimensions", [])))
    return metric, custom["Statistic"], custom.get("Unit")


def _metric_math(custom: Params) -> tuple[MetricQuery, ...]:
    beside = [name for name in ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit") if name in custom]
    if beside:
        raise invalid(f"Metrics cannot be specified together with {beside[0]} in CustomizedMetricSpecification")
    try:
        return queries_of(custom["Metrics"])
    except MathError as error:
        raise invalid(str(error)) from None


def _predefined(predefined: Params, params: Params) -> tuple[MetricId, str, str | None]:
    kind, resource_id = predefined["PredefinedMetricType"], params["ResourceId"]
    if kind not in _PREDEFINED:
        raise beyond(f"track the predefined metric {kind}")
    if "ResourceLabel" in predefined:
        raise invalid(f"ResourceLabel cannot be specified with {kind}")
    dimension, metric, statistic = _PREDEFINED[kind]
    if dimension != params["ScalableDimension"]:
        raise invalid(f"{kind} cannot be tracked for {resource_id}.")
    what, name, *more = resource_id.split("/")
    if what == COMPONENT:
        return MetricId.of(SAGEMAKER, metric, (("InferenceComponentName", name),)), statistic, None
    # Asynchronous endpoints never publish invocations per instance: on AWS, too, such a policy waits for ever.
    dimensions = (("EndpointName", name), ("VariantName", more[-1]))
    return MetricId.of(SAGEMAKER, metric, dimensions), statistic, None


def _step(config: Params) -> StepSpec:
    if "AdjustmentType" not in config or not config.get("StepAdjustments"):
        raise invalid("AdjustmentType and at least one StepAdjustment are required for step scaling policies")
    if "MinAdjustmentMagnitude" in config and config["AdjustmentType"] != PERCENT:
        raise invalid(f"MinAdjustmentMagnitude is only valid for AdjustmentType {PERCENT}")
    steps = tuple(
        StepAdjustment(
            each["ScalingAdjustment"], each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound")
        )
        for each in config["StepAdjustments"]
    )
    _check_steps(steps)
    if config["AdjustmentType"] == EXACT and any(step.change < 0 for step in steps):
        raise invalid(f"ScalingAdjustment must not be negative for AdjustmentType {EXACT}")
    return StepSpec(
        adjustment=config["AdjustmentType"],
        steps=steps,
        cooldown_s=float(config.get("Cooldown", COOLDOWN_S)),
        aggregation=config.get("MetricAggregationType", "Average"),
        min_magnitude=config.get("MinAdjustmentMagnitude"),
    )


def _check_steps(steps: tuple[StepAdjustment, ...]) -> None:
    """The rules of the step scaling guide: a range each, no overlap, no gap, open ends only outside."""
    infinity = float("inf")
    ranges = sorted(
        (-infinity if step.lower is None else step.lower, infinity if step.upper is None else step.upper)
        for step in steps
    )
    if any(step.lower is None and step.upper is None for step in steps) or any(low >= high for low, high in ranges):
        raise invalid("Each StepAdjustment needs a lower bound below its upper bound; at least one must be specified")
    for (_, high), (low, _) in pairwise(ranges):
        if low < high:
            raise invalid("StepAdjustment intervals can't overlap")
        if low > high:
            raise invalid("StepAdjustment intervals can't have gaps between them")


def watches_the_same(one: TrackingSpec, other: TrackingSpec) -> bool:
    """Whether two policies have one metric specification, whatever their targets and cooldowns."""
    return (one.metric, one.statistic, one.unit, one.queries, one.out_period_s) == (
        other.metric,
        other.statistic,
        other.unit,
        other.queries,
        other.out_period_s,
    )


def described(spec: PolicySpec) -> dict[str, Any]:
    """A specification as DescribeScalingPolicies shows it."""
    if spec.tracking is not None:
        return {"TargetTrackingScalingPolicyConfiguration": _described_tracking(spec.tracking)}
    assert spec.step is not None, "a policy is tracking or steps"
    return {"StepScalingPolicyConfiguration": _described_step(spec.step)}


def _described_tracking(spec: TrackingSpec) -> dict[str, Any]:
    return {
        "TargetValue": spec.target,
        "CustomizedMetricSpecification": _described_metric(spec),
        "ScaleOutCooldown": round(spec.out_cooldown_s),
        "ScaleInCooldown": round(spec.in_cooldown_s),
        "DisableScaleIn": spec.disable_scale_in,
    }


def _described_metric(spec: TrackingSpec) -> dict[str, Any]:
    if spec.metric is None:
        return {"Metrics": described_queries(spec.queries)}
    metric: dict[str, Any] = {
        "MetricName": spec.metric.name,
        "Namespace": spec.metric.namespace,
        "Dimensions": [{"Name": name, "Value": value} for name, value in spec.metric.dimensions],
        "Statistic": spec.statistic,
    }
    return metric | ({} if spec.unit is None else {"Unit": spec.unit})


def _described_step(spec: StepSpec) -> dict[str, Any]:
    config: dict[str, Any] = {
        "AdjustmentType": spec.adjustment,
        "StepAdjustments": [_described_adjustment(step) for step in spec.steps],
        "Cooldown": round(spec.cooldown_s),
        "MetricAggregationType": spec.aggregation,
    }
    return config | ({} if spec.min_magnitude is None else {"MinAdjustmentMagnitude": spec.min_magnitude})


def _described_adjustment(step: StepAdjustment) -> dict[str, Any]:
    bounds = {"MetricIntervalLowerBound": step.lower, "MetricIntervalUpperBound": step.upper}
    return {key: value for key, value in bounds.items() if value is not None} | {"ScalingAdjustment": step.change}
