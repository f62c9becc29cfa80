"""The emulated endpoint as a scenario describes it: capacity, service, scaling, faults, and the open questions.

What AWS does not document is a setting here, with the default that the evidence favours and, as `range` in the
schema, the values that the evidence allows (docs/methods.md, "The auto-scaler's clock").
"""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from smbench.scenario.faults import Faults
from smbench.scenario.initial import Initial
from smbench.scenario.serverless import Serverless
from smbench.scenario.values.distributions import Distribution, Lognormal, Service, ServiceLaw, Uniform
from smbench.scenario.values.quantities import (
    Number,
    Seconds,
    Switch,
    Whole,
    format_duration,
)
from smbench.scenario.values.record import EXACTLY_ONE_KEY, Part


class Instances(Part):
    """Fleet limits. `start` instances are in service when the run begins; default: `min`."""

    min: Whole = Field(
        default=1, ge=0, le=1000, description="MinCapacity of the scalable target; with `start: 0` it is 0 by default"
    )
    max: Whole = Field(default=4, ge=1, le=1000, description="MaxCapacity of the scalable target")
    start: Annotated[Whole, Field(ge=0, le=1000)] | None = Field(
        default=None, description="instances in service when the run begins; default: `min`"
    )
    concurrency: Whole = Field(default=1, ge=1, le=1000, description="MaxConcurrentInvocationsPerInstance")

    @model_validator(mode="before")
    @classmethod
    def _none_at_the_start(cls, value: Any) -> Any:
        is_from_zero = isinstance(value, dict) and value.get("start") == 0 and "min" not in value
        return {"min": 0, **value} if is_from_zero else value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        if self.at_start > self.max:
            raise ValueError(f"start {self.start} is above max {self.max}")
        return self

    @property
    def at_start(self) -> int:
        """Instances when the run begins: `start`, or the minimum."""
        return self.min if self.start is None else self.start


class TargetTracking(Part):
    """Keep ApproximateBacklogSizePerInstance near a value: two alarms that Auto Scaling makes itself."""

    backlog_per_instance: Number = Field(gt=0, description="TargetValue")
    out_cooldown: Seconds = Field(default=300.0, description="ScaleOutCooldown")
    in_cooldown: Seconds = Field(default=300.0, description="ScaleInCooldown")
    disable_scale_in: Switch = Field(default=False, description="DisableScaleIn")


class InvocationsTracking(Part):
    """Keep SageMakerVariantInvocationsPerInstance near a value: target tracking of a real-time endpoint."""

    invocations_per_instance: Number = Field(gt=0, description="TargetValue: invocations a minute for each instance")
    out_cooldown: Seconds = Field(default=300.0, description="ScaleOutCooldown")
    in_cooldown: Seconds = Field(default=300.0, description="ScaleInCooldown")
    disable_scale_in: Switch = Field(default=False, description="DisableScaleIn")


class StepFromZero(Part):
    """AWS's documented recipe: HasBacklogWithoutCapacity >= 1 for some minutes adds instances."""

    add: Whole = Field(default=1, ge=1, description="instances added")
    cooldown: Seconds = Field(default=300.0, description="Cooldown of the policy")
    minutes: Whole = Field(default=2, ge=1, le=60, description="datapoints to alarm, and evaluation periods")


class Step(Part):
    """One step of a step policy; bounds are relative to the alarm's threshold, lower inclusive, upper exclusive."""

    lower: Number | None = Field(default=None, description="MetricIntervalLowerBound; default: minus infinity")
    upper: Number | None = Field(default=None, description="MetricIntervalUpperBound; default: infinity")
    change: Whole = Field(description="ScalingAdjustment, in the policy's `adjustment`")

    @model_validator(mode="after")
    def _is_an_interval(self) -> Self:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"lower {self.lower:g} is not below upper {self.upper:g}")
        return self


class StepPolicy(Part):
    """A step policy with an alarm of its own on any metric the endpoint publishes."""

    metric: str = Field(default="ApproximateBacklogSizePerInstance", description="MetricName of the alarm")
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = Field(default="Average", description="of each minute")
    comparison: Literal[">=", ">", "<", "<="] = Field(default=">=", description="of the metric with the threshold")
    threshold: Number = Field(description="Threshold of the alarm, in the metric's unit")
    datapoints: Whole = Field(default=1, ge=1, le=60, description="DatapointsToAlarm")
    of: Annotated[Whole, Field(ge=1, le=60)] | None = Field(
        default=None, description="EvaluationPeriods; default: `datapoints`"
    )
    missing: Literal["missing", "breaching", "notBreaching", "ignore"] = Field(
        default="missing", description="TreatMissingData"
    )
    adjustment: Literal["change", "exact", "percent"] = Field(default="change", description="what `change` means")
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20, description="by how far the threshold is passed")
    min_magnitude: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None, description="MinAdjustmentMagnitude, for percent"
    )
    cooldown: Seconds = Field(default=300.0, description="Cooldown of the policy")

    @model_validator(mode="after")
    def _enough_periods(self) -> Self:
        if self.of is not None and self.of < self.datapoints:
            raise ValueError(f"{self.datapoints} datapoints cannot be found in {self.of} periods")
        return self


