"""What is notable in how the endpoint behaved. It says nothing of whether the run may be believed: checks do.

A detector is a function from the run to an Observation, or to None where there is nothing to tell or nothing to tell
it from.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl

from smbench import units
from smbench.analysis.capacity.alarm_facts import alarms_without_data, on_before
from smbench.analysis.capacity.elasticity import soon_undone
from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.capacity.overload import overloads
from smbench.analysis.capacity.policy_facts import is_woken
from smbench.analysis.capacity.scaling import ScalingStep
from smbench.analysis.capacity.timeline import Timeline
from smbench.analysis.numbers.known import known, then
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.observations import Observation, Seen
from smbench.analysis.report_detectors import (
    coarse_times,
    container_failures,
    expired_requests,
    failed_requests,
    notification_loss,
    refused_submissions,
    unanswered_submissions,
    unknown_ends,
    warm_up_not_over,
    wrong_answers,
)
from smbench.analysis.rows.columns import ended_as, only, without_nulls
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown, is_throttle

HOLE_MIN_S = 10.0  # shorter than two looks at the endpoint it may not have been
STALL_MIN_S = 30.0
STALL_SERVICES = 5.0  # times a long service (p95: what stalled is a service too) without any end
STALL_UNKNOWN_S = 120.0  # where the service is not known
STUCK_MIN_S = 600.0  # from zero a scale-out is decided within some five minutes
UTILISATION_MAX = 1.02  # more proves slots or instances wrong (docs/methods.md#elasticity)
CONCURRENCY_MARGIN = 0.3
CONCURRENCY_MIN = 30  # requests of either kind
JUDGED_WITHIN_S = 240.0  # the rest of a minute, a metric's delay of two, and the alarm's second
SPREAD_MIN = 0.05  # as a share: less is lost in the spread of the work itself
_QUOTA = re.compile(r"limit|quota|exceed|insufficient|capacity is not available|capacity error", re.IGNORECASE)


def detect(seen: Seen) -> tuple[Observation, ...]:
    """Everything notable, in the order of `DETECTORS`."""
    return tuple(found for one in DETECTORS if (found := _found(one, seen)) is not None)


def _found(one: "Detector", seen: Seen) -> Observation | None:
    try:
        return one(seen)
    except Exception as error:  # noqa: BLE001  # a report must not be lost to a bug in what adorns it
        return Observation(
            name=one.__name__.replace("_", " "),
            seen=f"its detector crashed: {type(error).__name__}: {error}",
            advice="report this as a bug in smbench, with the results folder",
        )


# ---- capacity -------------------------------------------------------------------------------------------------


def capacity_hole(seen: Seen) -> Observation | None:
    """Requests waited and no instance served, for at least `HOLE_MIN_S` at a stretch."""
    figures = seen.elasticity
    if isinstance(figures, Unknown) or figures.hole_longest_s < HOLE_MIN_S or figures.hole_at_s is None:
        return None
    rest = "" if figures.hole_s - figures.hole_longest_s < 1 else f", {units.duration(figures.hole_s)} in all"
    return Observation(
        name="capacity hole",
        seen=f"for {units.duration(figures.hole_longest_s)} requests waited and no instance served{rest}",
        advice="keep one instance (MinCapacity 1), or shorten what it takes to wake: the alarm's periods, the image",
        at_s=figures.hole_at_s,
    )


def stuck_at_zero(seen: Seen) -> Observation | None:
    """Requests waited for ten minutes or more while the auto-scaler asked for no instance."""
    course = seen.system.course
    if isinstance(course, Unknown):
        return None
    longest_s, at_s = course.longest((course.backlog > 0) & (course.serving == 0) & (course.desired == 0))
    if longest_s < STUCK_MIN_S:
        return None
    return Observation(
        name="stuck at zero",
        seen=f"for {units.duration(longest_s)} requests waited, no instance served and none was asked for",
        advice="a policy has an alarm that should wake it: see why the alarm did not act, such as a minute in which "
        "the backlog was empty for a moment (HasBacklogWithoutCapacity is then below 1 on average)"
        if is_woken(seen.frames.manifest.target)
        else "add a step policy on HasBacklogWithoutCapacity; target tracking may not leave zero by itself",
        at_s=at_s,
    )


def alarm_without_data(seen: Seen) -> Observation | None:
    """An alarm of a scaling policy that watches what the endpoint never publishes."""
    found = alarms_without_data(seen.frames.manifest.target)
    if not found:
        return None
    return Observation(
        name="alarm without data",
        seen="; ".join(found),
        advice="name ApproximateBacklogSizePerInstance or HasBacklogWithoutCapacity, with EndpointName alone",
    )


def scale_in_amid_work(seen: Seen) -> Observation | None:
    """A scale-in left fewer slots than there were requests in the system; and whether its alarm had seen them."""
    course = seen.system.course
    if isinstance(course, Unknown):
        return None
    found = _left_too_few(seen, course)
    if not found:
        return None
    was_on = [alarm.get("AlarmName") for alarm in on_before(seen.frames.manifest.target)]
    old = [one for one in found if _judged_before(one[0], one[2], was_on)]
    step, inside, began_s = (old or found)[0]
    there = units.counted(inside, "request")
    what = f"{units.counted(len(found), 'time')}, first {step.before} -> {step.after} instances with {there} there"
    if not old:
        advice = "raise the scale-in cooldown or lower the target: what is left is more than those that stay can hold"
        return Observation(name="scale-in during work", seen=what, advice=advice, at_s=step.decided_at_s)
    alarm = step.alarm_kind
    when = "before the run" if step.alarm_at_s is None else f"at {units.duration(step.alarm_at_s)}"
    return Observation(
        name="scale-in during work",
        seen=f"{what}; {alarm}'s points are from before the load, which had begun "
        f"{units.duration(step.decided_at_s - began_s)} earlier: the alarm went off {when}",
        advice=f"begin a load while {alarm} is OK or once MinCapacity is reached: pause for less than the minutes that "
        "it judges, or for much longer; or raise MinCapacity, or switch scaling in off (DisableScaleIn); another "
        "cooldown or target does not help against this",
        at_s=step.decided_at_s,
    )


def _left_too_few(seen: Seen, course: Timeline) -> list[tuple[ScalingStep, int, float]]:
    """Scale-ins that left fewer slots than requests: the step, the requests, and when that work began, seconds."""
    began_ns, over_ns = course.spells_ns(course.backlog > 0)
    at_once = known(seen.system.concurrency) or 1
    found: list[tuple[ScalingStep, int, float]] = []
    for step in seen.steps:
        at_ns = round(step.decided_at_s * 1e9)
        inside = int(course.since(at_ns).backlog[0])
        if step.before is not None and step.after < step.before and inside > step.after * at_once:
            spell = np.flatnonzero((began_ns <= at_ns) & (at_ns < over_ns))
            found.append((step, inside, int(began_ns[spell[-1]]) / 1e9 if len(spell) else step.decided_at_s))
    return found


def _judged_before(step: ScalingStep, began_s: float, on_before_the_run: Sequence[str | None]) -> bool:
    """Whether what set a step off was known before this work came: the alarm was on, and had no time to see it."""
    if not step.policy or step.decided_at_s - began_s > JUDGED_WITHIN_S:
        return False
    if step.alarm_at_s is None:
        return any(name is not None and name in step.cause for name in on_before_the_run)
    return step.alarm_at_s < began_s or (step.judged_until_s is not None and step.judged_until_s <= began_s)


def overload(seen: Seen) -> Observation | None:
    """Of several phases the one in which most was left waiting."""
    course, concurrency = seen.system.course, seen.system.concurrency
    if isinstance(course, Unknown):
        return None
    slots = 1 if isinstance(concurrency, Unknown) else concurrency
    worst = max(overloads(seen.frames, course, slots), key=lambda one: one.backlog, default=None)
    if worst is None:
        return None
    return Observation(name="overload", seen=worst.seen, advice=worst.advice, at_s=worst.at_s)


def oscillation(seen: Seen) -> Observation | None:
    """A scale-out followed a scale-in within the window of `Elasticity.oscillation_window_s`; dated from the first."""
    figures = seen.elasticity
    if isinstance(figures, Unknown) or not (undone := soon_undone(seen.steps, figures.oscillation_window_s)):
        return None
    what = units.counted(len(undone), "scale-in was", "scale-ins were")
    return Observation(
        name="oscillation",
        seen=f"{what} undone within {units.duration(figures.oscillation_window_s)}",
        advice="a backlog target drains, scales in and overloads again: raise the scale-in cooldown or MinCapacity",
        at_s=undone[0].decided_at_s,
    )


def ceiling(seen: Seen) -> Observation | None:
    """Capacity that was wanted and not to be had: the account's quota, AWS's stock, or the target's own MaxCapacity."""
    is_activity = pl.col("kind") == "scaling_activity"
    activities = seen.frames.events.filter(is_activity).sort("at_ns", "seen_ns", "name").to_dicts()
    told = [(activity, _detail(activity["detail"])) for activity in activities]
    return _refused(told) or _short_of_desired(seen) or _at_max(told)


