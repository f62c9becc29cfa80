"""How long an overload goes unseen: the delay of a metric, and the action after the alarm.

A datapoint was readable between the look before the one that first showed it and that look. What matters for an alarm
is whether a datapoint is readable when the alarm is evaluated; the alarm's own history says so for each change of its
state. So the law of the metric's delay is first taken from the looks and then moved until it has the alarm's share of
fresh datapoints. Source: docs/methods.md#calibration.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.calibration.delays import NOT_OBSERVED, Delay, steps, written
from smbench.calibration.runs import MeasuredRun

Values = npt.NDArray[np.float64]

_MINUTE_S = 60.0
_AT_ONCE_S = 45.0  # an action that came later than this after its alarm was refused at first
_GRID_S = 0.5
_CLOUDWATCH_EVERY_S = 30.0  # a run asks CloudWatch no more often; a simulation notes every look
_HARDLY = 1e-3  # a chance of an observation that the law excludes: histories have oddities
_BACKLOG = ("ApproximateBacklogSizePerInstance", "ApproximateBacklogSize", "HasBacklogWithoutCapacity")


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found of each stage."""

    metric_delay: Delay
    action: Delay
    whole: Delay  # from the breach to the decision, scale-outs; `law` is empty


def detection(runs: Sequence[MeasuredRun]) -> Detection:
    """From alarm history, activities and datapoints."""
    firings = [
        (run, step)
        for run in runs
        for step in steps(run)
        if step.alarm_at_s is not None and step.breach_at_s is not None
    ]
    out = [(run, step) for run, step in firings if step.is_out]
    lags_s = np.array(
        [
            step.alarm_at_s - step.judged_until_s
            for _, step in out
            if step.alarm_at_s is not None and step.judged_until_s is not None
        ]
    )
    actions_s = np.array([step.decided_at_s - step.alarm_at_s for _, step in firings if step.alarm_at_s is not None])
    whole_s = np.array([step.detection_s for _, step in out if step.detection_s is not None])
    return Detection(
        metric_delay=_metric_delay(runs, lags_s),
        action=_constant(actions_s[actions_s <= _AT_ONCE_S]),
        whole=_observed(whole_s),
    )


def _metric_delay(runs: Sequence[MeasuredRun], lags_s: Values) -> Delay:
    bounds = [pair for run in runs for pair in _readable_s(run)]
    if not bounds:
        return NOT_OBSERVED
    earliest_s, latest_s = np.array(bounds).T
    middle_s = (earliest_s + latest_s) / 2
    n, between_s = len(middle_s), float((latest_s - earliest_s).mean())
    # Of when between two looks it became readable nothing is known: the law is at least as wide as that.
    half_s = max(between_s / 2, math.sqrt(3) * (float(middle_s.std(ddof=1)) if n > 1 else 0.0))
    mean_s = float(middle_s.mean())
    low_s, high_s = max(0.0, mean_s - half_s), mean_s + half_s
    if len(lags_s):
        lows_s = np.arange(low_s, max(low_s, min(high_s, float(latest_s.min()))) + _GRID_S / 2, _GRID_S)
        highs_s = np.arange(max(low_s, float(earliest_s.max())), high_s + _GRID_S / 2, _GRID_S)
        low_s, high_s = _as_the_alarm_saw(lows_s, highs_s, lags_s)
    error_s = math.hypot(half_s / math.sqrt(3 * n), between_s / math.sqrt(12))
    law = {"uniform": {"low": written(low_s), "high": written(high_s)}} if high_s - low_s > 1e-3 else written(low_s)
    return Delay(law, (low_s + high_s) / 2, error_s, n)


def _as_the_alarm_saw(lows_s: Values, highs_s: Values, lags_s: Values) -> tuple[float, float]:
    """The ends of the uniform law under which what the alarms saw is most likely; of equally likely ones the widest.

    Args:
        lows_s: What its low end may be; under each some datapoint of every look is possible.
        highs_s: The same for its high end.
        lags_s: From the end of the newest minute judged to the change of the alarm: above 60 s the minute after it
            was not yet readable at that second.
    """
    second_s, is_fresh = lags_s % _MINUTE_S, lags_s < _MINUTE_S
    low_s, high_s = (ends.ravel() for ends in np.meshgrid(lows_s, highs_s))
    width_s = (high_s - low_s).clip(_GRID_S)
    readable = ((second_s[:, None] - low_s) / width_s).clip(_HARDLY, 1 - _HARDLY)
    likelihood = np.log(np.where(is_fresh[:, None], readable, 1 - readable)).sum(axis=0)
    # Laplace's rule: as if it had been seen once fresh and once not. Some that were all stale do not say that all are.
    likelihood += (np.log(readable) + np.log(1 - readable)).mean(axis=0)
    likelihood[high_s < low_s] = -np.inf
    best = np.flatnonzero(likelihood > likelihood.max() - 1e-9)
    widest = best[width_s[best].argmax()]
    return float(low_s[widest]), float(high_s[widest])


def _readable_s(run: MeasuredRun) -> Iterator[tuple[float, float]]:
    """For each minute of the backlog's metrics: after its end, when it was not yet readable, and when it was."""
    manifest = run.frames.manifest
    every_s = float(manifest.scenario.get("gauges_every") or 10.0)
    if manifest.transport != "simulated":
        every_s = max(every_s, _CLOUDWATCH_EVERY_S)
    points = run.frames.readings.filter(
        (pl.col("source") == "cloudwatch") & pl.col("name").is_in(_BACKLOG) & pl.col("value").is_not_null()
    )
    first = points.group_by("name", "at_ns").agg(pl.col("seen_ns").min()).sort("name", "at_ns")
    begin_ns = min(first["at_ns"].to_list(), default=0)
    for at_ns, seen_ns in first.select("at_ns", "seen_ns").iter_rows():
        latest_s = (seen_ns - at_ns) / 1e9 - _MINUTE_S
        if latest_s >= 0 and at_ns > begin_ns:  # the first look also finds what was readable long before
            yield max(0.0, latest_s - every_s), latest_s


def _constant(taken_s: Values) -> Delay:
    if not len(taken_s):
        return NOT_OBSERVED
    mean_s = float(taken_s.mean())
    error_s = float(taken_s.std(ddof=1)) / math.sqrt(len(taken_s)) if len(taken_s) > 1 else None
    return Delay(written(mean_s), mean_s, error_s, len(taken_s))


def _observed(taken_s: Values) -> Delay:
    found = _constant(taken_s)
    return Delay("", found.mean_s, found.error_s, found.n) if found.n else NOT_OBSERVED
