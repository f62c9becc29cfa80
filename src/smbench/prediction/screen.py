"""A fluid of requests through many policies at once: which of them are worth an exact look.

Ticks of ten seconds, minutes of six; every policy is a place in arrays. Requests are a fluid, instances come after the
mean time, alarms act on the minute. It ranks loaded endpoints well and says little of queues that chance alone makes;
what it does not know (step policies of a user's own) is not screened (docs/methods.md#screening-policies).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smbench.scenario.emulated import Emulated

TICK_S = 10.0
TICKS_A_MINUTE = 6
SAMPLE = 400  # requests whose latency is looked at, evenly among all
KEPT_WITHIN = 1.3  # of the front, on either axis
AT_RANDOM = 0.05  # of the others, for what the fluid gets wrong

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fluid:
    """What the fluid says of each policy.

    Args:
        instance_s: Instance-seconds.
        latency_s: A row a policy: of `SAMPLE` requests, from due to done.
    """

    instance_s: Floats
    latency_s: Floats


def is_screened(emulated: Emulated) -> bool:
    """Whether the fluid knows the policies of an endpoint: at most one tracking, one step from zero, no other."""
    tracking = [one for one in emulated.policies if one.target_tracking is not None]
    from_zero = [one for one in emulated.policies if one.step_from_zero is not None]
    return len(tracking) <= 1 and len(from_zero) <= 1 and len(tracking) + len(from_zero) == len(emulated.policies)


def worth_a_look(cost: Floats, badness: Floats, within: float, *, at_random: float = 0.0) -> NDArray[np.bool_]:
    """Those that no other beats by this factor on both axes, and a share of the rest, always the same.

    Args:
        badness: Of what matters, smaller is better.
    """
    order = np.argsort(cost, kind="stable")
    best = np.minimum.accumulate(badness[order])  # among those that cost at most as much
    place = np.searchsorted(cost[order], cost / within, side="right") - 1
    rival = np.where(place >= 0, best[np.maximum(place, 0)], np.inf)
    kept: NDArray[np.bool_] = ~(rival * within < badness)
    if at_random:
        kept |= np.random.default_rng(0).random(len(cost)) < at_random
    return kept


class _Policies:
    """The settings of each policy as arrays."""

    def __init__(self, points: Sequence[Emulated]) -> None:
        def each(read: object) -> Floats:
            return np.array([read(one) for one in points], dtype=np.float64)  # type: ignore[operator]

        tracking = [next((p.target_tracking for p in one.policies if p.target_tracking), None) for one in points]
        from_zero = [next((p.step_from_zero for p in one.policies if p.step_from_zero), None) for one in points]
        self.low, self.high = each(lambda one: one.instances.min), each(lambda one: one.instances.max)
        self.slots = each(lambda one: one.instances.concurrency)
        self.start = np.maximum(each(lambda one: one.instances.at_start), self.low)
        self.target = np.array([np.inf if one is None else one.backlog_per_instance for one in tracking])
        self.scales_in = np.array([one is not None and not one.disable_scale_in for one in tracking])
        self.out_s = np.array([0.0 if one is None else one.out_cooldown for one in tracking])
        self.in_s = np.array([0.0 if one is None else one.in_cooldown for one in tracking])
        self.add = np.array([0.0 if one is None else float(one.add) for one in from_zero])
        self.minutes = np.array([np.inf if one is None else float(one.minutes) for one in from_zero])


def fluid(
    points: Sequence[Emulated], sched_s: Floats, service_s: float, provision_s: float, reaction_s: float, end_s: float
) -> Fluid:
    """Every policy over the whole load.

    Args:
        sched_s: When requests are due, ascending; not empty.
        service_s: The mean service time.
        provision_s: The mean from a decision to capacity.
        reaction_s: From the end of a minute to the decision.
        end_s: When the load is over.
    """
    policies, questions = _Policies(points), points[0].open_questions
    n_ticks = int(np.ceil((max(end_s, float(sched_s[-1])) + 1) / TICK_S)) + 1
    arrived = np.histogram(sched_s, np.arange(n_ticks + 1) * TICK_S)[0].astype(np.float64)
    n = len(points)
    serving, desired = policies.start.copy(), policies.start.copy()
    ready_at, free_at = np.full(n, np.inf), np.zeros(n)
    backlog, area = np.zeros(n), np.zeros(n)
    above, below, stranded = np.zeros(n), np.zeros(n), np.zeros(n)
    paid_s, departed = np.zeros(n), np.zeros((n_ticks + 1, n))
    for tick in range(n_ticks):
        now_s = tick * TICK_S
        is_ready = ready_at <= now_s
        serving, ready_at = np.where(is_ready, desired, serving), np.where(is_ready, np.inf, ready_at)
        gone = np.minimum(backlog + arrived[tick], policies.slots * serving * TICK_S / service_s)
        area += backlog + arrived[tick] / 2 - gone / 2
        backlog += arrived[tick] - gone
        departed[tick + 1] = departed[tick] + gone
        paid_s += np.maximum(desired, serving) * TICK_S
        if (tick + 1) % TICKS_A_MINUTE:
            continue
        in_work = np.minimum(policies.slots * serving, arrived[tick] / TICK_S * service_s)
        seen = (area / TICKS_A_MINUTE + in_work) / np.maximum(serving, 1)
        area = np.zeros(n)
        above = np.where(seen > policies.target, above + 1, 0)
        below = np.where(seen < questions.tracking_low_share * policies.target, below + 1, 0)
        stranded = np.where((serving == 0) & (backlog > 0), stranded + 1, 0)
        may = ~np.isfinite(ready_at) & (free_at <= now_s)
        wanted = np.where(
            above >= questions.tracking_points_out, np.ceil(np.maximum(serving, 1) * seen / policies.target), 0
        )
        wanted = np.maximum(wanted, np.where(stranded >= policies.minutes, desired + policies.add, 0))
        wanted = np.minimum(wanted, policies.high)
        goes_out = may & (wanted > desired)
        goes_in = (
            may & ~goes_out & policies.scales_in & (below >= questions.tracking_points_in) & (desired > policies.low)
        )
        desired = np.where(goes_out, wanted, np.where(goes_in, desired - 1, desired))
        serving = np.where(goes_in, np.minimum(serving, desired), serving)
        ready_at = np.where(goes_out, now_s + reaction_s + provision_s, ready_at)
        free_at = np.where(
            goes_out, ready_at + policies.out_s, np.where(goes_in, now_s + reaction_s + policies.in_s, free_at)
        )
    return Fluid(paid_s, _latencies(departed, sched_s, service_s, policies.slots * np.maximum(serving, 1) / service_s))


def _latencies(departed: Floats, sched_s: Floats, service_s: float, drain_hz: Floats) -> Floats:
    """The k-th request leaves when k have left; what is left at the end drains at the last capacity."""
    places = np.unique(np.linspace(0, len(sched_s) - 1, SAMPLE).astype(np.int64))
    at_s = np.arange(len(departed)) * TICK_S
    latency_s = np.empty((departed.shape[1], len(places)))
    for policy in range(departed.shape[1]):
        left = departed[:, policy]
        out_s = np.interp(places + 0.5, left, at_s)  # when half of it has left
        out_s += np.maximum(places + 0.5 - left[-1], 0) / drain_hz[policy]
        latency_s[policy] = np.maximum(out_s - sched_s[places], 0) + service_s
    return latency_s
