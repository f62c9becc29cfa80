"""How much of a latency is the generator's own lateness.

A request that was sent late counts from when it was due, so its latency holds our lag. Counted from the send, the lag
is left out: between the two lies what the endpoint alone would have shown. A percentile that both ways agree on is
untouched; on any other the generator had a part.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.numbers.bounds import P999_FROM, PERCENTILES, Bounded
from smbench.analysis.rows.columns import MAY_BE_ACCEPTED, seconds
from smbench.analysis.rows.frames import Frames

LAG_MAX_S = 0.1  # a longer lag than this is too much for any endpoint,
LAG_SHARE = 0.01  # but for one whose median latency is over ten seconds: then 1 % of it
LAG_MIN_S = 0.005  # and for a fast endpoint a lag of a tenth of its median is too much,
LAG_SHARE_OF_SHORT = 0.1  # down to what a timer and a signature take


def lag_limit_s(median_s: float | None) -> float:
    """The schedule lag up to which a latency is the endpoint's (docs/methods.md#generator).

    Args:
        median_s: Of the sojourn time; None where nothing completed.
    """
    longest_s = max(LAG_MAX_S, LAG_SHARE * (median_s or 0.0))
    return longest_s if median_s is None else min(longest_s, max(LAG_MIN_S, LAG_SHARE_OF_SHORT * median_s))


def touched(frames: Frames, limit_s: float) -> dict[str, Bounded]:
    """Percentiles of the sojourn time that lateness reaches, by name, in the order of `PERCENTILES`.

    Returns:
        Each from its value with the late requests counted from their send, to its value from schedule, in seconds.
        Empty in warp time, where nothing can be late.
    """
    from_schedule_s, without_lag_s = _both(frames, limit_s)
    found = {}
    for name, share in PERCENTILES.items():
        if len(from_schedule_s) and (name != "p999" or len(from_schedule_s) >= P999_FROM):
            bounds = _bounds(from_schedule_s, without_lag_s, Fraction(str(share)))
            if bounds.high is not None and _differs(bounds.low, bounds.high, limit_s):
                found[name] = bounds
    return found


def without_lag(frames: Frames, limit_s: float, quantile: Fraction) -> float | None:
    """A quantile of the sojourn time with late requests counted from their send; None where lateness is no matter."""
    from_schedule_s, without_lag_s = _both(frames, limit_s)
    if not len(from_schedule_s):
        return None
    bounds = _bounds(from_schedule_s, without_lag_s, quantile)
    is_reached = bounds.high is not None and _differs(bounds.low, bounds.high, limit_s)
    return bounds.low if is_reached else None


def _both(frames: Frames, limit_s: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Ages from schedule, and with the late requests counted from their send; both empty where none was late."""
    is_late = pl.col("schedule_lag_ns") > round(limit_s * 1e9)
    measured = frames.measured
    if frames.manifest.clock.kind == "warp" or not measured.select(is_late.any()).item():
        return np.empty(0), np.empty(0)
    accepted = measured.lazy().filter(MAY_BE_ACCEPTED)
    rows = accepted.select("age_ns", pl.when(is_late).then("from_send_age_ns").otherwise("age_ns").alias("own_ns"))
    collected = rows.collect()
    return seconds(collected, "age_ns"), seconds(collected, "own_ns")


def _bounds(
    from_schedule_s: npt.NDArray[np.float64], without_lag_s: npt.NDArray[np.float64], quantile: Fraction
) -> Bounded:
    place = max(0, -(-len(from_schedule_s) * quantile.numerator // quantile.denominator) - 1)
    return Bounded(
        low=float(np.partition(without_lag_s, place)[place]), high=float(np.partition(from_schedule_s, place)[place])
    )


def _differs(low_s: float, high_s: float, limit_s: float) -> bool:
    return high_s - low_s > max(limit_s, LAG_SHARE_OF_SHORT * low_s)
