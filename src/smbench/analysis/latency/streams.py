"""Latency of streamed answers: when the first part came, and how far the parts were apart. Source:
docs/methods.md#streams.
"""

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.latency.breakdown import latency
from smbench.analysis.latency.intervals import Intervals, intervals
from smbench.analysis.numbers.bounds import Distribution, distribution
from smbench.analysis.numbers.ordered import of_rank
from smbench.analysis.rows.columns import seconds
from smbench.analysis.rows.frames import Frames, is_streamed
from smbench.records import Unknown


class Streams(BaseModel):
    """Of the measured requests. Whether a stream came to its end is in their outcomes."""

    model_config = ConfigDict(frozen=True)

    n: int  # answers that came in a stream, whole or not
    n_parts: int
    parts_p50: int
    parts_max: int
    to_first: Distribution  # first part - sched, of all accepted: one without a part never has a first
    to_first_from_send: Distribution
    to_first_intervals: Intervals = {}  # of `to_first`
    gap_mean: Distribution  # of each answer of two parts or more, its mean
    gap_max: Distribution  # and its longest
    gap_of_all_s: float | None  # the mean of all gaps of all answers; None: there was none


def streams(frames: Frames, capacity: Capacity | Unknown, n_at_once: int | Unknown) -> Streams | None:
    """None where no answer came in a stream; arguments as for `intervals`."""
    if not is_streamed(frames.manifest):
        return None
    measured = frames.measured
    n_parts = measured["parts"].drop_nulls()
    if not len(n_parts):
        return None
    total_ns, n_gaps = measured.select(
        (pl.col("gap_mean_ns") * (pl.col("parts") - 1)).sum(),
        (pl.col("parts") - 1).clip(0).sum().alias("gaps"),
    ).row(0)
    return Streams(
        n=len(n_parts),
        n_parts=int(n_parts.sum()),
        parts_p50=of_rank(n_parts, 0.5),
        parts_max=of_rank(n_parts, 1.0),
        to_first=latency(measured, "to_first_ns", "age_ns"),
        to_first_from_send=latency(measured, "to_first_from_send_ns", "from_send_age_ns"),
        to_first_intervals=intervals(frames, capacity, n_at_once, "to_first_ns"),
        gap_mean=distribution(seconds(measured, "gap_mean_ns")),
        gap_max=distribution(seconds(measured, "gap_max_ns")),
        gap_of_all_s=total_ns / n_gaps / 1e9 if n_gaps else None,
    )
