"""Capacity against demand: too little, too much, too late, too often.

Shares are 0..1. What needs the service time, or the slots of an instance, is None where these are not known. For an
asynchronous endpoint too little capacity is no fault in itself: that it lets requests wait is what it is for. Look at
the latency first. Source: docs/methods.md#elasticity.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import Capacity, measured_from_ns
from smbench.analysis.capacity.scaling import ScalingStep, delays
from smbench.analysis.capacity.slots import Slots
from smbench.analysis.capacity.timeline import Timeline
from smbench.analysis.numbers.bounds import Bounded, Distribution, distribution
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.deadline import TTL, deadline
from smbench.analysis.rows.frames import Frames, only
from smbench.records import Outcome

Instants = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]

WINDOW_MIN_S = 60.0  # a shorter one makes demand toggle
SOON_UNDONE_S = 900.0  # beside twice the reaction: fifteen minutes are what an idle alarm takes
_STEP_NS = 1_000_000_000
_EPSILON = 1e-9  # of an instance: 60 arrivals a minute of 1 s each need one, not two


class Provisioning(BaseModel):
    """Instances that served against instances needed, sampled each second.

    Needed are the arrivals of a trailing window, per second, times the mean service, over the slots of an instance,
    rounded up: what would keep pace, whatever the backlog.
    """

    model_config = ConfigDict(frozen=True)

    window_s: float
    service_s: float
    concurrency: int
    under_instances: float  # a_U: too few, the mean over time
    over_instances: float  # a_O: too many
    under_share: float  # theta_U: too few, over those needed, at least one
    over_share: float  # theta_O: too many, likewise; large where little is needed, so see the next
    idle_share: float | None  # omega_O: too many, over those that served; None: none ever served
    under_time_share: float  # tau_U: of the time, with too few
    over_time_share: float  # tau_O
    under_time_share_needed: float | None  # the same two over the time in which any was needed
    over_time_share_needed: float | None
    instability: float | None  # upsilon: of the seconds, those in which supply and need went different ways
    jitter_per_hour: float | None  # changes of supply less changes of need: above zero it moves more than it must
    why_no_instability: str = ""  # nor jitter
    reaction: Distribution  # from too few to enough, each time


class Elasticity(BaseModel):
    """How capacity followed load."""

    model_config = ConfigDict(frozen=True)

    instances_mean: float
    instances_max: int
    provisioning: Provisioning | None
    why_no_provisioning: str = ""
    detection_s: float | None  # from breach to decision, the mean of the scale-outs
    provision_s: float | None  # from decision to capacity that serves, likewise
    utilisation: float | None  # slot-seconds worked over those there were
    throughput_hz: float | None  # completions over time; None: no time
    throughput_bound_hz: float | None  # all slots always busy
    time_to_drain: Bounded | None  # from the peak of the backlog until it fitted into the slots
    drain_bound_s: float | None  # after the last send, had every slot been busy
    drain_efficiency: float | None  # that over the time it took
    backlog_area_s: float | None  # request-seconds waited for a slot
    oscillations: int  # scale-ins soon undone
    oscillations_per_hour: float | None
    oscillation_window_s: float
    hole_s: float  # with requests in the system and no instance serving
    hole_longest_s: float
    hole_at_s: float | None  # where the longest began


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Instances needed at each second."""

    at_ns: Instants
    instances: Counts


