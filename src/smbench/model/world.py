"""The world of one emulated account: metrics, alarms, the auto scaler and the endpoints, wired together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Self

from smbench.model.endpoints.endpoint import Endpoint
from smbench.model.endpoints.invocation_metrics import CONCURRENT, CONCURRENT_STATISTIC, PER_INSTANCE
from smbench.model.endpoints.serverless import ServerlessEndpoint
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.endpoints.telemetry import BACKLOG_PER_INSTANCE, BACKLOG_WITHOUT_CAPACITY, metric_of
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.alarms import Alarm, AlarmBook
from smbench.model.monitoring.metrics import MetricStore
from smbench.model.monitoring.series import FINE_S, MINUTE_S
from smbench.model.scaling.decisions import Scalable
from smbench.model.scaling.policies import CHANGE, EXACT, PERCENT, PolicySpec, StepAdjustment, StepSpec, TrackingSpec
from smbench.model.scaling.scaler import AutoScaler, ScalerSettings
from smbench.model.service import Seeds
from smbench.scenario.emulated import (
    ConcurrencyTracking,
    Emulated,
    OpenQuestions,
    Policy,
    StepFromZero,
    StepPolicy,
    TargetTracking,
    Tracking,
)
from smbench.scenario.model import Scenario
from smbench.scenario.serverless import Serverless
from smbench.scenario.values.distributions import Distribution

COMPONENT = "inference-component"
EMBEDDED = "smbench-emulated"
VARIANT = "AllTraffic"

_COMPARISONS = {
    ">=": "GreaterThanOrEqualToThreshold",
    ">": "GreaterThanThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}
_ADJUSTMENTS = {"change": CHANGE, "exact": EXACT, "percent": PERCENT}


def resource_id_of(endpoint: str, variant: str) -> str:
    """What Application Auto Scaling calls an endpoint's variant."""
    return f"endpoint/{endpoint}/variant/{variant}"


