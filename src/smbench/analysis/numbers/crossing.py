"""Where a share that grows with a rate passes a given value: the line through its log-odds, and how sure that is.

Each share counts as that many independent trials as its series is worth. The line is that of a logistic regression in
the logarithm of the rate, by iterated least squares. Source: docs/methods.md#capacity-search.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smbench.analysis.numbers.batch_means import Values

_STEPS = 50
_FIRM = 2.5  # standard errors of the slope
_WITHIN = 1e-4  # of a share: nearer to 0 and 1 a trial says nothing


@dataclass(frozen=True, slots=True)
class Point:
    """A share that was seen at a rate, worth so many independent trials."""

    rate: float
    share: float
    trials: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """The rate at which the share is passed, and the standard error of its logarithm.

    Args:
        is_firm: That the share grows is certain; else the error means nothing, and the rate is only where to look.
    """

    rate: float
    log_error: float
    is_firm: bool

    def between(self, deviates: float) -> tuple[float, float]:
        """So many standard errors below and above."""
        times = math.exp(deviates * self.log_error)
        return self.rate / times, self.rate * times


def crossing(points: Sequence[Point], share: float) -> Crossing | None:
    """None where the points show no growth: fewer than two rates, or a line that falls."""
    if len({point.rate for point in points}) < 2:
        return None
    rates = np.array([point.rate for point in points])
    trials, shares = (np.array([getattr(point, name) for point in points]) for name in ("trials", "share"))
    middle = float(np.log(rates).mean())
    x = np.log(rates) - middle
    fitted = _fit(x, shares, trials)
    if fitted is None:
        return None
    (level, slope), covariance, scale = fitted
    if slope <= 0:
        return None
    at = (math.log(share / (1 - share)) - level) / slope
    gradient = np.array([-1 / slope, -at / slope])
    variance = float(gradient @ covariance @ gradient) * scale
    is_firm = slope > _FIRM * math.sqrt(covariance[1, 1] * scale)
    return Crossing(math.exp(middle + at), math.sqrt(variance), is_firm)


def _fit(x: Values, shares: Values, trials: Values) -> tuple[tuple[float, float], Values, float] | None:
    """Level and slope, their covariance, and by how much the points differ more than their trials say, at least 1."""
    design = np.column_stack([np.ones_like(x), x])
    pooled = float(np.clip(trials @ shares / trials.sum(), _WITHIN, 1 - _WITHIN))
    beta = np.array([math.log(pooled / (1 - pooled)), 5.0])
    for _ in range(_STEPS):
        odds = np.clip(design @ beta, -9.0, 9.0)
        likely = 1 / (1 + np.exp(-odds))
        weights = trials * likely * (1 - likely)
        information = design.T @ (weights[:, None] * design)
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (trials * (shares - likely)))
        beta = beta + np.clip(step, -3.0, 3.0)
        if float(np.abs(step).max()) < 1e-9:
            break
    else:
        return None
    left = len(x) - 2
    pearson = float(np.sum(trials * (shares - likely) ** 2 / np.maximum(likely * (1 - likely), _WITHIN)))
    return (float(beta[0]), float(beta[1])), np.linalg.inv(information), max(1.0, pearson / left) if left else 1.0