def elasticity(
    frames: Frames,
    capacity: Capacity,
    concurrency: int | None,
    reckoned: Slots | str,
    course: Timeline,
    steps: Sequence[ScalingStep],
) -> Elasticity:
    """How the instances of a run followed its load, from the first measured phase to the end of the run."""
    start_ns = measured_from_ns(frames)
    length_s = (capacity.end_ns - start_ns) / 1e9
    service_s = None if isinstance(reckoned, str) else reckoned.service_mean_s
    serving_s = capacity.instance_s(capacity.serving, start_ns)
    busy_s = None if isinstance(reckoned, str) else reckoned.busy_s(start_ns)
    detection_s, provision_s = (sum(each) / len(each) if each else None for each in delays(steps))
    reaction_s = (detection_s or 0.0) + (provision_s or 0.0)
    window_s = 2 * reaction_s + SOON_UNDONE_S
    oscillations = n_oscillations(steps, window_s)
    why = reckoned if isinstance(reckoned, str) else "no request completed whose service is known"
    has_service = service_s is not None and concurrency is not None and length_s > 0
    measured = course.since(start_ns)
    is_hole = (measured.backlog > 0) & (measured.serving == 0)
    longest_s, hole_at_s = measured.longest(is_hole)
    bound_s, efficiency = _drain(frames, course, concurrency, service_s)
    slots_s = (concurrency or 0) * serving_s
    return Elasticity(
        instances_mean=serving_s / length_s if length_s > 0 else float(capacity.serving[-1]),
        instances_max=int(capacity.serving.max()),
        provisioning=_provisioning(frames, capacity, concurrency, service_s, start_ns, reaction_s)
        if has_service and concurrency is not None and service_s is not None
        else None,
        why_no_provisioning="" if has_service else why,
        detection_s=detection_s,
        provision_s=provision_s,
        utilisation=busy_s / slots_s if busy_s is not None and slots_s > 0 else None,
        throughput_hz=_n_completed(frames, start_ns) / length_s if length_s > 0 else None,
        throughput_bound_hz=slots_s / service_s / length_s if service_s and length_s > 0 else None,
        time_to_drain=_time_to_drain(course, _peak_ns(measured), concurrency),
        drain_bound_s=bound_s,
        drain_efficiency=efficiency,
        backlog_area_s=None if concurrency is None else _area_s(measured, concurrency),
        oscillations=oscillations,
        oscillations_per_hour=oscillations / length_s * 3600 if length_s > 0 else None,
        oscillation_window_s=window_s,
        hole_s=float(measured.lengths_s[is_hole].sum()),
        hole_longest_s=longest_s,
        hole_at_s=hole_at_s,
    )


def demand(frames: Frames, service_s: float, concurrency: int, window_s: float) -> Demand:
    """Instances that would keep pace with what came in the window before each second of a run."""
    came = only(frames.requests, pl.col("accepted"), pl.coalesce("recv_ns", "send_ns")).to_series()
    came_ns = ascending(came.to_numpy())
    at_ns = np.arange(measured_from_ns(frames), frames.end_ns + 1, _STEP_NS, dtype=np.int64)
    n_upto = np.searchsorted(came_ns, at_ns, side="right")
    n_before = np.searchsorted(came_ns, at_ns - round(window_s * 1e9), side="right")
    load = (n_upto - n_before) / window_s * service_s / concurrency
    return Demand(at_ns, np.ceil(load - _EPSILON).astype(np.int64))


def n_oscillations(steps: Sequence[ScalingStep], window_s: float) -> int:
    """Scale-ins that a scale-out followed within the window."""
    n = 0
    for step, after in itertools.pairwise(steps):
        is_in = step.before is not None and step.after < step.before
        n += is_in and after.is_out and after.decided_at_s - step.decided_at_s <= window_s
    return n


def _provisioning(
    frames: Frames, capacity: Capacity, concurrency: int, service_s: float, start_ns: int, reaction_s: float
) -> Provisioning:
    limit = deadline(frames.manifest.scenario)
    patience_s = 0.0 if limit is None or limit.source == TTL else limit.seconds - service_s
    window_s = max(WINDOW_MIN_S, patience_s)
    needed = demand(frames, service_s, concurrency, window_s)
    need, supply = needed.instances, capacity.serving_at(needed.at_ns)
    under, over = (need - supply).clip(0), (supply - need).clip(0)
    is_needed = need >= 1
    why = _why_no_instability(len(need), window_s, reaction_s)
    return Provisioning(
        window_s=window_s,
        service_s=service_s,
        concurrency=concurrency,
        under_instances=float(under.mean()),
        over_instances=float(over.mean()),
        under_share=float((under / need.clip(1)).mean()),
        over_share=float((over / need.clip(1)).mean()),
        idle_share=float(over.sum() / supply.sum()) if supply.any() else None,
        under_time_share=float((under > 0).mean()),
        over_time_share=float((over > 0).mean()),
        under_time_share_needed=float((under > 0)[is_needed].mean()) if is_needed.any() else None,
        over_time_share_needed=float((over > 0)[is_needed].mean()) if is_needed.any() else None,
        instability=None if why else _instability(need, supply),
        jitter_per_hour=None if why else _jitter_per_hour(need, supply),
        why_no_instability=why,
        reaction=_reaction(needed.at_ns, under > 0),
    )


