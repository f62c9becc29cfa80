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
from pydantic import BaseModel, ConfigDict, computed_field

from smbench.analysis.capacity.instances import Capacity, measured_from_ns
from smbench.analysis.capacity.scaling import ScalingStep, delays
from smbench.analysis.capacity.system import System
from smbench.analysis.capacity.timeline import Timeline
from smbench.analysis.numbers.bounds import Bounded, Distribution, distribution
from smbench.analysis.numbers.known import Missing, known, ratio, then, why_unknown
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.deadline import TTL
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown

Instants = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]

WINDOW_MIN_S = 60.0  # a shorter one makes demand toggle
SOON_UNDONE_S = 900.0  # beside twice the reaction: fifteen minutes are what an idle alarm takes
_STEP_NS = 1_000_000_000
_NO_TIME, _NONE_SERVED, _NONE_NEEDED = "the run took no time", "no instance served", "no instance was needed"
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
    idle_share: float | Missing  # omega_O: too many, over those that served
    under_time_share: float  # tau_U: of the time, with too few
    over_time_share: float  # tau_O
    under_time_share_needed: float | Missing  # the same two over the time in which any was needed
    over_time_share_needed: float | Missing
    instability: float | Missing  # upsilon: of the seconds, those in which supply and need went different ways
    jitter_per_hour: float | Missing  # changes of supply less changes of need: above zero it moves more than it must
    reaction: Distribution  # from too few to enough, each time

    @computed_field  # type: ignore[prop-decorator]  # mypy has no decorated properties
    @property
    def why_no_instability(self) -> str:
        """For JSON: nor jitter."""
        return why_unknown(self.instability)