class World:
    """Everything that exists in one account and region. Two worlds share nothing.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero; gives the phase of CloudWatch's minutes.
    """

    store_type: ClassVar[Callable[..., MetricStore]] = MetricStore
    book_type: ClassVar[Callable[..., AlarmBook]] = AlarmBook

    def __init__(
        self,
        event_queue: EventQueue,
        epoch_ns: int,
        *,
        metric_delay: Distribution | None = None,
        metric_gaps: float = 0.0,
        action_delay_s: float = 5.0,
        open_questions: OpenQuestions | None = None,
        alarm_seconds: Mapping[str, float] | None = None,
        seeds: Seeds | None = None,
        base_dir: Path | None = None,
        region: str = "us-east-1",
        account: str = "123456789012",
    ) -> None:
        self.event_queue, self.epoch_ns, self.seeds = event_queue, epoch_ns, seeds or Seeds()
        self.metrics = self.store_type(
            event_queue,
            epoch_ns,
            delay=metric_delay,
            gap_share=metric_gaps,
            seeds=self.seeds,
            base_dir=base_dir,
        )
        questions = open_questions or OpenQuestions()
        self.alarms = self.book_type(
            event_queue,
            self.metrics,
            phase=questions.alarm_phase,
            seconds=alarm_seconds,
            seeds=self.seeds,
            base_dir=base_dir,
        )
        settings = ScalerSettings(action_delay_s, questions, region, account)
        self.scaler = AutoScaler(event_queue, self.alarms, settings, self.resolve)
        self.endpoints: dict[str, Endpoint] = {}  # on instances
        self.serverless: dict[str, ServerlessEndpoint] = {}
        self.components: dict[str, Endpoint] = {}  # inference components, each copy as an instance

    @classmethod
    def of(
        cls,
        event_queue: EventQueue,
        epoch_ns: int,
        scenario: Scenario | None,
        base_dir: Path | None,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
    ) -> Self:
        """The embedded endpoint as a scenario describes it, with its scalable target, policies and alarms.

        Without a scenario: an empty account.
        """
        if scenario is None:
            return cls(event_queue, epoch_ns, region=region, account=account)
        emulated = scenario.target.emulated
        world = cls(
            event_queue,
            epoch_ns,
            metric_delay=emulated.metric_delay,
            metric_gaps=emulated.faults.metric_gaps,
            action_delay_s=emulated.action_delay,
            open_questions=emulated.open_questions,
            alarm_seconds=_alarm_seconds(emulated),
            seeds=Seeds.of(scenario),
            base_dir=base_dir,
            region=region,
            account=account,
        )
        settings = EndpointSettings.of(
            emulated,
            name=EMBEDDED,
            variant=VARIANT,
            is_synchronous=scenario.target.is_synchronous,
            base_dir=base_dir,
        )
        if scenario.target.kind == "serverless":
            world.add_serverless(settings, emulated.serverless)
            return world
        world.add_endpoint(settings, instances_at_start=emulated.instances.at_start)
        resource_id = resource_id_of(EMBEDDED, VARIANT)
        world.scaler.register_target(resource_id, emulated.instances.min, emulated.instances.max)
        for index, policy in enumerate(emulated.policies):
            world.add_policy(EMBEDDED, VARIANT, policy, index)
        world._begin_as(emulated, resource_id)
        return world

    def _begin_as(self, emulated: Emulated, resource_id: str) -> None:
        """What a scenario says of the time before the run, and of what is to come by the clock."""
        if emulated.initial.minutes:
            self.endpoints[EMBEDDED].remember(emulated.initial.minutes)
            self.alarms.remember()
        self.scaler.begin_as(resource_id, emulated.initial)
        self.scaler.suspend(resource_id, emulated.suspended)
        for index, action in enumerate(emulated.scheduled):
            self.scaler.schedule(resource_id, f"scheduled-{index}", round(action.at * 1e9), action.min, action.max)

    def add_endpoint(
        self,
        settings: EndpointSettings,
        *,
        instances_at_start: int,
        seeds: Seeds | None = None,
        is_further_variant: bool = False,
    ) -> Endpoint:
        """A new endpoint, in service at once; with the world's seeds unless it has its own.

        Args:
            is_further_variant: There is an endpoint of that name, with another variant.

        Raises:
            ValueError: there is one of that name.
        """
        name = f"{settings.name}/{settings.variant}" if is_further_variant else settings.name
        self._check_name(name)
        endpoint = self.endpoints[name] = Endpoint(
            self.event_queue,
            settings,
            instances_at_start=instances_at_start,
            seeds=seeds or self.seeds,
            metrics=self.metrics,
        )
        return endpoint

    def add_serverless(self, settings: EndpointSettings, serverless: Serverless) -> ServerlessEndpoint:
        """A new serverless endpoint, ready at once.

        Raises:
            ValueError: there is one of that name.
        """
        self._check_name(settings.name)
        endpoint = self.serverless[settings.name] = ServerlessEndpoint(
            self.event_queue, settings, serverless, seeds=self.seeds, metrics=self.metrics
        )
        return endpoint

    def _check_name(self, name: str) -> None:
        if name in self.endpoints or name in self.serverless:
            raise ValueError(f"there is an endpoint {name} already")

    def remove_endpoint(self, name: str) -> None:
        """Delete an endpoint: it publishes nothing any more and its scalable target finds nothing.

        Raises:
            KeyError: there is none of that name.
        """
        if name in self.serverless:
            self.serverless.pop(name).close()
        else:
            self.endpoints.pop(name).close()
            for further in [one for one in self.endpoints if one.startswith(f"{name}/")]:
                self.endpoints.pop(further).close()

    def add_component(self, name: str, settings: EndpointSettings, n_copies: int) -> Endpoint:
        """A new inference component, whose copies come up as instances do; it publishes nothing by itself.

        Raises:
            ValueError: there is one of that name.
        """
        if name in self.components:
            raise ValueError(f"there is an inference component {name} already")
        copies = self.components[name] = Endpoint(self.event_queue, settings, instances_at_start=0, seeds=self.seeds)
        copies.set_desired(n_copies)
        return copies

    def remove_variant(self, name: str, variant: str) -> None:
        """Delete a further variant of an endpoint.

        Raises:
            KeyError: there is none.
        """
        self.endpoints.pop(f"{name}/{variant}").close()

    def resolve(self, resource_id: str) -> Scalable | None:
        """What a resource id scales; None when there is no such endpoint, or none with that variant.

        Of an inference component: its copies. Of a serverless endpoint: what it keeps warm.
        """
        parts = resource_id.split("/")
        if len(parts) == 2 and parts[0] == COMPONENT:
            return self.components.get(parts[1])
        if len(parts) != 4 or parts[0] != "endpoint" or parts[2] != "variant":
            return None
        serverless = self.serverless.get(parts[1])
        if serverless is not None:
            return serverless.provisioned if serverless.variant == parts[3] else None
        endpoint = self.endpoints.get(f"{parts[1]}/{parts[3]}") or self.endpoints.get(parts[1])
        return endpoint if endpoint is not None and endpoint.variant == parts[3] else None

    def add_policy(self, endpoint: str, variant: str, policy: Policy, index: int) -> None:
        """Put a scenario's policy, and the alarm that a step policy needs."""
        resource_id = resource_id_of(endpoint, variant)
        if (tracking := policy.tracking) is not None:
            self.scaler.put_policy(tracking_policy(resource_id, endpoint, variant, tracking, index))
            return
        wish = policy.step if policy.step is not None else as_step_policy(policy.step_from_zero)
        name = f"{wish.metric}-{index}"
        put = self.scaler.put_policy(step_policy(resource_id, name, wish))
        self.alarms.put(step_alarm(f"{endpoint}-{name}", endpoint, variant, wish, put.arn))


