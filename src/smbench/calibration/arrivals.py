"""How requests came: their rate, and how far their counts vary beyond independent arrivals.

Index of dispersion for counts, Var N(w) / E N(w) (Cox and Lewis 1966; Gusella 1991): 1 for Poisson arrivals, near 0
for evenly spaced ones, above 1 for bursts.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.calibration.runs import MeasuredRun

_WINDOW_S = 60.0
_WINDOWS_MIN = 5
_NORMAL_995 = 2.5758


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """The arrivals of one run."""

    at_s: npt.NDArray[np.float64]  # ascending, the first at 0 or later
    rate_hz: float
    dispersion: float | None  # of counts a minute; None: fewer than five minutes
    n_windows: int

    @property
    def in_words(self) -> str:
        """What they are like."""
        if self.dispersion is None:
            return "too short to say how they vary"
        # Of Poisson counts (n - 1) * dispersion is near chi-square with n - 1 degrees: mean 1, variance 2 / (n - 1).
        slack = _NORMAL_995 * math.sqrt(2 / (self.n_windows - 1))
        if self.dispersion > 1 + slack:
            return "more bursty than Poisson arrivals"
        return "more even than Poisson arrivals" if self.dispersion < max(0.05, 1 - slack) else "like Poisson arrivals"


def arrivals(run: MeasuredRun) -> Arrivals:
    """From when requests were due; those never sent count too."""
    due = run.frames.requests.select(pl.coalesce("sched_ns", "send_ns").alias("at")).drop_nulls().sort("at")
    at_s = due["at"].to_numpy() / 1e9
    length_s = float(at_s[-1] - at_s[0]) if len(at_s) > 1 else 0.0
    counts = np.bincount(((at_s - at_s[0]) // _WINDOW_S).astype(np.int64))[:-1] if len(at_s) else np.zeros(0)
    has_enough = len(counts) >= _WINDOWS_MIN
    return Arrivals(
        at_s=at_s,
        rate_hz=(len(at_s) - 1) / length_s if length_s else 0.0,
        dispersion=float(counts.var(ddof=1) / counts.mean()) if has_enough else None,
        n_windows=len(counts),
    )
