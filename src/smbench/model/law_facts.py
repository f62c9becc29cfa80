"""Mean and tail of a law of durations: known without drawing from it."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smbench.model.service import Sampler, read_empirical_s
from smbench.scenario.values.distributions import Distribution

_N_DRAWS = 20_000  # of a gamma law, whose tail has no closed form


def mean_s(law: Distribution, base_dir: Path | None = None) -> float:
    """The mean of the law's draws, seconds.

    Raises:
        UsageError: an empirical law's file cannot be read.
    """
    if law.lognormal is not None:
        return law.lognormal.median_s * math.exp(law.lognormal.sigma**2 / 2)
    if law.gamma is not None:
        return law.gamma.mean
    if law.exponential is not None:
        return law.exponential.mean
    if law.uniform is not None:
        return (law.uniform.low + law.uniform.high) / 2
    if law.empirical is not None:
        return float(np.mean(read_empirical_s(law.empirical, base_dir)))
    return law.constant or 0.0


def mean_within_s(law: Distribution, limit_s: float, base_dir: Path | None = None) -> float:
    """The mean where each draw is cut off at `limit_s`, above 0; of a gamma law to within half a percent.

    Raises:
        UsageError: an empirical law's file cannot be read.
    """
    if law.lognormal is not None and law.lognormal.sigma > 0:
        distance = math.log(limit_s / law.lognormal.median_s) / law.lognormal.sigma
        below = mean_s(law) * math.erfc((law.lognormal.sigma - distance) / math.sqrt(2)) / 2
        return below + limit_s * share_beyond(law, limit_s)
    if law.exponential is not None:
        return -law.exponential.mean * math.expm1(-limit_s / law.exponential.mean)
    if law.uniform is not None and law.uniform.high > law.uniform.low:
        low, high = law.uniform.low, law.uniform.high
        cut = min(max(limit_s, low), high)
        return ((cut**2 - low**2) / 2 + limit_s * (high - cut)) / (high - low)
    if law.gamma is not None:
        return sum(min(draw_s, limit_s) for draw_s in _draws_s(law)) / _N_DRAWS
    if law.empirical is not None:
        return float(np.minimum(read_empirical_s(law.empirical, base_dir), limit_s).mean())
    return min(mean_s(law, base_dir), limit_s)


def share_beyond(law: Distribution, limit_s: float, base_dir: Path | None = None) -> float:
    """The share of draws longer than `limit_s`, 0..1; of a gamma law to within half a percent.

    Raises:
        UsageError: an empirical law's file cannot be read.
    """
    if law.lognormal is not None and law.lognormal.sigma > 0:
        distance = math.log(limit_s / law.lognormal.median_s) / law.lognormal.sigma
        return math.erfc(distance / math.sqrt(2)) / 2
    if law.exponential is not None:
        return math.exp(-limit_s / law.exponential.mean)
    if law.uniform is not None and law.uniform.high > law.uniform.low:
        return min(1.0, max(0.0, (law.uniform.high - limit_s) / (law.uniform.high - law.uniform.low)))
    if law.gamma is not None:
        return sum(draw_s > limit_s for draw_s in _draws_s(law)) / _N_DRAWS
    if law.empirical is not None:
        return float(np.mean(np.array(read_empirical_s(law.empirical, base_dir)) > limit_s))
    return float(mean_s(law, base_dir) > limit_s)


def _draws_s(law: Distribution) -> Iterator[float]:
    sampler = Sampler(law, np.random.default_rng(0))
    return (sampler.draw_s() for _ in range(_N_DRAWS))
