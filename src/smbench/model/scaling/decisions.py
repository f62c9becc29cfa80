"""What the policies of one target want when their alarms fire together: proposals to scale out, and in.

Rules of the whole file. Of several proposals the largest capacity wins. Tracking scales in only when all tracking
policies that may do so agree, that is, while each one's AlarmLow is in ALARM, for alarms are evaluated at seconds of
their own. During a cooldown after scaling out, only more than was already added counts; after
scaling in, nothing more goes in. No state changes here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from smbench.model.endpoints.fleet import CapacityChange
from smbench.model.event_queue import Entry
from smbench.model.monitoring.alarms import Alarm
from smbench.model.scaling.activities import (
    AT_DESIRED,
    AT_MAX,
    AT_MIN,
    FLAPPING,
    INSTANCES,
    Activity,
    NotScaledReason,
    cause_of_alarm,
)
from smbench.model.scaling.policies import PolicySpec, StepSpec, TrackingSpec, stepped, tracked
from smbench.scenario.emulated import OpenQuestions


class Scalable(Protocol):
    """A capacity: the instances of a variant, the copies of a component, or what a serverless endpoint keeps warm."""

    @property
    def desired(self) -> int:
        """What was asked for."""

    @property
    def is_updating(self) -> bool:
        """A change is under way."""

    @property
    def on_capacity(self) -> list[Callable[[CapacityChange], None]]:
        """Called for each thing that happens to it."""

    def set_desired(self, n: int, cause: str = "", *, under_way_ns: int = 0) -> None:
        """Ask for another capacity; raises UpdateInProgress or QuotaReached."""


@dataclass(slots=True)
class ScalingPolicy:
    """A policy as it was put, and what Auto Scaling made of it."""

    spec: PolicySpec
    arn: str
    created_ns: int
    alarm_high: str | None = None  # names of the alarms of a tracking policy
    alarm_low: str | None = None

    @property
    def resource_id(self) -> str:
        """What it scales."""
        return self.spec.resource_id


@dataclass(slots=True)
class Cooldown:
    """After a scaling activity of a policy; without an end while the activity is still under way."""

    is_out: bool
    before: int  # capacity before the activity
    length_s: float
    until_ns: int | None = None

    def is_on(self, now_ns: int) -> bool:
        """Whether it lasts at this instant; it has no end while its activity is under way."""
        return self.until_ns is None or now_ns < self.until_ns


@dataclass(slots=True)
class Firing:
    """One policy set off by one alarm, with the alarm as it was then."""

    policy: ScalingPolicy
    alarm: Alarm

    @property
    def cause(self) -> str:
        """The `Cause` of the activity that follows from it."""
        return cause_of_alarm(self.alarm.name, self.alarm.state, self.policy.spec.name)


@dataclass(slots=True)
class Proposal:
    """What one firing wants."""

    capacity: int
    firing: Firing


@dataclass(slots=True)
class ScalableTarget:
    """An endpoint variant that may be scaled, and where it is in it."""

    resource_id: str
    min_capacity: int
    max_capacity: int
    created_ns: int
    what: str = INSTANCES  # it sets, as activities name it
    policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    suspended: frozenset[str] = frozenset()  # of in, out and scheduled
    under_way: Activity | None = None
    cooldown: Cooldown | None = None
    fired_ns: int | None = None  # when the firings being gathered fired
    firings: list[Firing] = field(default_factory=list)
    watched: Scalable | None = None  # whose capacity changes end its activities
    limits_due: bool = False  # capacity has yet to be brought within limits that were set
    again: Entry | None = None  # the next try of a change that the account's quota refused

    def cooldown_at(self, now_ns: int) -> Cooldown | None:
        """The cooldown that is on; None when none is."""
        return self.cooldown if self.cooldown is not None and self.cooldown.is_on(now_ns) else None


@dataclass(slots=True)
class Proposals:
    """What is left of the firings after the cooldowns."""

    outs: list[Proposal] = field(default_factory=list)
    ins: list[Proposal] = field(default_factory=list)
    idle: list[tuple[Firing, str]] = field(default_factory=list)  # and why they want nothing, in our words


def propose(
    target: ScalableTarget,
    capacity: int,
    firings: Iterable[Firing],
    lows: Mapping[str, Alarm],
    questions: OpenQuestions,
    now_ns: int,
) -> Proposals:
    """What the policies want of a target at this capacity; not yet cut to its limits.

    Args:
        lows: By policy name, each AlarmLow that is in ALARM now, whether it has fired just now or not.
    """
    cooldown = target.cooldown_at(now_ns)
    # What was added since counts as part of the next step: the need is reconstructed from before.
    base = cooldown.before if cooldown is not None and cooldown.is_out else capacity
    proposals = Proposals()
    fired_low: dict[str, Firing] = {}
    for firing in firings:
        alarm, tracking, step = firing.alarm, firing.policy.spec.tracking, firing.policy.spec.step
        if alarm.value is None:
            proposals.idle.append((firing, "the alarm's metric has no datapoint"))
        elif step is not None:
            _propose_step(proposals, firing, step, alarm.value, capacity, base)
        elif tracking is not None and alarm.name == firing.policy.alarm_low:
            fired_low[firing.policy.spec.name] = firing
        elif tracking is not None and not capacity and not questions.tracking_leaves_zero:
            proposals.idle.append((firing, "target tracking does not leave zero instances"))
        elif tracking is not None:
            wanted = tracked(base, alarm.value, tracking.target)
            if wanted > capacity:
                proposals.outs.append(Proposal(wanted, firing))
            elif base == capacity:  # else the cooldown says why
                proposals.idle.append((firing, f"the metric, {alarm.value:g}, asks for no more"))
    if agreed := _agreed_in(target, capacity, fired_low, lows, questions):
        proposals.ins.append(largest(agreed))
    if cooldown is not None and not cooldown.is_out:
        proposals.ins.clear()
    return proposals


def largest(proposals: list[Proposal]) -> Proposal:
    """The one that wins: the largest capacity; of equals the first."""
    return max(proposals, key=lambda proposal: proposal.capacity)


def why_not(target: ScalableTarget, capacity: int, proposal: Proposal, *, is_out: bool) -> NotScaledReason:
    """Why a proposal changes nothing once it is cut to the target's limits."""
    if is_out:
        return NotScaledReason(AT_MAX, max_capacity=target.max_capacity)
    if capacity <= target.min_capacity:
        return NotScaledReason(AT_MIN, min_capacity=target.min_capacity)
    if proposal.firing.policy.spec.tracking is not None:
        return NotScaledReason(FLAPPING)  # one instance less, and the metric would be above its target
    return NotScaledReason(AT_DESIRED, current_capacity=capacity)


