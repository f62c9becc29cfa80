"""The emulated endpoint as a scenario describes it: capacity, service, scaling, faults, and the open questions.

What AWS does not document is a setting here, with the default that the evidence favours.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.distributions import Distribution, Lognormal, Service, ServiceLaw, Uniform
from smbench.scenario.quantities import PositiveHertz, Seconds, Share, SignedSeconds
from smbench.scenario.record import Part


class Instances(Part):
    """Fleet limits. `start` instances are in service when the run begins; default: `min`."""

    min: int = Field(default=0, ge=0, le=1000)
    max: int = Field(default=4, ge=1, le=1000)
    start: int | None = Field(default=None, ge=0, le=1000)
    concurrency: int = Field(default=1, ge=1, le=1000, description="MaxConcurrentInvocationsPerInstance")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self

    @property
    def at_start(self) -> int:
        return self.min if self.start is None else self.start


class TargetTracking(Part):
    """Keep ApproximateBacklogSizePerInstance near a value: two alarms that Auto Scaling makes itself."""

    backlog_per_instance: float = Field(gt=0)
    out_cooldown: Seconds = 300.0
    in_cooldown: Seconds = 300.0
    disable_scale_in: bool = False


class StepFromZero(Part):
    """AWS's documented recipe: HasBacklogWithoutCapacity >= 1 for some minutes adds instances."""

    add: int = Field(default=1, ge=1)
    cooldown: Seconds = 300.0
    minutes: int = Field(default=2, ge=1, le=60, description="datapoints to alarm, and evaluation periods")


class Step(Part):
    """One step of a step policy; bounds are relative to the alarm's threshold, lower inclusive, upper exclusive."""

    lower: float | None = None
    upper: float | None = None
    change: int


class StepPolicy(Part):
    """A step policy with an alarm of its own on any metric the endpoint publishes."""

    metric: str = "ApproximateBacklogSizePerInstance"
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = "Average"
    comparison: Literal[">=", ">", "<", "<="] = ">="
    threshold: float
    datapoints: int = Field(default=1, ge=1, le=60)
    of: int | None = Field(default=None, ge=1, le=60, description="evaluation periods; default: `datapoints`")
    missing: Literal["missing", "breaching", "notBreaching", "ignore"] = "missing"
    adjustment: Literal["change", "exact", "percent"] = "change"
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)
    min_magnitude: int | None = Field(default=None, ge=1, description="MinAdjustmentMagnitude, for percent")
    cooldown: Seconds = 300.0


class Policy(Part):
    """Exactly one scaling policy."""

    target_tracking: TargetTracking | None = None
    step_from_zero: StepFromZero | None = None
    step: StepPolicy | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"name exactly one policy, not {len(named)}: {', '.join(type(self).model_fields)}")
        return self


class Throttle(Part):
    """A token bucket on InvokeEndpointAsync; AWS publishes no such quota, so none is assumed."""

    rate: PositiveHertz
    burst: int = Field(default=1, ge=1)


class Delayed(Part):
    """This share of messages or answers comes later by a draw from `delay`."""

    share: Share
    delay: Distribution


class Faults(Part):
    """What goes wrong, each from its own stream of the scenario's seed. Shares are per call or per message."""

    throttle: Throttle | None = None
    throttled: Share = Field(default=0.0, description="400 ThrottlingException with a null message, per invocation")
    server_errors: Share = Field(default=0.0, description="500 or 503 without effect, per invocation")
    resets: Share = Field(default=0.0, description="connection reset before the request is taken")
    lost_replies: Share = Field(default=0.0, description="the request is taken, then the connection is reset")
    slow_answers: Delayed | None = None
    container_errors: Share = Field(default=0.0, description="the container answers 500")
    notices_lost: Share = 0.0
    notices_late: Delayed | None = None
    notices_duplicated: Share = 0.0
    messages_redelivered: Share = Field(default=0.0, description="SQS shows a message again although it was deleted")
    malformed_messages: Share = Field(default=0.0, description="a message that is no JSON follows the real one")
    instance_life: Distribution | None = Field(default=None, description="an instance dies after this long in service")
    provision_failures: Share = Field(default=0.0, description="a new instance never comes up; the activity fails")
    metric_gaps: Share = Field(default=0.0, description="a metric's minute is never published")
    clock_skew: SignedSeconds = Field(default=0.0, description="AWS's stamps are ahead of ours by this much")


class OpenQuestions(Part):
    """What AWS does not say. Defaults follow the evidence in public; change one to see what it would mean."""

    backlog_counts_running: bool = Field(default=True, description="ApproximateBacklogSize includes running requests")
    per_instance_at_zero: Literal["as_one", "missing"] = "as_one"
    zeros_when_idle: bool = Field(default=True, description="backlog metrics are published as 0 while idle")
    drain_on_remove: bool = Field(default=True, description="scale-in lets running requests finish")
    redeliver_on_death: bool = Field(
        default=True, description="an instance's death puts its requests back in the queue"
    )
    serialise_updates: bool = Field(default=True, description="capacity changes are refused while one is under way")
    scale_in: Literal["proportional", "one_step"] = "proportional"
    tracking_leaves_zero: bool = Field(default=True, description="target tracking may scale out from zero instances")
    expiry_notifies: bool = Field(default=True, description="an expired request causes an error notification")
    timeout_notifies: bool = Field(default=True, description="an invocation time-out causes an error notification")
    tracking_points_out: int = Field(default=3, ge=1)
    tracking_points_in: int = Field(default=15, ge=1)
    tracking_low_share: float = Field(default=0.9, gt=0, le=1, description="AlarmLow's threshold over the target")


class Scaled(Part):
    """Scenario time runs this many times faster than the wall's."""

    scaled: float = Field(gt=0, le=1000)


Time = Literal["real", "warp"] | Scaled


class Emulated(Part):
    """The whole emulated endpoint."""

    instances: Instances = Instances()
    service: Service = ServiceLaw(by_class={"": Distribution(lognormal=Lognormal(median=1.0, sigma=0.3))})
    provision: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=170.0, sigma=0.25)),
        description="from capacity decided to an instance that serves; CPU image 170 s, GPU image 300 s",
    )
    remove: Distribution = Field(
        default=Distribution(uniform=Uniform(low=60.0, high=130.0)), description="from scale-in decided to billing end"
    )
    policies: tuple[Policy, ...] = ()
    time: Time = "real"
    metric_delay: Distribution = Field(
        default=Distribution(uniform=Uniform(low=60.0, high=90.0)),
        description="from the end of a minute to its datapoint being visible",
    )
    notify_lag: Distribution = Field(
        default=Distribution(lognormal=Lognormal(median=0.08, sigma=0.3)),
        description="from an inference's end to its message in the queue",
    )
    action_delay: Seconds = Field(default=5.0, description="from alarm to capacity decided")
    service_spread: float = Field(default=0.0, ge=0, le=0.5, description="standard deviation of instance speed")
    start_of_minute: Seconds = Field(default=0.0, lt=60, description="how far into a UTC minute the run begins")
    faults: Faults = Faults()
    open_questions: OpenQuestions = OpenQuestions()

    @property
    def time_scale(self) -> float:
        """Scenario seconds per real second; 1 for real and for warp, which has no fixed ratio."""
        return self.time.scaled if isinstance(self.time, Scaled) else 1.0