def _refused(activities: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Observation | None:
    """The first activity that failed for a quota, or for want of instances."""
    for activity, detail in activities:
        message = str(detail.get("StatusMessage") or "")
        if activity["state"] == "Failed" and _QUOTA.search(f"{message} {activity['cause']}"):
            return Observation(
                name="quota ceiling",
                seen=f"a scaling activity failed: {' '.join(message.split())[:300]}",
                advice="ask for a higher quota of this instance type, or use another",
                at_s=activity["at_ns"] / 1e9,
            )
    return None


def scaling_failed(seen: Seen) -> Observation | None:
    """Activities that failed for another reason than those that `ceiling` knows, in the words of the first."""
    is_it = (pl.col("kind") == "scaling_activity") & (pl.col("state") == "Failed") & pl.col("after").is_not_null()
    failed = seen.frames.events.filter(is_it).unique("name", keep="last").sort("at_ns", "name").to_dicts()
    told = [(one, str(_detail(one["detail"]).get("StatusMessage") or "")) for one in failed]
    others = [(one, message) for one, message in told if not _QUOTA.search(f"{message} {one['cause']}")]
    if not others:
        return None
    first, message = others[0]
    activities = units.counted(len(others), "scaling activity", "scaling activities")
    return Observation(
        name="scaling failed",
        seen=f"{activities} failed: {' '.join(message.split())[:300] or 'Application Auto Scaling does not say why'}",
        advice="the log of the endpoint's containers says why instances did not come up",
        at_s=first["at_ns"] / 1e9,
    )


def _at_max(activities: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Observation | None:
    """The first activity that MaxCapacity held back."""
    for activity, detail in activities:
        reasons = [reason.get("Code") or reason.get("code") for reason in detail.get("NotScaledReasons") or ()]
        if "AlreadyAtMaxCapacity" in reasons:
            return Observation(
                name="at MaxCapacity",
                seen="the policy wanted more instances than MaxCapacity allows",
                advice="raise MaxCapacity if the latency is too high; it bounds the cost as well",
                at_s=activity["at_ns"] / 1e9,
            )
    return None


def _short_of_desired(seen: Seen) -> Observation | None:
    course = seen.system.course
    if isinstance(course, Unknown):
        return None
    longest_s, at_s = course.longest(course.serving < course.desired)
    usual_s = max((delay for step in seen.steps if (delay := step.provisioning_s)), default=0.0)
    if longest_s < max(2 * usual_s, 2 * STUCK_MIN_S):
        return None
    return Observation(
        name="quota ceiling",
        seen=f"for {units.duration(longest_s)} fewer instances served than were desired",
        advice="look at the endpoint's scaling activities: a quota, or no instances of this type to be had",
        at_s=at_s,
    )


# ---- work -----------------------------------------------------------------------------------------------------


def stall(seen: Seen) -> Observation | None:
    """More requests than slots, and no end: the longest time of that. A long job alone is no stall."""
    course = seen.system.course
    if isinstance(course, Unknown) or not len(course.backlog):
        return None
    slots = 1 if isinstance(seen.system.concurrency, Unknown) else seen.system.concurrency
    knots_ns, at_work = course.knots_ns, (course.serving > 0) & (course.backlog > slots * course.serving)
    begins = np.diff(at_work.astype(np.int8), prepend=0) == 1
    since_ns = np.maximum.accumulate(np.where(begins, knots_ns[:-1], np.iinfo(np.int64).min))
    ended_ns = ascending(without_nulls(seen.frames.requests["done_ns"]).to_numpy())
    if len(ended_ns):
        place = np.searchsorted(ended_ns, knots_ns[:-1], side="right") - 1
        since_ns = np.maximum(since_ns, np.where(place >= 0, ended_ns[place.clip(0)], since_ns))
    lengths_ns = np.where(at_work, knots_ns[1:] - np.where(at_work, since_ns, knots_ns[1:]), 0)
    longest = int(lengths_ns.argmax())
    longest_s, long_service = int(lengths_ns[longest]) / 1e9, seen.service.p95
    limit_s = STALL_UNKNOWN_S if long_service is None else max(STALL_MIN_S, STALL_SERVICES * long_service.low)
    if longest_s < limit_s:
        return None
    return Observation(
        name="stall",
        seen=f"for {units.duration(longest_s)} instances served, requests waited and none ended",
        advice="look at the container's log of that time: a time-out, a model that loads again, a deadlock",
        at_s=int(since_ns[longest]) / 1e9,
    )


def effective_concurrency(seen: Seen) -> Observation | None:
    """What an instance does when it has plenty to do, against what one request takes that has it to itself."""
    course = seen.system.course
    capacity, concurrency = seen.system.capacity, seen.system.concurrency
    if isinstance(course, Unknown) or isinstance(capacity, Unknown) or isinstance(concurrency, Unknown):
        return None
    alone_s = _alone_s(seen.frames, capacity)
    is_full = (course.serving > 0) & (course.backlog >= 2 * concurrency * course.serving)
    ended_ns = seen.frames.completed_ns.to_numpy()
    place = np.searchsorted(course.knots_ns, ended_ns, side="left") - 1
    inside = (place >= 0) & (place < len(is_full))
    n_ended = int(is_full[place[inside]].sum())
    if len(alone_s) < CONCURRENCY_MIN or n_ended < CONCURRENCY_MIN:
        return None
    instance_s = float(np.sum((course.serving * course.lengths_s)[is_full]))
    at_once = n_ended / instance_s * float(ascending(alone_s).mean())
    if abs(at_once / concurrency - 1) <= CONCURRENCY_MARGIN:
        return None
    return Observation(
        name="effective concurrency",
        seen=f"a busy instance does {at_once:.1f} requests in the time of one; it is set to {concurrency} at once",
        advice="requests slow each other down: more at once gain nothing, see what they share"
        if at_once < concurrency
        else "the container works on more at once than it is set to, or one alone is slow to start",
    )


def _alone_s(frames: Frames, capacity: Capacity) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """How long those took that had an instance to themselves: they began at once, however many slots it has."""
    rows = only(
        frames.requests,
        pl.col("accepted"),
        pl.coalesce("recv_ns", "send_ns").alias("at_ns"),
        "done_ns",
        ((pl.col("end_from") == "notice") & (pl.col("outcome") == Outcome.COMPLETED.value))
        .fill_null(False)
        .alias("is_told"),
    )
    rows = rows.sort("at_ns", "done_ns")
    at_ns = rows["at_ns"].to_numpy()
    done_ns = rows["done_ns"].fill_null(np.iinfo(np.int64).max).to_numpy()
    found_nothing = np.searchsorted(ascending(done_ns), at_ns, side="right") >= np.arange(len(at_ns))
    began_at_once = found_nothing & (capacity.serving_at(at_ns) > 0)
    alone: np.ndarray[Any, np.dtype[np.float64]] = (done_ns - at_ns)[began_at_once & rows["is_told"].to_numpy()] / 1e9
    return alone


def too_much_work(seen: Seen) -> Observation | None:
    """More slot-seconds were worked than there were, so the instance count or the concurrency is wrong."""
    figures = seen.elasticity
    utilisation = then(figures, lambda one: one.utilisation)
    if isinstance(utilisation, Unknown) or utilisation <= UTILISATION_MAX:
        return None
    return Observation(
        name="utilisation above one",
        seen=f"more was worked than there were slots for, {utilisation:.2f} times as much",
        advice="the instance count or the concurrency differs from what was reported: figures based on them are wrong",
    )


def host_spread(seen: Seen) -> Observation | None:
    """Instances differ in speed, beyond chance and by at least `SPREAD_MIN`."""
    found = seen.host_spread
    if isinstance(found, Unknown) or not found.is_beyond_chance or found.share < SPREAD_MIN:
        return None
    return Observation(
        name="host spread",
        seen=f"slots at work at the same time differ in speed by {units.share(found.share)} (s. d.); the fastest took "
        f"{found.fastest:.2f} times the mean, the slowest {found.slowest:.2f}",
        advice="a slow instance holds up whatever it gets: see the log streams variant/instance-id in "
        "/aws/sagemaker/Endpoints/ENDPOINT, compare zones and instance types, size capacity for the slow ones",
        at_s=found.slowest_at_s,
    )


# ---- news of it -----------------------------------------------------------------------------------------------


def throttling(seen: Seen) -> Observation | None:
    """AWS throttled submissions; dated from the first."""
    is_rejected = ended_as(seen.frames.measured, Outcome.REJECTED)
    if not is_rejected.any():
        return None
    rejected = only(seen.frames.measured, is_rejected, "error", "send_ns")
    codes = [code for code in rejected["error"].drop_nulls().unique() if is_throttle(code)]
    rows = rejected.filter(pl.col("error").is_in(codes))
    if not rows.height:
        return None
    first_ns = rows["send_ns"].min()
    is_serverless = seen.frames.manifest.target.get("kind") == "serverless"
    return Observation(
        name="throttling",
        seen=f"{rows.height:,} of {units.counted(seen.counts.sent, 'submission')} were throttled",
        advice="more came at once than MaxConcurrency, or than the account's concurrency: raise it, or send slower"
        if is_serverless
        else "a quota of the account, shared by all its endpoints: ask for more, or send slower",
        at_s=first_ns / 1e9 if isinstance(first_ns, int) else None,
    )


def _detail(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


Detector = Callable[[Seen], Observation | None]

DETECTORS: tuple[Detector, ...] = (
    overload,
    stall,
    capacity_hole,
    stuck_at_zero,
    alarm_without_data,
    scale_in_amid_work,
    oscillation,
    ceiling,
    scaling_failed,
    effective_concurrency,
    too_much_work,
    host_spread,
    container_failures,
    failed_requests,
    wrong_answers,
    expired_requests,
    unknown_ends,
    notification_loss,
    warm_up_not_over,
    coarse_times,
    throttling,
    refused_submissions,
    unanswered_submissions,
)
