"""Goal: a histogram loses no duration and moves none by more than its bucket's width. Method: any duration, and any two
histograms, by hypothesis."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smbench.snapshot import Durations, LogHistogram

DURATIONS_S = st.floats(-10.0, 1e7, allow_nan=False)
LONGEST_S = 1e-5 * 1.02**1200


def histogram_of(durations_s: list[float]) -> LogHistogram:
    histogram = LogHistogram()
    for duration_s in durations_s:
        histogram.record(duration_s)
    return histogram


@given(duration_s=st.floats(1e-5, LONGEST_S))
@example(1.0)
@example(1e-5 * 1.02)
def test_a_duration_is_told_to_within_half_a_bucket(duration_s: float) -> None:
    told_s = histogram_of([duration_s]).quantile(0.5)
    assert told_s is not None
    assert abs(math.log(told_s / duration_s)) <= math.log(1.02) / 2 * (1 + 1e-6)


@given(duration_s=DURATIONS_S.filter(lambda duration_s: not 1e-5 < duration_s < LONGEST_S))
def test_durations_outside_go_to_the_end_buckets(duration_s: float) -> None:
    assert histogram_of([duration_s]).maximum == pytest.approx(1e-5 if duration_s <= 1e-5 else LONGEST_S)


@given(some=st.lists(DURATIONS_S), others=st.lists(DURATIONS_S))
def test_histograms_added_are_the_histogram_of_all(some: list[float], others: list[float]) -> None:
    merged, together = histogram_of(some), histogram_of(some + others)
    merged.add(histogram_of(others))
    assert (merged.counts, merged.total) == (together.counts, together.total)
    assert merged.total == sum(merged.counts.values()) == len(some) + len(others)


@given(st.lists(st.integers(-(10**10), 10**16), max_size=50))
def test_durations_that_are_kept_are_counted_when_asked_for(durations_ns: list[int]) -> None:
    durations, asked = Durations(), LogHistogram()
    for place, duration_ns in enumerate(durations_ns):
        durations.keep(duration_ns)
        if place % 7 == 0:
            asked = durations.histogram.copy()
    whole = durations.histogram
    assert whole.counts == histogram_of([duration_ns / 1e9 for duration_ns in durations_ns]).counts
    assert whole.total == len(durations_ns)
    assert asked.total <= whole.total
