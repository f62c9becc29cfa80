"""Figures that are known exactly or within bounds: some requests had no end when the run was over.

A request that waits still is not dropped and not counted as finished: its latency is more than its age. One that
failed or expired never completes: its latency is infinite. So each percentile has a lower and an upper bound, and is a
number only where the two meet. No distribution is assumed. (Kaplan and Meier's estimate would be optimistic here: it
takes being cut off to say nothing of how long one would have waited, and in a queue that grows the requests cut off
are those with the longest wait before them.)
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from smbench import units
from smbench.analysis.numbers.ordered import ascending
from smbench.scenario.thresholds import ABOVE_MIN, Threshold

Seconds = npt.NDArray[np.float64]

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}
P999_FROM = 10_000  # requests; fewer than ten lie above it otherwise


class Bounded(BaseModel):
    """A figure between `low` and `high`, both included; `high` None is unbounded: more than `low`."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float | None
    never: bool = False  # the value is infinite for certain, and `low` only the longest that was watched

    @classmethod
    def exactly(cls, value: float) -> "Bounded":
        """A figure that is known: both bounds are the value."""
        return cls(low=value, high=value)

    @property
    def value(self) -> float | None:
        """The number, where it is one."""
        return self.low if self.low == self.high else None

    def text(self, write: Callable[[float], str] = units.duration) -> str:
        """As a person reads it: `4 s`, `> 4 s` without an upper bound, `4 s to 9 s` between two bounds."""
        if self.value is not None:
            return write(self.value)
        if self.high is None:
            return f"> {write(self.low)}"
        low, high = write(self.low), write(self.high)
        return low if low == high else f"{low} to {high}"

    def meets(self, threshold: Threshold) -> bool | None:
        """Whether a threshold holds; None when that depends on what is not known."""
        least = math.inf if self.never else self.low
        most = math.inf if self.high is None else self.high
        if threshold.op in ("==", "!=") and least != most and least <= threshold.value <= most:
            return None
        at_least, at_most = threshold.holds(least), threshold.holds(most)
        return at_least if at_least == at_most else None


class Distribution(BaseModel):
    """A set of durations, some of them censored. Percentiles follow the inverse ECDF: each is one request's value."""

    model_config = ConfigDict(frozen=True)

    n: int  # the denominator of every percentile
    n_censored: int  # of them: not ended when the run was over, known only to be longer than their age
    n_never: int  # of them: ended otherwise, so never complete
    mean_s: float | None  # of all `n`; None where not each of them is known exactly, or there are none
    p50: Bounded | None
    p90: Bounded | None
    p95: Bounded | None
    p99: Bounded | None
    p999: Bounded | None  # None below ten thousand
    max: Bounded | None

    def percentile(self, name: str) -> Bounded | None:
        """By its name in `PERCENTILES`; None where there are too few values for it."""
        figure: Bounded | None = getattr(self, name)
        return figure

    def is_thin(self, name: str) -> bool:
        """Fewer than ten requests lie above this percentile."""
        return name != "max" and self.n * (1 - PERCENTILES[name]) < ABOVE_MIN - 1e-9


def distribution(
    known_s: Seconds,
    censored_s: Seconds | None = None,
    never_s: Seconds | None = None,
    *,
    least_s: Seconds | None = None,
) -> Distribution:
    """Describe durations, all in seconds, in any order.

    Args:
        known_s: Those that are known.
        censored_s: Ages of those not yet over.
        never_s: Ages at which it became certain that it would never be.
        least_s: What those that are known are at least, in any order; None: they are known exactly.
    """
    nothing = np.empty(0, dtype=np.float64)
    censored_s = nothing if censored_s is None else censored_s
    never_s = nothing if never_s is None else never_s
    high = ascending(known_s)
    least_s = high if least_s is None else ascending(least_s)
    low = ascending(np.concatenate([least_s, censored_s])) if len(censored_s) else least_s
    n = len(low) + len(never_s)
    longest_s = max((float(ages.max()) for ages in (low, never_s) if len(ages)), default=0.0)

    def at(share: float) -> Bounded:
        rank = max(1, math.ceil(share * n))  # exact for these shares: tried for every n to ten million
        if rank > len(low):
            return Bounded(low=longest_s, high=None, never=True)
        return Bounded(low=float(low[rank - 1]), high=float(high[rank - 1]) if rank <= len(high) else None)

    percentiles = {
        name: at(share) if n and (name != "p999" or n >= P999_FROM) else None for name, share in PERCENTILES.items()
    }
    return Distribution(
        n=n,
        n_censored=len(censored_s),
        n_never=len(never_s),
        mean_s=_mean(n, low, high),
        **percentiles,
    )


def _mean(n: int, low: Seconds, high: Seconds) -> float | None:
    """Of the sorted values: a sum of floats depends on its order, and a run's figures may not."""
    is_known = n and len(high) == n and (low is high or np.array_equal(low, high))
    return float(high.mean()) if is_known else None
