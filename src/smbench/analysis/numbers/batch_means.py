"""The mean of an autocorrelated series and its error: from the means of batches, taken as independent.

Two numbers of batches are tried and the larger error holds, so that batches which are still alike do not make a mean
look better known than it is. Source: docs/methods.md#capacity-search.
"""

import math

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from smbench.analysis.numbers import student

Values = npt.NDArray[np.float64]

N_BATCHES = 20
_FEWER = 10


class Estimate(BaseModel):
    """A mean with its standard error, which has so many degrees of freedom."""

    model_config = ConfigDict(frozen=True)

    mean: float
    error: float
    degrees: int

    def half(self, confidence: float) -> float:
        """Half the width of the interval that holds the true mean with this confidence, by Student's t."""
        return student.quantile(confidence, self.degrees) * self.error


def batch_means(values: Values) -> Estimate:
    """The mean of a series in its order, of at least `N_BATCHES` values.

    Raises:
        ValueError: there are fewer.
    """
    if len(values) < N_BATCHES:
        raise ValueError(f"{len(values)} values make no {N_BATCHES} batches")
    many, few = (_error(values, n) for n in (N_BATCHES, _FEWER))
    mean = float(values.mean())
    if few > many:
        return Estimate(mean=mean, error=few, degrees=_FEWER - 1)
    return Estimate(mean=mean, error=many, degrees=N_BATCHES - 1)


def pooled(estimates: list[Estimate]) -> Estimate:
    """Of the same mean from several independent series, each weighted by how well it knows it.

    Raises:
        ValueError: there is none.
    """
    if not estimates:
        raise ValueError("nothing to pool")
    least = max(1e-12, 1e-6 * max(abs(one.mean) for one in estimates))  # an exact one would silence all others
    weights = np.array([1 / max(one.error, least) ** 2 for one in estimates])
    mean = float(weights @ np.array([one.mean for one in estimates]) / weights.sum())
    shares = weights / weights.sum()
    # The weights are of errors that are estimates themselves, so the mean is less well known than they say (Meier).
    unsure = 4 * float(np.sum(shares * (1 - shares) / np.array([one.degrees for one in estimates])))
    within = math.sqrt((1 + unsure) / float(weights.sum()))
    # Where they differ by more than their errors say, the difference is the better measure of the error.
    n = len(estimates)
    spread = float(weights @ np.array([(one.mean - mean) ** 2 for one in estimates])) / max(1, n - 1)
    return Estimate(
        mean=mean, error=within * max(1.0, math.sqrt(spread)), degrees=sum(one.degrees for one in estimates)
    )


def _error(values: Values, n_batches: int) -> float:
    means = np.array([batch.mean() for batch in np.array_split(values, n_batches)])
    return float(means.std(ddof=1)) / math.sqrt(n_batches)
