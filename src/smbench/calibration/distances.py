"""How far two samples lie apart. An infinite value is one that never completed: it counts in the denominator alone."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def kolmogorov_smirnov(some: Values, others: Values) -> float:
    """The greatest distance between their distributions, 0..1; 0 where neither has a finite value."""
    at = np.concatenate([some[np.isfinite(some)], others[np.isfinite(others)]])
    if not len(at):
        return 0.0
    here, there = (np.searchsorted(np.sort(values), at, side="right") / len(values) for values in (some, others))
    return float(np.abs(here - there).max())


def wasserstein(real_s: Values, predicted_s: Values) -> float:
    """The area between both distributions up to the longest that completed, over the run's mean."""
    finite = real_s[np.isfinite(real_s)]
    at = np.unique(np.concatenate([[0.0], finite, predicted_s[np.isfinite(predicted_s)]]))
    if not len(finite) or finite.mean() <= 0:
        return 0.0
    here, there = (np.searchsorted(values, at, side="right") / len(values) for values in (real_s, predicted_s))
    return float(np.sum(np.abs(here - there)[:-1] * np.diff(at)) / finite.mean())
