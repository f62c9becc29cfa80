"""A model held against a run: every error with its band, the noise that no model can beat, and a grade."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smbench.analysis.numbers.ordered import chance_between, of_next
from smbench.analysis.rows.deadline import deadline
from smbench.calibration.checking.agreement import PERCENTILES, Figures, disagreement
from smbench.calibration.checking.behaviour import Behaviour, behaviour
from smbench.calibration.checking.by_chance import alarms_by_chance
from smbench.calibration.checking.predicted import Replayed, predictions, replayed
from smbench.calibration.distances import kolmogorov_smirnov, wasserstein
from smbench.calibration.parameter import Parameter
from smbench.calibration.record import NOT_VALIDATED
from smbench.calibration.runs import MeasuredRun
from smbench.scenario.model import Scenario

LIMITS: Mapping[str, float] = {"ks": 0.05, "backlog": 0.10, "instance_s": 0.05, "p95": 0.15}  # of grade A; B: twice
_B_TIMES = 2.0
_BAND = (0.05, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class ModelCheck:
    """What was found.

    Attributes:
        figures: Errors of the mean prediction, by name (docs/calibration.md).
        bands: 5th and 95th percentile of each error over predictions with the parameters drawn anew.
        floor: The median error of one prediction against the others: what chance alone does in this run.
        persistence: Errors of the naive prediction that latency is as in the runs that the model was fitted from.
        undecided: Why the run can decide on no grade; empty where it can. Without a grade, then.
        notes: What the grade depends on beside the model, a sentence each.
        covered: The share of the run's p50, p90, p95 and p99 that lie within the band of the predictions.
        places: Of each of them, the share of these predictions that are below; infinite ones are left out.
    """

    grade: str
    figures: Figures
    bands: dict[str, tuple[float, float]]
    floor: Figures
    persistence: Figures
    covered: float | None
    places: dict[str, float]
    replications: int
    undecided: str = ""
    notes: tuple[str, ...] = ()

    @property
    def band_share(self) -> float:
        """How likely another such prediction lies within a band."""
        return chance_between(self.replications, *_BAND)


def check(
    run: MeasuredRun,
    model: Scenario,
    base_dir: Path,
    *,
    parameters: tuple[Parameter, ...],
    quantiles_s: tuple[float, ...],
    replications: int,
) -> ModelCheck:
    """Predict the run and compare.

    Args:
        parameters: Of the fit; empty where the model was written by hand.
        quantiles_s: Latency of the runs it was fitted from, evenly spaced, infinite where fewer completed; or empty.
    """
    of, real = replayed(run, model, base_dir), behaviour(run.frames)
    limit = deadline(run.frames.manifest.scenario)
    deadline_s = None if limit is None else limit.seconds
    slots = model.target.emulated.instances.concurrency

    def errors(truth: Behaviour, *predicted: Behaviour) -> Figures:
        return disagreement(truth, predicted, slots, deadline_s)

    seed = _first_seed(of)
    as_it_is = [behaviour(frames) for frames in predictions(of, replications, seed)]
    drawn = [behaviour(frames) for frames in predictions(of, replications, seed + replications, parameters)]
    figures = errors(real, *as_it_is)
    singly = [errors(real, one) for one in drawn]
    among = [errors(one, *as_it_is[:at], *as_it_is[at + 1 :]) for at, one in enumerate(as_it_is)]
    floor = {name: float(np.median([abs(one[name]) for one in among if name in one] or [0.0])) for name in figures}
    undecided = why_undecided(figures, floor)
    return ModelCheck(
        grade=NOT_VALIDATED if undecided else grade(figures, floor),
        figures=figures,
        bands={name: _band([one[name] for one in singly if name in one]) for name in figures},
        floor=floor,
        persistence=_persistence(real, np.array(quantiles_s)),
        covered=_covered(real, drawn),
        places=_places(real, drawn),
        replications=replications,
        undecided=undecided,
        notes=alarms_by_chance(of.scenario.target.emulated, parameters, base_dir),
    )


def _first_seed(of: Replayed) -> int:
    """From the run's arrivals, so that each run has chances of its own and a check repeated is the same.

    With the same few draws for all, a band that they make narrow by chance would be narrow in every check.
    """
    return int(of.schedule.digest[:8], 16)


def grade(figures: Figures, floor: Figures) -> str:
    """A, B or "not validated"; an error that could not be compared counts against no grade but that of p95.

    A grade finer than what chance alone does in the run is not given: there a small error is luck.
    """
    worst = max(max(_in_limits(figures, name), _in_limits(floor, name)) for name in LIMITS)
    return "A" if worst <= 1 else "B" if worst <= _B_TIMES else NOT_VALIDATED


def why_undecided(figures: Figures, floor: Figures) -> str:
    """Where chance alone may be beyond the limits of every grade, so that no error within it says anything.

    Empty where the run decides: chance is within the limits, or another error is beyond them and beyond chance.
    """
    noisy = [name for name in LIMITS if _in_limits(floor, name) > _B_TIMES]
    if any(_in_limits(figures, name) > max(_B_TIMES, _in_limits(floor, name)) for name in LIMITS):
        return ""
    each = (f"{name} by {floor[name]:.3f}, and grade B allows {_B_TIMES * LIMITS[name]:.3f}" for name in noisy)
    return f"chance alone changes {'; '.join(each)}" if noisy else ""


def _in_limits(errors: Figures, name: str) -> float:
    """An error's size in limits of grade A; 0 where there is none."""
    return abs(errors.get(name, 0.0)) / LIMITS[name]


def _band(errors: list[float]) -> tuple[float, float]:
    if not errors:
        return float("nan"), float("nan")
    ranked = sorted(errors)
    return of_next(ranked, _BAND[0]), of_next(ranked, _BAND[1])


def _persistence(real: Behaviour, quantiles_s: npt.NDArray[np.float64]) -> Figures:
    if not len(quantiles_s):
        return {}
    figures = {"ks": kolmogorov_smirnov(real.latency_s, quantiles_s), "w1": wasserstein(real.latency_s, quantiles_s)}
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        own = real.quantile_s(share)
        other = float(quantiles_s[int(np.ceil(share * len(quantiles_s))) - 1])
        if np.isfinite(own) and own > 0:
            figures[name] = other / own - 1
    return figures


def _covered(real: Behaviour, drawn: list[Behaviour]) -> float | None:
    inside = []
    for share in PERCENTILES:
        own = real.quantile_s(share)
        low, high = _band([one.quantile_s(share) for one in drawn])
        if np.isfinite(own):
            inside.append(low <= own <= high)
    return float(np.mean(inside)) if inside else None


def _places(real: Behaviour, drawn: list[Behaviour]) -> dict[str, float]:
    own = {f"p{share * 100:g}": (share, real.quantile_s(share)) for share in PERCENTILES}
    return {
        name: float(np.mean([one.quantile_s(share) < value for one in drawn]))
        for name, (share, value) in own.items()
        if np.isfinite(value)
    }