class Elasticity(BaseModel):
    """How capacity followed load."""

    model_config = ConfigDict(frozen=True)

    instances_mean: float
    instances_max: int
    provisioning: Provisioning | Missing
    detection_s: float | Missing  # from breach to decision, the mean of the scale-outs
    provision_s: float | Missing  # from decision to capacity that serves, likewise
    utilisation: float | Missing  # slot-seconds worked over those there were
    throughput_hz: float | Missing  # completions over time
    throughput_bound_hz: float | Missing  # all slots always busy
    time_to_drain: Bounded | Missing  # from the peak of the backlog until it fitted into the slots
    drain_bound_s: float | Missing  # after the last send, had every slot been busy
    drain_efficiency: float | Missing  # that over the time it took
    backlog_area_s: float | Missing  # request-seconds waited for a slot
    oscillations: int  # scale-ins soon undone
    oscillations_per_hour: float | Missing
    oscillation_window_s: float
    hole_s: float  # with requests in the system and no instance serving
    hole_longest_s: float
    hole_at_s: float | None  # where the longest began; None: there was none

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def why_no_provisioning(self) -> str:
        """For JSON."""
        return why_unknown(self.provisioning)


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Instances needed at each second."""

    at_ns: Instants
    instances: Counts


def elasticity(
    frames: Frames, capacity: Capacity, course: Timeline, system: System, steps: Sequence[ScalingStep]
) -> Elasticity:
    """How the instances of a run followed its load, from the first measured phase to the end of the run.

    Args:
        capacity, course: Those of `system`, which are known.
    """
    start_ns, concurrency = measured_from_ns(frames), system.concurrency
    length_s = (capacity.end_ns - start_ns) / 1e9
    measured = course.since(start_ns)
    serving_s = capacity.instance_s(capacity.serving, start_ns)
    slots_s = then(concurrency, lambda at_once: at_once * serving_s)
    service_s = then(system.slots, lambda one: one.service_mean_s)
    detection_s, provision_s = (_mean_s(each) for each in delays(steps))
    reaction_s = sum(known(each) or 0.0 for each in (detection_s, provision_s))
    window_s = 2 * reaction_s + SOON_UNDONE_S
    oscillations = len(soon_undone(steps, window_s))
    is_hole = (measured.backlog > 0) & (measured.serving == 0)
    longest_s, hole_at_s = measured.longest(is_hole)
    drain = _drain(frames, course, concurrency, service_s)
    achieved_hz = ratio(_n_completed(frames, start_ns), length_s, _NO_TIME)
    bound_hz = ratio(ratio(slots_s, service_s, "requests took no time"), length_s, _NO_TIME)
    return Elasticity(
        instances_mean=serving_s / length_s if length_s > 0 else float(capacity.serving[-1]),
        instances_max=int(capacity.serving.max()),
        provisioning=_provisioning(frames, capacity, concurrency, service_s, reaction_s),
        detection_s=detection_s,
        provision_s=provision_s,
        utilisation=ratio(then(system.slots, lambda one: one.busy_s(start_ns)), slots_s, _NONE_SERVED),
        throughput_hz=achieved_hz,
        throughput_bound_hz=then(system.slots, lambda one: possible_hz(achieved_hz, bound_hz, *one.n_with_service)),
        time_to_drain=then(concurrency, lambda at_once: _time_to_drain(course, _peak_ns(measured), at_once)),
        drain_bound_s=then(drain, lambda one: one.bound_s),
        drain_efficiency=then(drain, lambda one: ratio(one.bound_s, one.took_s, _NO_TIME)),
        backlog_area_s=then(concurrency, lambda at_once: _area_s(measured, at_once)),
        oscillations=oscillations,
        oscillations_per_hour=ratio(oscillations * 3600, length_s, _NO_TIME),
        oscillation_window_s=window_s,
        hole_s=float(measured.lengths_s[is_hole].sum()),
        hole_longest_s=longest_s,
        hole_at_s=hole_at_s,
    )


def _mean_s(delays_s: Sequence[float]) -> float | Unknown:
    return sum(delays_s) / len(delays_s) if delays_s else Unknown("of no scale-out both instants are known")


def possible_hz(achieved_hz: float | Unknown, bound_hz: float | Unknown, n_known: int, n: int) -> float | Unknown:
    """The bound on the throughput, where what was achieved does not prove it wrong.

    Args:
        achieved_hz: Completions over time.
        bound_hz: Of all slots, at the mean service of the requests whose service is known.
        n_known: How many these are.
        n: Of how many that completed.
    """
    if isinstance(bound_hz, Unknown) or isinstance(achieved_hz, Unknown):
        return bound_hz
    if 2 * n_known < n:
        return Unknown(
            f"the service time is known of {n_known:,} of {n:,} requests only, and the rest may be unlike them"
        )
    if achieved_hz > bound_hz * (1 + _EPSILON):
        return Unknown(
            f"more was achieved than slots could do at the mean service, known of {n_known:,} of {n:,} requests: "
            "the others were faster, or there were more slots"
        )
    return bound_hz


def demand(frames: Frames, service_s: float, concurrency: int, window_s: float) -> Demand:
    """Instances that would keep pace with what came in the window before each second of a run."""
    came = only(frames.requests, pl.col("accepted"), pl.coalesce("recv_ns", "send_ns")).to_series()
    came_ns = ascending(came.to_numpy())
    at_ns = np.arange(measured_from_ns(frames), frames.end_ns + 1, _STEP_NS, dtype=np.int64)
    n_upto = np.searchsorted(came_ns, at_ns, side="right")
    n_before = np.searchsorted(came_ns, at_ns - round(window_s * 1e9), side="right")
    load = (n_upto - n_before) / window_s * service_s / concurrency
    return Demand(at_ns, np.ceil(load - _EPSILON).astype(np.int64))


def soon_undone(steps: Sequence[ScalingStep], window_s: float) -> list[ScalingStep]:
    """Scale-ins that a scale-out followed within the window."""
    return [
        step
        for step, after in itertools.pairwise(steps)
        if step.before is not None
        and step.after < step.before
        and after.is_out
        and after.decided_at_s - step.decided_at_s <= window_s
    ]


def _provisioning(
    frames: Frames,
    capacity: Capacity,
    concurrency: int | Unknown,
    service_s: float | Unknown,
    reaction_s: float,
) -> Provisioning | Unknown:
    if isinstance(service_s, Unknown):
        return service_s
    if isinstance(concurrency, Unknown):
        return concurrency
    limit = frames.deadline
    patience_s = 0.0 if limit is None or limit.source == TTL else limit.seconds - service_s
    window_s = max(WINDOW_MIN_S, patience_s)
    needed = demand(frames, service_s, concurrency, window_s)
    if capacity.end_ns <= measured_from_ns(frames):
        return Unknown(_NO_TIME)
    need, supply = needed.instances, capacity.serving_at(needed.at_ns)
    under, over = (need - supply).clip(0), (supply - need).clip(0)
    n_needed = int((need >= 1).sum())
    changes = _changes(need, supply, window_s, reaction_s)
    return Provisioning(
        window_s=window_s,
        service_s=service_s,
        concurrency=concurrency,
        under_instances=float(under.mean()),
        over_instances=float(over.mean()),
        under_share=float((under / need.clip(1)).mean()),
        over_share=float((over / need.clip(1)).mean()),
        idle_share=ratio(float(over.sum()), float(supply.sum()), _NONE_SERVED),
        under_time_share=float((under > 0).mean()),
        over_time_share=float((over > 0).mean()),
        under_time_share_needed=ratio(int(((under > 0) & (need >= 1)).sum()), n_needed, _NONE_NEEDED),
        over_time_share_needed=ratio(int(((over > 0) & (need >= 1)).sum()), n_needed, _NONE_NEEDED),
        instability=then(changes, lambda both: _instability(*both)),
        jitter_per_hour=then(changes, lambda both: _jitter_per_hour(*both)),
        reaction=_reaction(needed.at_ns, under > 0),
    )


def _changes(need: Counts, supply: Counts, window_s: float, reaction_s: float) -> tuple[Counts, Counts] | Unknown:
    """The two series, where their changes can be compared."""
    if len(need) < 2:  # a change needs two
        return Unknown("the run was over within a second")
    if window_s < reaction_s:
        return Unknown(
            f"demand over {window_s:.0f} s changes faster than capacity can, which takes {reaction_s:.0f} s to react"
        )
    return need, supply


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


def _time_to_drain(course: Timeline, peak_ns: int | None, concurrency: int) -> Bounded | Unknown:
    if peak_ns is None:
        return Unknown("no request was in the system")
    after = course.since(peak_ns)
    fits = np.flatnonzero(after.backlog <= concurrency * after.serving)
    if not len(fits):
        return Bounded(low=int(after.knots_ns[-1] - peak_ns) / 1e9, high=None)
    return Bounded.exactly(int(after.knots_ns[fits[0]] - peak_ns) / 1e9)


@dataclass(frozen=True, slots=True)
class _Drain:
    """After the last send: the least time in which all slots could have done the rest, and the time it took."""

    bound_s: float
    took_s: float


def _drain(
    frames: Frames, course: Timeline, concurrency: int | Unknown, service_s: float | Unknown
) -> _Drain | Unknown:
    """Unknown where nothing waited then: what is left is one service time."""
    if isinstance(service_s, Unknown):
        return service_s
    if isinstance(concurrency, Unknown):
        return concurrency
    accepted = only(frames.requests, pl.col("accepted"), "send_ns", "done_ns")
    last_send_ns, last_end_ns = accepted["send_ns"].max(), accepted["done_ns"].max()
    if not isinstance(last_send_ns, int) or not isinstance(last_end_ns, int) or accepted["done_ns"].null_count():
        return Unknown("some requests had no end when the run was over")
    after = course.since(last_send_ns)
    if not service_s or after.backlog[0] <= concurrency * after.serving[0]:
        return Unknown("no request waited for a slot when the last was sent")
    speeds_hz = concurrency * after.serving / service_s
    done = np.concatenate([[0.0], np.cumsum(speeds_hz * after.lengths_s)])
    rest = float(after.backlog[0])
    if done[-1] < rest:  # the utilisation says so too
        return Unknown("more requests ended than the slots could serve")
    last = int(np.searchsorted(done, rest)) - 1  # in this entry the rest is done
    bound_s = float((after.knots_ns[last] - last_send_ns) / 1e9 + (rest - done[last]) / speeds_hz[last])
    took_s = (last_end_ns - last_send_ns) / 1e9
    if bound_s > took_s * (1 + _EPSILON):
        return Unknown("the rest was done faster than all slots could at the mean service: its own was shorter")
    return _Drain(bound_s, took_s)


def _n_completed(frames: Frames, start_ns: int) -> int:
    is_it = (pl.col("outcome") == Outcome.COMPLETED.value) & (pl.col("done_ns") >= start_ns)
    return only(frames.requests, is_it, "seq").height
