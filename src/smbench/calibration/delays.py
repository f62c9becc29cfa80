"""Delays of the endpoint and of notices: each as a law of a scenario."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smbench.analysis.capacity.scaling import ScalingStep, scaling
from smbench.analysis.rows.columns import seconds
from smbench.calibration.runs import MeasuredRun

Values = npt.NDArray[np.float64]

_FEW = 3  # with so few observations their own spread says little: the prior's counts for as many again
PRIOR_SIGMA = 0.25  # provisioning of a CPU image (docs/methods.md#calibration)
_PRIOR_WEIGHT = 3
_STAMP_S = 1e-3
_SLACK_NS = 1_000_000  # instants are cut to microseconds or milliseconds


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay with the law that a scenario writes for it. `law` None: not observed."""

    law: dict[str, Any] | str | None
    mean_s: float = 0.0
    error_s: float | None = None  # standard error of the mean; None: of one observation
    n: int = 0


NOT_OBSERVED = Delay(None)


def provisioning(runs: Sequence[MeasuredRun]) -> Delay:
    """From a scale-out decided to each instance that it brought into service: a lognormal law.

    Of an instance whose coming no activity and no notice dates, the middle between two looks is taken.
    """
    taken_s = np.array([took_s for run in runs for took_s in _came_s(steps(run), run)])
    if not len(taken_s):
        return NOT_OBSERVED
    mean_s, n = float(taken_s.mean()), len(taken_s)
    own = float(np.log(taken_s).var(ddof=1)) if n > 1 else 0.0
    if n <= _FEW:
        own = (max(0, n - 1) * own + _PRIOR_WEIGHT * PRIOR_SIGMA**2) / (max(0, n - 1) + _PRIOR_WEIGHT)
    sigma = math.sqrt(own)
    law = {"lognormal": {"mean": written(mean_s), "sigma": round(sigma, 4)}}
    spread_s = float(taken_s.std(ddof=1)) if n > _FEW else sigma * mean_s
    return Delay(law, mean_s, spread_s / math.sqrt(n), n)


def removal(runs: Sequence[MeasuredRun]) -> Delay:
    """From a scale-in decided to the end of its activity: a uniform law with the same mean and deviation."""
    taken_s = [
        step.in_service_at_s - step.decided_at_s
        for run in runs
        for step in steps(run)
        if not step.is_out and step.state == "Successful" and step.in_service_at_s is not None
    ]
    return even(np.array(taken_s)) if taken_s else NOT_OBSERVED


def notification(runs: Sequence[MeasuredRun]) -> Delay:
    """From an end to its notice in the queue: a lognormal law."""
    taken_s = np.concatenate([seconds(run.frames.requests, "notification_ns") for run in runs])
    if not len(taken_s):
        return NOT_OBSERVED
    taken_s = taken_s.clip(_STAMP_S)
    logs, n = np.log(taken_s), len(taken_s)
    sigma = float(logs.std(ddof=1)) if n > 1 else 0.0
    law = {"lognormal": {"median": written(math.exp(float(logs.mean()))), "sigma": round(sigma, 4)}}
    error_s = float(taken_s.std(ddof=1)) / math.sqrt(n) if n > 1 else None
    return Delay(law, float(taken_s.mean()), error_s, n)


def even(taken_s: Values) -> Delay:
    """A uniform law with their mean, and with their deviation as far as none of it lies below zero; a constant where
    nothing varies."""
    mean_s, n = float(taken_s.mean()), len(taken_s)
    deviation_s = float(taken_s.std(ddof=1)) if n > 1 else 0.0
    half_s = min(math.sqrt(3) * deviation_s, mean_s)  # cut off at zero alone, the law would have a greater mean
    law = {"uniform": {"low": written(mean_s - half_s), "high": written(mean_s + half_s)}}
    if half_s < _STAMP_S:
        return Delay(written(mean_s), mean_s, None if n == 1 else 0.0, n)
    return Delay(law, mean_s, deviation_s / math.sqrt(n), n)


def written(taken_s: float) -> str:
    """Seconds as a scenario writes them, to the tenth of a millisecond."""
    return f"{round(taken_s, 4):g}s" if taken_s < 1000 else f"{round(taken_s)}s"


def steps(run: MeasuredRun) -> tuple[ScalingStep, ...]:
    """The changes of capacity in a run."""
    return scaling(run.frames).steps


def _came_s(known: Sequence[ScalingStep], run: MeasuredRun) -> Iterator[float]:
    """How long each instance of a scale-out took. Where another change overlaps, whose they are is open: none."""
    at_ns, more = run.capacity.at_ns[1:], np.diff(run.capacity.serving).clip(0)
    for step in known:
        if not step.is_out or step.in_service_at_s is None:
            continue
        overlaps = [step.decided_at_s <= other.decided_at_s < step.in_service_at_s for other in known]
        if sum(overlaps) > 1:
            continue
        since_ns, until_ns = (round(at_s * 1e9) for at_s in (step.decided_at_s, step.in_service_at_s))
        came = (at_ns > since_ns) & (at_ns <= until_ns + _SLACK_NS)
        yield from ((np.repeat(at_ns[came], more[came]) - since_ns) / 1e9).tolist()
