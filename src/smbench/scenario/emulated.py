"""The emulated endpoint as a scenario describes it: capacity, service, scaling, faults, and the open questions.

What AWS does not document is a setting here, with the default that the evidence favours and, as `range` in the
schema, the values that the evidence allows (docs/methods.md, "The auto-scaler's clock").
"""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from smbench.scenario.faults import Faults
from smbench.scenario.initial import Initial
from smbench.scenario.serverless import Serverless
from smbench.scenario.values.adjustments import Step, require_adjoining
from smbench.scenario.values.distributions import Distribution, Lognormal, Service, ServiceLaw, Uniform
from smbench.scenario.values.quantities import Number, Seconds, Switch, Whole, format_duration
from smbench.scenario.values.record import EXACTLY_ONE_KEY, Part


class Instances(Part):
    """How many instances the emulated endpoint has. `start` of them are in service when the run begins."""

    min: Whole = Field(
        default=1,
        ge=0,
        le=1000,
        description="MinCapacity: the fewest instances that scaling leaves. With `start: 0` the default is 0.",
    )
    max: Whole = Field(default=4, ge=1, le=1000, description="MaxCapacity: the most instances that scaling asks for.")
    start: Annotated[Whole, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Instances in service when the run begins. Default: `min`."
    )
    concurrency: Whole = Field(
        default=1,
        ge=1,
        le=1000,
        description="Requests that one instance works on at once (MaxConcurrentInvocationsPerInstance).",
    )

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


_OutCooldown = Annotated[
    Seconds, Field(description="ScaleOutCooldown: the pause after a scale-out before the next one.")
]
_InCooldown = Annotated[Seconds, Field(description="ScaleInCooldown: the pause before the next scale-in.")]
_NoScaleIn = Annotated[Switch, Field(description="DisableScaleIn: the policy never removes an instance.")]


class TargetTracking(Part):
    """Target tracking: keeps ApproximateBacklogSizePerInstance near a value, by two alarms that Auto Scaling makes
    itself.
    """

    backlog_per_instance: Number = Field(gt=0, description="TargetValue: requests in the backlog for each instance.")
    out_cooldown: _OutCooldown = 300.0
    in_cooldown: _InCooldown = 300.0
    disable_scale_in: _NoScaleIn = False


class InvocationsTracking(Part):
    """Target tracking of a real-time endpoint: keeps SageMakerVariantInvocationsPerInstance near a value."""

    invocations_per_instance: Number = Field(gt=0, description="TargetValue: invocations a minute for each instance.")
    out_cooldown: _OutCooldown = 300.0
    in_cooldown: _InCooldown = 300.0
    disable_scale_in: _NoScaleIn = False


class ConcurrencyTracking(Part):
    """Target tracking of a real-time endpoint: keeps SageMakerVariantConcurrentRequestsPerModelHighResolution near a
    value, by an AlarmHigh that looks every ten seconds.
    """

    concurrent_requests: Number = Field(
        gt=0, description="TargetValue: requests that each instance has at once, waiting ones among them."
    )
    out_cooldown: _OutCooldown = 300.0
    in_cooldown: _InCooldown = 300.0
    disable_scale_in: _NoScaleIn = False


class StepFromZero(Part):
    """AWS's documented way to wake from zero: adds instances once HasBacklogWithoutCapacity was 1 for some minutes."""

    add: Whole = Field(default=1, ge=1, description="Instances that it adds.")
    cooldown: Seconds = Field(default=300.0, description="Cooldown: the pause before the policy acts again.")
    minutes: Whole = Field(
        default=2,
        ge=1,
        le=60,
        description=(
            "Minutes for which the metric must be 1 before the alarm goes off (DatapointsToAlarm and "
            "EvaluationPeriods)."
        ),
    )


class StepPolicy(Part):
    """A step policy with an alarm of its own on any metric that the endpoint publishes."""

    metric: str = Field(default="ApproximateBacklogSizePerInstance", description="MetricName of the alarm.")
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = Field(
        default="Average", description="Statistic of each minute that the alarm compares."
    )
    comparison: Literal[">=", ">", "<", "<="] = Field(
        default=">=", description="How the alarm compares the metric with the threshold."
    )
    threshold: Number = Field(description="Threshold of the alarm, in the metric's unit.")
    datapoints: Whole = Field(
        default=1, ge=1, le=60, description="DatapointsToAlarm: minutes beyond the threshold that set the alarm off."
    )
    of: Annotated[Whole, Field(ge=1, le=60)] | None = Field(
        default=None,
        description="EvaluationPeriods: the last minutes among which these are counted. Default: `datapoints`.",
    )
    missing: Literal["missing", "breaching", "notBreaching", "ignore"] = Field(
        default="missing", description="TreatMissingData: what the alarm takes a minute without a datapoint for."
    )
    adjustment: Literal["change", "exact", "percent"] = Field(
        default="change",
        description=(
            "What `change` of a step means. change: so many instances more or fewer; exact: so many in all; "
            "percent: so many percent of those that there are."
        ),
    )
    steps: tuple[Step, ...] = Field(
        min_length=1,
        max_length=20,
        description="Which change follows by how far the threshold is passed, such as `- {lower: 0, change: 1}`.",
    )
    min_magnitude: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None,
        description="MinAdjustmentMagnitude: the fewest instances that a change in percent adds or removes.",
    )
    cooldown: Seconds = Field(default=300.0, description="Cooldown: the pause before the policy acts again.")

    @model_validator(mode="after")
    def _enough_periods(self) -> Self:
        if self.of is not None and self.of < self.datapoints:
            raise ValueError(f"{self.datapoints} datapoints cannot be found in {self.of} periods")
        return self

    @model_validator(mode="after")
    def _is_what_auto_scaling_takes(self) -> Self:
        """Source: PutScalingPolicy, StepScalingPolicyConfiguration and StepAdjustment."""
        if self.min_magnitude is not None and self.adjustment != "percent":
            raise ValueError(f"min_magnitude goes with adjustment percent, and not with {self.adjustment}")
        if self.adjustment == "exact" and any(step.change < 0 for step in self.steps):
            raise ValueError("a change is a number of instances where adjustment is exact: it cannot be below 0")
        require_adjoining(self.steps)
        return self