def _alarm_seconds(emulated: Emulated) -> dict[str, float]:
    """By what the second of each alarm is otherwise drawn by."""
    found: dict[str, float | None] = {}
    resource_id = resource_id_of(EMBEDDED, VARIANT)
    for known in emulated.initial.alarm_seconds:
        if known.policy >= len(emulated.policies):  # of a prediction with other policies; a scenario is refused
            continue
        policy = emulated.policies[known.policy]
        if (tracking := policy.tracking) is not None:
            name = f"{resource_id}/{_tracking_name(tracking, known.policy)}"
            found |= {f"{name}/AlarmHigh": known.high, f"{name}/AlarmLow": known.low}
            continue
        metric = BACKLOG_WITHOUT_CAPACITY if policy.step is None else policy.step.metric
        found[f"{EMBEDDED}-{metric}-{known.policy}"] = known.high
    return {key: second_s for key, second_s in found.items() if second_s is not None}


def _tracking_name(wish: Tracking, index: int) -> str:
    if isinstance(wish, ConcurrencyTracking):
        return f"concurrency-tracking-{index}"
    return f"{'backlog' if isinstance(wish, TargetTracking) else 'invocations'}-tracking-{index}"


def tracking_policy(resource_id: str, endpoint: str, variant: str, wish: Tracking, index: int) -> PolicySpec:
    """A scenario's target tracking policy in Auto Scaling's terms."""
    out_period_s = MINUTE_S
    if isinstance(wish, TargetTracking):
        target, metric, statistic = wish.backlog_per_instance, BACKLOG_PER_INSTANCE, "Average"
    elif isinstance(wish, ConcurrencyTracking):
        target, metric, statistic = wish.concurrent_requests, CONCURRENT, CONCURRENT_STATISTIC
        out_period_s = FINE_S
    else:
        target, metric, statistic = wish.invocations_per_instance, PER_INSTANCE, "Sum"
    spec = TrackingSpec(
        target=target,
        metric=metric_of(metric, endpoint, variant),
        statistic=statistic,
        out_period_s=out_period_s,
        out_cooldown_s=wish.out_cooldown,
        in_cooldown_s=wish.in_cooldown,
        disable_scale_in=wish.disable_scale_in,
    )
    return PolicySpec(resource_id, _tracking_name(wish, index), tracking=spec)


def step_policy(resource_id: str, name: str, wish: StepPolicy) -> PolicySpec:
    """A scenario's step policy in Auto Scaling's terms.

    A step without bounds, which AWS refuses, is one that begins at the alarm's threshold.
    """
    from_threshold = {"lower": 0.0} if wish.comparison in (">=", ">") else {"upper": 0.0}
    spec = StepSpec(
        adjustment=_ADJUSTMENTS[wish.adjustment],
        steps=tuple(
            StepAdjustment(step.change, step.lower, step.upper)
            if step.is_bounded
            else StepAdjustment(step.change, **from_threshold)
            for step in wish.steps
        ),
        cooldown_s=wish.cooldown,
        aggregation="Average" if wish.statistic == "Sum" else wish.statistic,
        min_magnitude=wish.min_magnitude,
    )
    return PolicySpec(resource_id, name, step=spec)


def step_alarm(name: str, endpoint: str, variant: str, wish: StepPolicy, policy_arn: str) -> Alarm:
    """The alarm that sets a scenario's step policy off."""
    metric = metric_of(wish.metric, endpoint, variant)
    return Alarm(
        name=name,
        namespace=metric.namespace,
        metric=metric.name,
        dimensions=metric.dimensions,
        statistic=wish.statistic,
        comparison=_COMPARISONS[wish.comparison],
        threshold=wish.threshold,
        evaluation_periods=wish.datapoints if wish.of is None else wish.of,
        datapoints_to_alarm=wish.datapoints,
        treat_missing_data=wish.missing,
        actions=(policy_arn,),
    )


def as_step_policy(wish: StepFromZero | None) -> StepPolicy:
    """AWS's documented recipe for waking from zero, as the step policy it is."""
    assert wish is not None, "a policy names exactly one kind"
    return StepPolicy.model_validate(
        {
            "metric": BACKLOG_WITHOUT_CAPACITY,
            "threshold": 1.0,
            "datapoints": wish.minutes,
            "steps": [{"lower": 0.0, "change": wish.add}],
            "cooldown": wish.cooldown,
        }
    )