def _why_no_instability(n_samples: int, window_s: float, reaction_s: float) -> str:
    if n_samples < 2:  # a change needs two
        return "the run was over within a second"
    if window_s < reaction_s:
        return f"demand over {window_s:.0f} s changes faster than capacity can, which takes {reaction_s:.0f} s to react"
    return ""


def _instability(need: Counts, supply: Counts) -> float:
    """Of the steps between samples, those in which the signs of the two changes differ."""
    return float((np.sign(np.diff(supply)) != np.sign(np.diff(need))).mean())


def _jitter_per_hour(need: Counts, supply: Counts) -> float:
    """Samples are a second apart."""
    changes = np.count_nonzero(np.diff(supply)) - np.count_nonzero(np.diff(need))
    return float(changes * 3600 / (len(need) - 1))


def _reaction(at_ns: Instants, is_under: npt.NDArray[np.bool_]) -> Distribution:
    """How long each time of too few lasted; one that goes on at the end is longer than that."""
    edges = np.diff(is_under.astype(np.int8), prepend=0)
    began_ns, over_ns = at_ns[edges == 1], at_ns[edges == -1]
    known_s = (over_ns - began_ns[: len(over_ns)]) / 1e9
    return distribution(known_s, censored_s=(at_ns[-1] - began_ns[len(over_ns) :]) / 1e9)


def _area_s(course: Timeline, concurrency: int) -> float:
    return float(np.sum((course.backlog - concurrency * course.serving).clip(0) * course.lengths_s))


def _peak_ns(course: Timeline) -> int | None:
    return int(course.knots_ns[course.backlog.argmax()]) if course.backlog.any() else None


def _time_to_drain(course: Timeline, peak_ns: int | None, concurrency: int | None) -> Bounded | None:
    if peak_ns is None or concurrency is None:
        return None
    after = course.since(peak_ns)
    fits = np.flatnonzero(after.backlog <= concurrency * after.serving)
    if not len(fits):
        return Bounded(low=int(after.knots_ns[-1] - peak_ns) / 1e9, high=None)
    return Bounded.exactly(int(after.knots_ns[fits[0]] - peak_ns) / 1e9)


def _drain(
    frames: Frames, course: Timeline, concurrency: int | None, service_s: float | None
) -> tuple[float | None, float | None]:
    """After the last send: the least time in which all slots could have done the rest, and that over the time taken.

    Neither where nothing waited then: what is left is one service time.
    """
    accepted = only(frames.requests, pl.col("accepted"), "send_ns", "done_ns")
    last_send_ns, last_end_ns = accepted["send_ns"].max(), accepted["done_ns"].max()
    if not isinstance(last_send_ns, int) or not isinstance(last_end_ns, int) or accepted["done_ns"].null_count():
        return None, None
    after = course.since(last_send_ns)
    if not service_s or concurrency is None or after.backlog[0] <= concurrency * after.serving[0]:
        return None, None
    speeds_hz = concurrency * after.serving / service_s
    done = np.concatenate([[0.0], np.cumsum(speeds_hz * after.lengths_s)])
    rest = float(after.backlog[0])
    if done[-1] < rest:
        return None, None  # more was done than there were slots for: the utilisation says so too
    last = int(np.searchsorted(done, rest)) - 1  # in this entry the rest is done
    bound_s = float((after.knots_ns[last] - last_send_ns) / 1e9 + (rest - done[last]) / speeds_hz[last])
    took_s = (last_end_ns - last_send_ns) / 1e9
    return bound_s, bound_s / took_s if took_s > 0 else None


def _n_completed(frames: Frames, start_ns: int) -> int:
    is_it = (pl.col("outcome") == Outcome.COMPLETED.value) & (pl.col("done_ns") >= start_ns)
    return only(frames.requests, is_it, "seq").height