def _propose_step(proposals: Proposals, firing: Firing, step: StepSpec, value: float, capacity: int, base: int) -> None:
    alarm = firing.alarm
    wanted = stepped(step, capacity, value, alarm.threshold, is_alarm_above=alarm.is_breached_above)
    if wanted is None:
        distance = value - alarm.threshold
        proposals.idle.append((firing, f"no step adjustment for metric value {value:g}, breach delta {distance:g}"))
        return
    if wanted <= capacity:
        proposals.ins.append(Proposal(wanted, firing))
        return
    from_base = stepped(step, base, value, alarm.threshold, is_alarm_above=alarm.is_breached_above)
    if from_base is not None and from_base > capacity:
        proposals.outs.append(Proposal(from_base, firing))


def _tracked_in(capacity: int, value: float, tracking: TrackingSpec, questions: OpenQuestions) -> int:
    if not capacity:
        return 0
    wanted = tracked(capacity, value, tracking.target)
    return max(wanted, capacity - 1) if questions.scale_in == "one_step" else wanted


def _agreed_in(
    target: ScalableTarget,
    capacity: int,
    fired: Mapping[str, Firing],
    lows: Mapping[str, Alarm],
    questions: OpenQuestions,
) -> list[Proposal]:
    """What each tracking policy that may scale in would scale in to; empty unless one has fired and all agree."""
    scaling_in = [policy for policy in target.policies.values() if policy.alarm_low is not None]
    if not fired or any(policy.spec.name not in fired and policy.spec.name not in lows for policy in scaling_in):
        return []
    proposals = []
    for policy in scaling_in:
        name = policy.spec.name
        firing = fired[name] if name in fired else Firing(policy, replace(lows[name]))
        tracking, value = policy.spec.tracking, firing.alarm.value
        if tracking is None or value is None:
            return []
        proposals.append(Proposal(_tracked_in(capacity, value, tracking, questions), firing))
    return proposals