Tracking = TargetTracking | InvocationsTracking | ConcurrencyTracking


class Policy(Part):
    """Exactly one scaling policy."""

    model_config = ConfigDict(json_schema_extra={**EXACTLY_ONE_KEY})

    target_tracking: TargetTracking | None = None
    invocations_tracking: InvocationsTracking | None = None
    concurrency_tracking: ConcurrencyTracking | None = None
    step_from_zero: StepFromZero | None = None
    step: StepPolicy | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"must name exactly one policy, not {len(named)}: {', '.join(type(self).model_fields)}")
        return self

    @property
    def tracking(self) -> Tracking | None:
        """Its target tracking, whatever the metric."""
        return self.target_tracking or self.invocations_tracking or self.concurrency_tracking


class ScheduledAction(Part):
    """New limits of the scalable target at an instant of the run, as PutScheduledAction sets them."""

    at: Seconds = Field(description="When, counted from the beginning of the run.")
    min: Annotated[Whole, Field(ge=0, le=1000)] | None = Field(
        default=None, description="MinCapacity from then on. Default: as it is."
    )
    max: Annotated[Whole, Field(ge=0, le=1000)] | None = Field(
        default=None, description="MaxCapacity from then on. Default: as it is."
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
    """A streamed answer: its first part comes when the work of `service` is done, the others follow."""

    parts: Whole = Field(default=10, ge=1, le=10_000, description="Parts of each answer.")
    gap: Distribution = Field(
        default=Distribution(constant=0.05),
        description="Time from one part to the next. The request holds its slot until the last one.",
    )


class OpenQuestions(Part):
    """What AWS does not document. The defaults follow public evidence; change one to see what it would mean."""

    backlog_counts_running: Switch = Field(
        default=True,
        description="ApproximateBacklogSize counts running requests, not only waiting ones.",
        json_schema_extra=_range("true (documented) or false (seen)"),
    )
    per_instance_at_zero: Literal["as_one", "missing"] = Field(
        default="as_one",
        description=(
            "The backlog per instance where there is no instance. as_one: as if there were one; missing: no datapoint."
        ),
        json_schema_extra=_range("as_one or missing"),
    )
    zeros_when_idle: Switch = Field(
        default=True,
        description="While nothing is in the backlog, its metrics are published as 0.",
        json_schema_extra=_range("true or false"),
    )
    drain_on_remove: Switch = Field(
        default=True,
        description="An instance that is removed finishes its running requests.",
        json_schema_extra=_range("true or false"),
    )
    redeliver_on_death: Switch = Field(
        default=True,
        description="When an instance dies, its requests go back into the queue.",
        json_schema_extra=_range("true or false"),
    )
    serialise_updates: Switch = Field(
        default=True,
        description="SageMaker refuses a change of capacity while another is under way.",
        json_schema_extra=_range("true or false"),
    )
    scale_in: Literal["proportional", "one_step"] = Field(
        default="one_step",
        description=(
            "How target tracking scales in. one_step: by one instance at a time; proportional: to as many as "
            "the metric asks for."
        ),
        json_schema_extra=_range("one_step or proportional"),
    )
    tracking_leaves_zero: Switch = Field(
        default=True,
        description="Target tracking can scale out from zero instances.",
        json_schema_extra=_range("true (seen) or false (claimed)"),
    )
    expiry_notifies: Switch = Field(
        default=True,
        description="SageMaker sends an error notice for a request that expired.",
        json_schema_extra=_range("true or false"),
    )
    output_path_required: Switch = Field(
        default=False,
        description="SageMaker refuses an endpoint configuration without S3OutputPath.",
        json_schema_extra=_range("false or true"),
    )
    timeout_notifies: Switch = Field(
        default=True,
        description="SageMaker sends an error notice for an invocation that timed out.",
        json_schema_extra=_range("true or false"),
    )
    tracking_points_out: Whole = Field(
        default=3,
        ge=1,
        le=60,
        description="Minutes beyond the target before AlarmHigh of target tracking goes off.",
        json_schema_extra=_range("3 to 5"),
    )
    tracking_points_out_10s: Whole = Field(
        default=3,
        ge=1,
        le=60,
        description="As `tracking_points_out`, of concurrency_tracking: periods of ten seconds.",
        json_schema_extra=_range("3 to 6"),
    )
    tracking_points_in: Whole = Field(
        default=15,
        ge=1,
        le=60,
        description="Minutes below AlarmLow's threshold before it goes off.",
        json_schema_extra=_range("15"),
    )
    tracking_low_share: Number = Field(
        default=0.9,
        gt=0,
        le=1,
        description="AlarmLow's threshold as a share of the target.",
        json_schema_extra=_range("0.7 to 0.9"),
    )
    alarm_phase: Distribution = Field(
        default=Distribution(uniform=Uniform(low=0.0, high=60.0)),
        description="The second of each minute at which an alarm is evaluated; drawn once for each alarm.",
        json_schema_extra=_range("0s to 60s"),
    )


class Scaled(Part):
    """Scenario time runs this many times as fast as real time."""

    scaled: Number = Field(gt=0, le=1000, description="Scenario seconds in one real second, such as 20.")


def _kind_of_time(value: Any) -> str:
    return "a pace" if isinstance(value, dict | Scaled) else "a word"


Time = Annotated[
    Annotated[Literal["real", "warp"], Tag("a word")] | Annotated[Scaled, Tag("a pace")], Discriminator(_kind_of_time)
]


class Emulated(Part):
    """The emulated endpoint: its capacity, its times, its scaling and what goes wrong."""

    instances: Instances = Instances()
    serverless: Serverless = Serverless()
    waiting: Annotated[Whole, Field(ge=0, le=100_000)] | None = Field(
        default=None,
        description=(
            "Requests that may wait for the instances of a real-time endpoint; the container answers further "
            "ones with 503. Default: any number, each for 60 s at most."
        ),
    )
    service: Service = ServiceLaw(by_class={"": Distribution(lognormal=Lognormal(median=1.0, sigma=0.3))})
    stream: Stream = Field(
        default=Stream(), description="The parts of a streamed answer, where the scenario has `request.stream`."
    )
    provision: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=170.0, sigma=0.25)),
        description=(
            "Time from a decided scale-out to an instance that serves. Seen: some 170 s for a CPU image, 300 s "
            "for a GPU image."
        ),
        json_schema_extra=_range("130s to 530s"),
    )
    provision_common: Distribution = Field(
        default=Distribution(constant=0.0),
        description="Drawn once for each change of capacity, added to `provision` of every instance that it starts.",
        json_schema_extra=_range("0s to the whole of provision"),
    )
    remove: Distribution = Field(
        default=Distribution(uniform=Uniform(low=60.0, high=130.0)),
        description="Time from a decided scale-in to the end of the instance's billing.",
    )
    policies: tuple[Policy, ...] = Field(
        default=(), description="The policies by which the endpoint scales. Without any it never does."
    )
    scheduled: tuple[ScheduledAction, ...] = Field(
        default=(), max_length=200, description="Scheduled actions: new capacity limits at instants of the run."
    )
    suspended: tuple[Literal["in", "out", "scheduled"], ...] = Field(
        default=(), description="SuspendedState of the scalable target: the scaling that does not happen."
    )
    initial: Initial = Field(default=Initial(), description="The state in which the run finds the endpoint.")
    time: Time = Field(
        default="real",
        description=(
            "real: as on your watch. {scaled: 20}: 20 times as fast. warp: the clock jumps to whatever happens next."
        ),
    )
    metric_delay: Distribution = Field(
        default=Distribution(uniform=Uniform(low=0.0, high=5.0)),
        description="Time from the end of a minute until alarms and readers see its datapoint.",
        json_schema_extra=_range("0s to 180s"),
    )
    results_kept: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None,
        description="S3 deletes a result this long after it was written, as by a lifecycle rule. Default: never.",
    )
    notify_lag: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=0.08, sigma=0.3)),
        description="Time from the end of an inference until its notice is in the queue.",
    )
    action_delay: Seconds = Field(
        default=5.0,
        description="Time from an alarm until the capacity is decided.",
        json_schema_extra=_range("1s to 30s"),
    )
    service_spread: Number = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="How much instances differ: the standard deviation of the factor on their service times, whose "
        "mean is 1. At 0.1 most lie within 10 % of it.",
    )
    host_speeds: tuple[Annotated[Number, Field(ge=0.01, le=100)], ...] = Field(
        default=(),
        max_length=1000,
        description=(
            "Speeds of the first, second, ... instance that is started, over the average: at 2 its requests "
            "take half as long. Instances beyond the list follow `service_spread`."
        ),
    )
    start_of_minute: Seconds = Field(
        default=0.0, lt=60, description="How far into a UTC minute the run begins: metrics come by the minute."
    )
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
