"""Histograms of durations that a test knows."""

from array import array

from smbench.snapshot import LogHistogram


def record(histogram: LogHistogram, *durations_s: float) -> LogHistogram:
    """Count these durations, seconds, as a run does: all at once, in whole nanoseconds."""
    histogram.record_all(array("q", [round(duration_s * 1e9) for duration_s in durations_s]))
    return histogram
