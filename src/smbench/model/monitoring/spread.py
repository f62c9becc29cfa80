"""The values of a minute as they are spread: what a percentile is read from, in bounded memory.

CloudWatch reads percentiles from the values themselves. Here at most some 256 numbers stand for a minute's: of values
within a factor of ten each is known to half a per cent, within a factor of a thousand to one and a half.
"""

import math
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

_NUMBERS_MAX = 256  # as many different values are kept as they are
_PERCENTILE = re.compile(r"[pP](\d{1,3}(?:\.\d{0,10})?)", re.ASCII)


def percentile_of(name: str) -> float | None:
    """The share from 0 to 1 that `p99.9` names; None: it names none."""
    match = _PERCENTILE.fullmatch(name)
    share = float(match[1]) / 100 if match is not None else math.inf
    return share if share <= 1 else None


Values = Sequence[float] | np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Values, ascending, and how many there are of each; empty where whoever published them did not say."""

    values: "array[float]"
    counts: "array[float]"

    @classmethod
    def of(cls, values: Values, counts: Values | None = None) -> Self:
        """Of values in any order."""
        given = np.asarray(values, dtype=float)
        weights = np.ones(len(given)) if counts is None else np.asarray(counts, dtype=float)
        kept, place = np.unique(given, return_inverse=True)
        if len(kept) > _NUMBERS_MAX and kept[0] >= 0:
            logs = np.log(np.maximum(kept, kept[kept > 0][0]))
            step = (logs[-1] - logs[0]) / _NUMBERS_MAX
            rounded = np.where(kept > 0, np.exp(np.round(logs / step) * step), 0.0)
            rounded = np.clip(rounded, kept[0], kept[-1])  # none lies beyond those that there are
            rounded[[0, -1]] = kept[[0, -1]]
            kept, again = np.unique(rounded, return_inverse=True)
            place = again[place]
        summed = np.bincount(place, weights=weights, minlength=len(kept))
        return cls(array("d", kept.tolist()), array("d", summed.tolist()))

    def plus(self, other: "Spread") -> "Spread":
        """Of both sets of values together; empty where one is."""
        if not self.values or not other.values:
            return UNSAID
        return Spread.of(np.concatenate([self.values, other.values]), np.concatenate([self.counts, other.counts]))

    def percentile(self, share: float) -> float | None:
        """The smallest value that at least this share (0 to 1) of all does not exceed; None where there is none."""
        if not self.values:
            return None
        reached = np.cumsum(self.counts)
        place = int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12)))
        return self.values[min(place, len(self.values) - 1)]


UNSAID = Spread(array("d"), array("d"))