class Policy(Part):
    """Exactly one scaling policy."""

    model_config = ConfigDict(json_schema_extra={**EXACTLY_ONE_KEY})

    target_tracking: TargetTracking | None = None
    invocations_tracking: InvocationsTracking | None = None
    step_from_zero: StepFromZero | None = None
    step: StepPolicy | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"must name exactly one policy, not {len(named)}: {', '.join(type(self).model_fields)}")
        return self


class ScheduledAction(Part):
    """New limits of the scalable target at an instant of the run, as PutScheduledAction sets them."""

    at: Seconds = Field(description="when, from the beginning of the run")
    min: Annotated[Whole, Field(ge=0, le=1000)] | None = Field(
        default=None, description="MinCapacity; default: as it is"
    )
    max: Annotated[Whole, Field(ge=0, le=1000)] | None = Field(
        default=None, description="MaxCapacity; default: as it is"
    )

    @model_validator(mode="after")
    def _is_a_change(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("names neither min nor max")
        return self


def _range(allowed: str) -> dict[str, Any]:
    """For `json_schema_extra`: the values of an open question that public evidence allows."""
    return {"range": allowed}


class Stream(Part):
    """A streamed answer: the first part comes when the work of `service` is done, the others follow it."""

    parts: Whole = Field(default=10, ge=1, le=10_000, description="parts of each answer")
    gap: Distribution = Field(
        default=Distribution(constant=0.05),
        description="from one part to the next; the request holds its slot until the last",
    )


class OpenQuestions(Part):
    """What AWS does not say. Defaults follow the evidence in public; change one to see what it would mean."""

    backlog_counts_running: Switch = Field(
        default=True,
        description="ApproximateBacklogSize includes running requests",
        json_schema_extra=_range("true (documented) or false (seen)"),
    )
    per_instance_at_zero: Literal["as_one", "missing"] = Field(
        default="as_one",
        description="the per-instance backlog at no instances: as if there were one, or no datapoint",
        json_schema_extra=_range("as_one or missing"),
    )
    zeros_when_idle: Switch = Field(
        default=True,
        description="backlog metrics are published as 0 while idle",
        json_schema_extra=_range("true or false"),
    )
    drain_on_remove: Switch = Field(
        default=True,
        description="scale-in lets running requests finish",
        json_schema_extra=_range("true or false"),
    )
    redeliver_on_death: Switch = Field(
        default=True,
        description="an instance's death puts its requests back in the queue",
        json_schema_extra=_range("true or false"),
    )
    serialise_updates: Switch = Field(
        default=True,
        description="capacity changes are refused while one is under way",
        json_schema_extra=_range("true or false"),
    )
    scale_in: Literal["proportional", "one_step"] = Field(
        default="one_step",
        description="how target tracking scales in: to what the metric asks for, or by one instance a time",
        json_schema_extra=_range("one_step or proportional"),
    )
    tracking_leaves_zero: Switch = Field(
        default=True,
        description="target tracking may scale out from zero instances",
        json_schema_extra=_range("true (seen) or false (claimed)"),
    )
    expiry_notifies: Switch = Field(
        default=True,
        description="an expired request causes an error notification",
        json_schema_extra=_range("true or false"),
    )
    output_path_required: Switch = Field(
        default=False,
        description="an endpoint configuration without S3OutputPath is refused",
        json_schema_extra=_range("false or true"),
    )
    timeout_notifies: Switch = Field(
        default=True,
        description="an invocation time-out causes an error notification",
        json_schema_extra=_range("true or false"),
    )
    tracking_points_out: Whole = Field(
        default=3,
        ge=1,
        le=60,
        description="minutes in AlarmHigh before scaling out",
        json_schema_extra=_range("3 to 5"),
    )
    tracking_points_in: Whole = Field(
        default=15,
        ge=1,
        le=60,
        description="minutes in AlarmLow before scaling in",
        json_schema_extra=_range("15"),
    )
    tracking_low_share: Number = Field(
        default=0.9,
        gt=0,
        le=1,
        description="AlarmLow's threshold over the target",
        json_schema_extra=_range("0.7 to 0.9"),
    )
    alarm_phase: Distribution = Field(
        default=Distribution(uniform=Uniform(low=0.0, high=60.0)),
        description="the second of each minute at which an alarm is evaluated, drawn once for each alarm",
        json_schema_extra=_range("0s to 60s"),
    )


class Scaled(Part):
    """Scenario time runs this many times as fast as real time."""

    scaled: Number = Field(gt=0, le=1000, description="scenario seconds per real second")


def _kind_of_time(value: Any) -> str:
    return "a pace" if isinstance(value, dict | Scaled) else "a word"


Time = Annotated[
    Annotated[Literal["real", "warp"], Tag("a word")] | Annotated[Scaled, Tag("a pace")], Discriminator(_kind_of_time)
]


class Emulated(Part):
    """The whole emulated endpoint."""

    instances: Instances = Instances()
    serverless: Serverless = Serverless()
    waiting: Annotated[Whole, Field(ge=0, le=100_000)] | None = Field(
        default=None,
        description="requests that may wait for the instances of a real-time endpoint; beyond it the container answers "
        "503; default: any number, for 60 s at most",
    )
    service: Service = ServiceLaw(by_class={"": Distribution(lognormal=Lognormal(median=1.0, sigma=0.3))})
    stream: Stream = Field(default=Stream(), description="parts of a streamed answer; with `request.stream`")
    provision: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=170.0, sigma=0.25)),
        description="from capacity decided to an instance that serves; CPU image 170 s, GPU image 300 s",
        json_schema_extra=_range("130s to 530s"),
    )
    provision_common: Distribution = Field(
        default=Distribution(constant=0.0),
        description="drawn once for each capacity change, added to `provision` of every instance that it launches",
        json_schema_extra=_range("0s to the whole of provision"),
    )
    remove: Distribution = Field(
        default=Distribution(uniform=Uniform(low=60.0, high=130.0)), description="from scale-in decided to billing end"
    )
    policies: tuple[Policy, ...] = Field(default=(), description="how it scales; without any it never does")
    scheduled: tuple[ScheduledAction, ...] = Field(
        default=(), max_length=200, description="scheduled actions: new capacity limits at instants of the run"
    )
    suspended: tuple[Literal["in", "out", "scheduled"], ...] = Field(
        default=(), description="SuspendedState of the scalable target: what of scaling does not happen"
    )
    initial: Initial = Field(default=Initial(), description="the state in which the run finds the endpoint")
    time: Time = Field(
        default="real",
        description="real; {scaled: 20}: 20 times as fast as real time; warp: the clock jumps to whatever happens next",
    )
    metric_delay: Distribution = Field(
        default=Distribution(uniform=Uniform(low=0.0, high=5.0)),
        description="from the end of a minute to its datapoint being visible to alarms and to readers",
        json_schema_extra=_range("0s to 180s"),
    )
    results_kept: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None,
        description="results in S3 are deleted so long after they were written, as by a lifecycle rule; default: kept",
    )
    notify_lag: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=0.08, sigma=0.3)),
        description="from an inference's end to its message in the queue",
    )
    action_delay: Seconds = Field(
        default=5.0, description="from alarm to capacity decided", json_schema_extra=_range("1s to 30s")
    )
    service_spread: Number = Field(default=0.0, ge=0, le=0.5, description="standard deviation of instance speed")
    host_speeds: tuple[Annotated[Number, Field(ge=0.01, le=100)], ...] = Field(
        default=(),
        max_length=1000,
        description="speed of the first, second, ... instance launched, over the average: at 2 requests take half as "
        "long; instances beyond the list follow `service_spread`",
    )
    start_of_minute: Seconds = Field(default=0.0, lt=60, description="how far into a UTC minute the run begins")
    faults: Faults = Faults()
    open_questions: OpenQuestions = OpenQuestions()

    @model_validator(mode="after")
    def _limits_stay_in_order(self) -> Self:
        low, high = self.instances.min, self.instances.max
        for action in sorted(self.scheduled, key=lambda action: action.at):
            low, high = (low if action.min is None else action.min), (high if action.max is None else action.max)
            if low > high:
                raise ValueError(f"scheduled at {format_duration(action.at)}: min {low} is above max {high}")
        under_way = self.initial.activity
        if under_way is not None and under_way.to > self.instances.max:
            raise ValueError(f"initial.activity.to {under_way.to} is above instances.max {self.instances.max}")
        if under_way is not None and under_way.to == self.instances.at_start:
            raise ValueError(f"initial.activity.to {under_way.to} is what there is at the start: nothing is under way")
        return self

    @property
    def time_scale(self) -> float:
        """Scenario seconds per real second; 1 for real and for warp, which has no fixed ratio."""
        return self.time.scaled if isinstance(self.time, Scaled) else 1.0
