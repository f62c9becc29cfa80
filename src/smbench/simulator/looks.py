"""Ends that a run finds in S3 after its drain: those that no notice reported, in a simulation or a forecast."""

import numpy as np
from numpy.typing import NDArray

_SECOND_NS = 1_000_000_000

Integers = NDArray[np.int64]


def is_found(done_ns: Integers, at_ns: int, kept_s: float | None) -> NDArray[np.bool_]:
    """Whether what an endpoint wrote is there when it is looked for.

    Args:
        done_ns: When the container was through with each request; -1: not yet, or it never met one.
        kept_s: Results are deleted so long after they were written; None: they stay.
    """
    is_written: NDArray[np.bool_] = (done_ns >= 0) & (done_ns <= at_ns)
    return is_written if kept_s is None else is_written & (done_ns + round(kept_s * 1e9) > at_ns)


def stamped_ns(done_ns: Integers, epoch_ns: int) -> Integers:
    """S3's LastModified of results, whole seconds of UTC, in scenario time."""
    return (done_ns + epoch_ns) // _SECOND_NS * _SECOND_NS - epoch_ns


def end_of_stamp_ns(done_ns: Integers, epoch_ns: int, seen_ns: Integers | int) -> Integers:
    """The latest instant that such a stamp allows for an end."""
    return np.minimum(stamped_ns(done_ns, epoch_ns) + _SECOND_NS, seen_ns)
