"""Application Auto Scaling: scalable targets, policies and their alarms, one decision per target and instant.

Rules of the whole file. Policies fired by alarms of one instant are decided together. A cooldown begins when its
activity has succeeded; scaling out ends one that followed scaling in. Limits bring capacity within them when they are
set; what is changed by hand afterwards stays until a policy scales. A change that the endpoint refuses is lost; the
alarm goes on firing and a later one gets through. One that the account's quota refuses is tried again every ten
seconds, as long as the alarm lasts.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from smbench.model.endpoints.fleet import CapacityChange, QuotaReached, UpdateInProgress
from smbench.model.endpoints.provisioned import ProvisionedConcurrency
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.alarms import ALARM, Alarm, AlarmBook
from smbench.model.monitoring.series import FINE_S
from smbench.model.scaling.activities import (
    AT_DESIRED,
    COPIES,
    INSTANCES,
    PROVISIONED,
    UNSCALABLE,
    Activity,
    ActivityLog,
    NotScaledReason,
)
from smbench.model.scaling.decisions import (
    Cooldown,
    Firing,
    Proposal,
    Scalable,
    ScalableTarget,
    ScalingPolicy,
    largest,
    propose,
    why_not,
)
from smbench.model.scaling.policies import PolicySpec, TrackingSpec
from smbench.scenario.emulated import OpenQuestions
from smbench.scenario.initial import Initial

SERVICE = "sagemaker"
_AGAIN_NS = 10_000_000_000  # after a refusal at the account's quota. Source: scaling activities seen in public
_BEFORE_THE_RUN = "a change of capacity that began before the run"


class UnknownTarget(KeyError):  # noqa: N818  # a refusal that the service words itself
    """No scalable target is registered under this resource id."""


def what_is_set(resource_id: str, scaled: Scalable | None) -> str:
    """What a scalable target of this resource sets, as activities name it."""
    if isinstance(scaled, ProvisionedConcurrency):
        return PROVISIONED
    return COPIES if resource_id.startswith("inference-component/") else INSTANCES


@dataclass(slots=True)
class ScalerSettings:
    """What the auto scaler needs to know of the world it works in."""

    action_delay_s: float = 5.0  # from alarm to capacity decided
    open_questions: OpenQuestions = field(default_factory=OpenQuestions)
    region: str = "us-east-1"
    account: str = "123456789012"


class AutoScaler:
    """Turns alarms into capacity.

    Args:
        resolve: The endpoint of a resource id `endpoint/NAME/variant/NAME`; None when there is none.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        alarms: AlarmBook,
        settings: ScalerSettings,
        resolve: Callable[[str], Scalable | None],
    ) -> None:
        self._event_queue, self._alarms, self.settings, self._resolve = event_queue, alarms, settings, resolve
        self._targets: dict[str, ScalableTarget] = {}
        self._n_ids = 0
        self._log = ActivityLog(self._new_id)
        alarms.on_action.append(self._on_alarm)

    # Targets

    def register_target(
        self, resource_id: str, min_capacity: int | None = None, max_capacity: int | None = None
    ) -> ScalableTarget:
        """Register, or change the limits of, a target; capacity outside of them is brought inside at once.

        Raises:
            ValueError: a new target without both limits, or limits in the wrong order.
        """
        target = self._targets.get(resource_id)
        low = min_capacity if min_capacity is not None else target.min_capacity if target else None
        high = max_capacity if max_capacity is not None else target.max_capacity if target else None
        if low is None or high is None:
            raise ValueError("a new scalable target needs a minimum and a maximum capacity")
        if not 0 <= low <= high:
            raise ValueError(f"minimum capacity {low} and maximum capacity {high} are not a range")
        if target is None:
            what = what_is_set(resource_id, self._resolve(resource_id))
            self._log.is_about(resource_id, what)
            now_ns = self._event_queue.now_ns
            target = self._targets[resource_id] = ScalableTarget(resource_id, low, high, now_ns, what)
        target.min_capacity, target.max_capacity, target.limits_due = low, high, True
        self._keep_limits(target)
        return target

    def deregister(self, resource_id: str) -> None:
        """Forget a target with its policies and their alarms; its activities stay.

        Raises:
            UnknownTarget: there is none.
        """
        target = self._target(resource_id)
        for name in list(target.policies):
            self.delete_policy(resource_id, name)
        del self._targets[resource_id]

    def describe_targets(self, resource_ids: Iterable[str] | None = None) -> list[ScalableTarget]:
        """All, or those of these resource ids that exist, in the order asked for."""
        chosen = self._targets if resource_ids is None else resource_ids
        return [self._targets[each] for each in chosen if each in self._targets]

    def suspend(self, resource_id: str, suspended: Iterable[str]) -> None:
        """What of scaling does not happen from now on: any of `in`, `out` and `scheduled`.

        Raises:
            UnknownTarget: there is none.
        """
        self._target(resource_id).suspended = frozenset(suspended)

    def schedule(self, resource_id: str, name: str, at_ns: int, low: int | None, high: int | None) -> None:
        """At an instant, set the target's limits; None leaves one as it is."""
        self._event_queue.at(at_ns, partial(self.run_scheduled, resource_id, name, low, high))

    def run_scheduled(self, resource_id: str, name: str, low: int | None, high: int | None) -> None:
        """As `schedule`, now; a target that is not there, or whose scheduled scaling is suspended, stays as it is."""
        target = self._targets.get(resource_id)
        if target is None or "scheduled" in target.suspended:
            return
        low = target.min_capacity if low is None else low
        high = target.max_capacity if high is None else high
        cause = f"scheduled action name {name} was triggered"
        self._log.limits_set(resource_id, cause, self._event_queue.now_ns, low, high)
        if low <= high:  # else others changed the limits meanwhile
            target.min_capacity, target.max_capacity, target.limits_due = low, high, True
            self._keep_limits(target)

    def begin_as(self, resource_id: str, initial: Initial) -> None:
        """Bring a target that was just registered into the state in which a run finds it.

        Raises:
            UnknownTarget: there is none.
        """
        target, now_ns = self._target(resource_id), self._event_queue.now_ns
        endpoint = self._resolve(resource_id)
        if endpoint is not None and initial.activity is not None:
            before, began_ns = endpoint.desired, round(initial.activity.began * 1e9)
            first = next(iter(target.policies.values()), None)
            is_out = initial.activity.to > before
            length_s = 0.0 if first is None else first.spec.cooldown_s(is_out=is_out)
            endpoint.set_desired(initial.activity.to, _BEFORE_THE_RUN, under_way_ns=began_ns)
            self._watch(target, endpoint)
            target.under_way = self._log.begin(
                resource_id, _BEFORE_THE_RUN, now_ns - began_ns, before, initial.activity.to
            )
            target.cooldown = Cooldown(is_out, before, length_s)
        if endpoint is not None and initial.cooldown is not None:
            left_s = initial.cooldown.left
            until_ns = now_ns + round(left_s * 1e9)
            target.cooldown = Cooldown(initial.cooldown.after == "out", endpoint.desired, left_s, until_ns)

    def settle(self, resource_id: str) -> None:
        """What the endpoint was busy with beside this target's own changes is over: limits that wait are kept now."""
        target, endpoint = self._targets.get(resource_id), self._resolve(resource_id)
        if target is not None and endpoint is not None:
            self._settle(target, endpoint)

    # Policies

    def put_policy(self, spec: PolicySpec) -> ScalingPolicy:
        """Make or change a policy; a tracking policy makes its two alarms itself.

        Raises:
            UnknownTarget: its target is not registered.
        """
        target = self._target(spec.resource_id)
        policy = target.policies.get(spec.name)
        if policy is None:
            policy = ScalingPolicy(spec, self._policy_arn(spec), self._event_queue.now_ns)
            target.policies[spec.name] = policy
        policy.spec = spec
        if spec.tracking is None:
            self._delete_alarms(policy)
        else:
            self._put_alarms(policy, spec.tracking)
        return policy

    def delete_policy(self, resource_id: str, name: str) -> None:
        """Forget a policy, and the alarms it made.

        Raises:
            UnknownTarget: the target is not registered.
            KeyError: it has no such policy.
        """
        self._delete_alarms(self._target(resource_id).policies.pop(name))

    def describe_policies(
        self, resource_id: str | None = None, names: Iterable[str] | None = None
    ) -> list[ScalingPolicy]:
        """All, or those of one resource and of these names."""
        chosen = None if names is None else set(names)
        return [
            policy
            for target in self._targets.values()
            for policy in target.policies.values()
            if resource_id in (None, target.resource_id) and (chosen is None or policy.spec.name in chosen)
        ]

    def alarms_of(self, policy: ScalingPolicy) -> list[Alarm]:
        """The alarms that set a policy off: its own, or any that names it in an action."""
        return [alarm for alarm in self._alarms.describe() if policy.arn in alarm.all_actions]

    def activities(self, resource_id: str | None = None, *, include_not_scaled: bool = False) -> list[Activity]:
        """Newest first, of one resource or of all."""
        return [each for each in self._log.newest_first(resource_id) if include_not_scaled or each.is_scaled]

    # Decisions

    def _on_alarm(self, alarm: Alarm) -> None:
        for target in self._targets.values():
            for policy in target.policies.values():
                if policy.arn in alarm.actions_now:
                    self._gather(target, Firing(policy, replace(alarm)))

    def _gather(self, target: ScalableTarget, firing: Firing) -> None:
        now_ns = self._event_queue.now_ns
        if target.fired_ns != now_ns:
            target.fired_ns, target.firings = now_ns, []
            due_ns = now_ns + round(self.settings.action_delay_s * 1e9)
            self._event_queue.at(due_ns, partial(self._decide, target, target.firings))
        target.firings.append(firing)

    def _decide(self, target: ScalableTarget, firings: list[Firing]) -> None:
        endpoint = self._resolve(target.resource_id)
        if endpoint is None or self._targets.get(target.resource_id) is not target:
            return
        firings = [each for each in firings if target.policies.get(each.policy.spec.name) is each.policy]
        now_ns, questions = self._event_queue.now_ns, self.settings.open_questions
        proposals = propose(target, endpoint.desired, firings, self._lows(target), questions, now_ns)
        if proposals.outs:  # the largest wins, also where it may not be carried out
            if "out" not in target.suspended:
                self._scale(target, endpoint, largest(proposals.outs), is_out=True)
        elif proposals.ins:
            if "in" not in target.suspended:
                self._scale(target, endpoint, largest(proposals.ins), is_out=False)
        else:
            for firing, why in proposals.idle:
                reason = NotScaledReason(AT_DESIRED, current_capacity=endpoint.desired)
                self._log.not_scaled(target.resource_id, firing.cause, now_ns, reason, why)

    def _lows(self, target: ScalableTarget) -> dict[str, Alarm]:
        """By policy name, each AlarmLow that is in ALARM."""
        found = {}
        for policy in target.policies.values():
            alarm = None if policy.alarm_low is None else self._alarms.get(policy.alarm_low)
            if alarm is not None and alarm.state == ALARM:
                found[policy.spec.name] = alarm
        return found

    def _scale(self, target: ScalableTarget, endpoint: Scalable, proposal: Proposal, *, is_out: bool) -> None:
        before, firing, again_ns = endpoint.desired, proposal.firing, self._event_queue.now_ns + _AGAIN_NS
        if target.again is not None and target.again.due_ns == again_ns:
            return  # refused at this very instant
        after = min(max(proposal.capacity, target.min_capacity), target.max_capacity)
        if (after <= before) if is_out else (after >= before):
            self._note_not_scaled(target, firing, why_not(target, before, proposal, is_out=is_out))
            return
        cooldown = target.cooldown_at(self._event_queue.now_ns)
        is_added_to = is_out and cooldown is not None and cooldown.is_out
        base = cooldown.before if is_added_to and cooldown is not None else before
        taken = self._set_desired(target, endpoint, after, firing.cause)
        if taken:
            target.cooldown = Cooldown(is_out, base, firing.policy.spec.cooldown_s(is_out=is_out))
            self._settle(target, endpoint)
        elif taken is not None:
            self._note_not_scaled(target, firing, NotScaledReason(UNSCALABLE))
        else:
            if target.again is not None:
                target.again.cancel()
            target.again = self._event_queue.at(again_ns, partial(self._try_again, target, firing))

    def _try_again(self, target: ScalableTarget, firing: Firing) -> None:
        """What a quota refused, by what the alarm says now."""
        target.again = None
        alarm = self._alarms.get(firing.alarm.name)
        if alarm is not None and alarm.state == firing.alarm.state and target.under_way is None:
            self._decide(target, [Firing(firing.policy, replace(alarm))])

    def _note_not_scaled(self, target: ScalableTarget, firing: Firing, reason: NotScaledReason) -> None:
        self._log.not_scaled(target.resource_id, firing.cause, self._event_queue.now_ns, reason)

    def _set_desired(self, target: ScalableTarget, endpoint: Scalable, after: int, cause: str) -> bool | None:
        """Whether the endpoint took it. The activity is under way then; None: it failed at the account's quota."""
        before, earlier = endpoint.desired, target.under_way
        target.under_way = None  # what the endpoint tells meanwhile is not about the earlier one
        try:
            endpoint.set_desired(after, cause)
        except UpdateInProgress:
            target.under_way = earlier
            return False
        except QuotaReached as refused:
            target.under_way = earlier
            self._log.refused(target.resource_id, cause, self._event_queue.now_ns, before, after, str(refused))
            return None
        if earlier is not None:
            earlier.override(self._event_queue.now_ns)
        self._watch(target, endpoint)
        target.under_way = self._log.begin(target.resource_id, cause, self._event_queue.now_ns, before, after)
        return True

    def _watch(self, target: ScalableTarget, endpoint: Scalable) -> None:
        if target.watched is not endpoint:
            target.watched = endpoint
            endpoint.on_capacity.append(partial(self._on_capacity, target, endpoint))

    def _on_capacity(self, target: ScalableTarget, endpoint: Scalable, change: CapacityChange) -> None:
        if target.watched is not endpoint:
            return  # an endpoint of the same name has taken its place
        if target.under_way is not None and change.kind == "failed":
            target.under_way.n_failed += 1
        self._settle(target, endpoint)

    def _settle(self, target: ScalableTarget, endpoint: Scalable) -> None:
        """End the activity under way when the endpoint has done with it; then its cooldown begins."""
        if endpoint.is_updating:
            return
        activity, target.under_way = target.under_way, None
        if activity is not None:
            now_ns, cooldown = self._event_queue.now_ns, target.cooldown
            if activity.n_failed:
                activity.fail(now_ns)
                target.cooldown = None
                target.limits_due = True  # what did not come up may be missing from the minimum
            else:
                activity.succeed(now_ns)
                if cooldown is not None and cooldown.until_ns is None:
                    cooldown.until_ns = now_ns + round(cooldown.length_s * 1e9)
        if target.limits_due:
            self._keep_limits(target)

    def _keep_limits(self, target: ScalableTarget) -> None:
        """Bring capacity within limits that were set; again, once the endpoint has settled, where it refuses."""
        endpoint = self._resolve(target.resource_id)
        if endpoint is None or self._targets.get(target.resource_id) is not target:
            return
        self._watch(target, endpoint)
        if endpoint.desired < target.min_capacity:
            capacity, which = target.min_capacity, "minimum"
        elif endpoint.desired > target.max_capacity:
            capacity, which = target.max_capacity, "maximum"
        else:
            target.limits_due = False
            return
        if self._set_desired(target, endpoint, capacity, f"{which} capacity was set to {capacity}"):
            target.limits_due = False
            self._settle(target, endpoint)

    # What a policy is made of

    def _put_alarms(self, policy: ScalingPolicy, tracking: TrackingSpec) -> None:
        questions = self.settings.open_questions
        policy.alarm_high = policy.alarm_high or self._alarm_name(policy, "AlarmHigh")
        is_fine = tracking.out_period_s == FINE_S
        points = questions.tracking_points_out_10s if is_fine else questions.tracking_points_out
        high = self._tracking_alarm(policy, tracking, policy.alarm_high, "AlarmHigh", points)
        high.period_s = tracking.out_period_s
        high.comparison, high.threshold = "GreaterThanThreshold", tracking.target
        self._alarms.put(high)
        if tracking.disable_scale_in:
            self._delete_alarm_low(policy)
            return
        policy.alarm_low = policy.alarm_low or self._alarm_name(policy, "AlarmLow")
        low = self._tracking_alarm(policy, tracking, policy.alarm_low, "AlarmLow", questions.tracking_points_in)
        low.comparison, low.threshold = "LessThanThreshold", questions.tracking_low_share * tracking.target
        self._alarms.put(low)

    def _tracking_alarm(
        self, policy: ScalingPolicy, tracking: TrackingSpec, name: str, which: str, points: int
    ) -> Alarm:
        metric = tracking.metric
        return Alarm(
            name=name,
            namespace="" if metric is None else metric.namespace,
            metric="" if metric is None else metric.name,
            dimensions=() if metric is None else metric.dimensions,
            statistic=tracking.statistic,
            comparison="GreaterThanThreshold",
            threshold=tracking.target,
            evaluation_periods=points,
            datapoints_to_alarm=points,
            actions=(policy.arn,),
            unit=tracking.unit,
            queries=tracking.queries,
            phase_key=f"{policy.spec.resource_id}/{policy.spec.name}/{which}",
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}",
        )

    def _delete_alarms(self, policy: ScalingPolicy) -> None:
        if policy.alarm_high is not None:
            self._alarms.delete(policy.alarm_high)
            policy.alarm_high = None
        self._delete_alarm_low(policy)

    def _delete_alarm_low(self, policy: ScalingPolicy) -> None:
        if policy.alarm_low is not None:
            self._alarms.delete(policy.alarm_low)
            policy.alarm_low = None

    def _alarm_name(self, policy: ScalingPolicy, which: str) -> str:
        return f"TargetTracking-{policy.spec.resource_id}-{which}-{self._new_id()}"

    def _policy_arn(self, spec: PolicySpec) -> str:
        settings = self.settings
        place = f"resource/{SERVICE}/{spec.resource_id}:policyName/{spec.name}"
        return f"arn:aws:autoscaling:{settings.region}:{settings.account}:scalingPolicy:{self._new_id()}:{place}"

    def _target(self, resource_id: str) -> ScalableTarget:
        if resource_id not in self._targets:
            raise UnknownTarget(resource_id)
        return self._targets[resource_id]

    def _new_id(self) -> str:
        # By count, not by chance: a repeated run repeats its ids.
        self._n_ids += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"application-autoscaling/{self._n_ids}"))
