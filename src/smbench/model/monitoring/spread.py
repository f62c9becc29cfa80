"""The values of a minute as they are spread: what percentiles and trimmed means are read from, in bounded memory.

CloudWatch reads them from the values themselves. Here at most some 256 numbers stand for a minute's: of values
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
_SHARE = r"(\d{1,3}(?:\.\d{0,10})?)"
_NUMBER = r"(\d+(?:\.\d{0,10})?)"
_SHORT = re.compile(rf"(p|tm|tc|ts|wm){_SHARE}", re.ASCII | re.IGNORECASE)
_SHARES = re.compile(rf"(tm|tc|ts|wm)\((?:{_SHARE}%)?:(?:{_SHARE}%)?\)", re.ASCII | re.IGNORECASE)
_NUMBERS = re.compile(rf"(tm|tc|ts|wm|pr)\({_NUMBER}?:{_NUMBER}?\)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExtendedStatistic:
    """A statistic that needs the values themselves, by CloudWatch's short names.

    Args:
        kind: `p`, or `tm`, `tc`, `ts`, `wm`, `pr`: of what lies between two boundaries the mean, the count, the sum,
            the mean with what lies outside moved to the boundaries, the share in per cent.
        low: What is up to here is outside.
        high: What is above is outside.
        is_shares: The boundaries are shares of the values by rank, from 0 to 1; otherwise they are values.
    """

    kind: str
    low: float
    high: float
    is_shares: bool


def extended_statistic(name: str) -> ExtendedStatistic | None:
    """What `p99.9`, `tm90`, `TM(10%:90%)`, `PR(:300)` or `IQM` asks for; None: it is no such name."""
    if name.lower() == "iqm":
        return ExtendedStatistic("tm", 0.25, 0.75, is_shares=True)
    if match := _SHORT.fullmatch(name):
        kind, low, high = match[1], "0", match[2]
    elif match := _SHARES.fullmatch(name) or _NUMBERS.fullmatch(name):
        kind, low, high = match.groups()
    else:
        return None
    if low is None and high is None:
        return None
    is_shares = match.re is not _NUMBERS
    least, most, scale = (0.0, 100.0, 100.0) if is_shares else (-math.inf, math.inf, 1.0)
    start, end = (bound if given is None else float(given) for given, bound in ((low, least), (high, most)))
    if end > most or (start >= end and kind.lower() != "p"):
        return None
    return ExtendedStatistic(kind.lower(), start / scale, end / scale, is_shares)


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

    def read(self, statistic: ExtendedStatistic) -> float | None:
        """A statistic of these values; None where there is none, and where a mean has nothing within its boundaries."""
        if statistic.kind == "p" or not self.values:
            return self.percentile(statistic.high)
        values, counts = np.asarray(self.values), np.asarray(self.counts)
        total = float(counts.sum())
        if statistic.kind == "wm":
            low, high = statistic.low, statistic.high
            if statistic.is_shares:
                low, high = (self.percentile(share) or 0.0 for share in (low, high))
            return float(np.clip(values, low, high) @ counts) / total
        if statistic.is_shares:  # who lies across a boundary is within it in part
            reached = np.concatenate([[0.0], np.cumsum(counts)])
            within = np.diff(np.clip(reached, statistic.low * total, statistic.high * total))
        else:
            within = counts * ((values > statistic.low) & (values <= statistic.high))
        n, summed = float(within.sum()), float(within @ values)
        found = {"tc": n, "ts": summed, "pr": 100 * n / total}
        return found[statistic.kind] if statistic.kind in found else (summed / n if n else None)


UNSAID = Spread(array("d"), array("d"))
