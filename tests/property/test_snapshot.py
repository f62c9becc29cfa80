"""Goal: a histogram loses no duration and moves none by more than its bucket's width. Method: any duration, and any two
histograms, by hypothesis."""

import math
from array import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smbench.snapshot import Durations, LogHistogram

DURATIONS_NS = st.integers(-(10**10), 10**16)
SHORTEST_NS = 10_000
LONGEST_NS = round(SHORTEST_NS * 1.02**1200)


def histogram_of(durations_ns: list[int]) -> LogHistogram:
    histogram = LogHistogram()
    histogram.record_all(array("q", durations_ns))
    return histogram


@pytest.mark.slow
@given(duration_ns=st.integers(SHORTEST_NS, LONGEST_NS))
@example(10**9)
@example(10_200)
def test_a_duration_is_told_to_within_half_a_bucket(duration_ns: int) -> None:
    told_s = histogram_of([duration_ns]).quantile(0.5)
    assert told_s is not None
    assert abs(math.log(told_s / (duration_ns / 1e9))) <= math.log(1.02) / 2 * (1 + 1e-6)


@pytest.mark.slow
@given(duration_ns=DURATIONS_NS.filter(lambda duration_ns: not SHORTEST_NS < duration_ns < LONGEST_NS))
def test_durations_outside_go_to_the_end_buckets(duration_ns: int) -> None:
    (bucket,) = histogram_of([duration_ns]).counts
    assert bucket == (0 if duration_ns <= SHORTEST_NS else 1200)


@pytest.mark.slow
@given(durations_ns=st.lists(DURATIONS_NS, min_size=1), share=st.floats(0.0, 1.0))
@example([10**9], 0.99)
def test_no_percentile_is_above_the_maximum_which_is_exact(durations_ns: list[int], share: float) -> None:
    histogram = histogram_of(durations_ns[1:])
    histogram.add(histogram_of(durations_ns[:1]))
    assert histogram.maximum == max(0, *durations_ns) / 1e9
    quantile_s = histogram.quantile(share)
    assert quantile_s is not None
    assert quantile_s <= histogram.maximum


@pytest.mark.slow
@given(some=st.lists(DURATIONS_NS), others=st.lists(DURATIONS_NS))
def test_histograms_added_are_the_histogram_of_all(some: list[int], others: list[int]) -> None:
    merged, together = histogram_of(some), histogram_of(some + others)
    merged.add(histogram_of(others))
    assert (merged.counts, merged.total, merged.longest_ns) == (together.counts, together.total, together.longest_ns)
    assert merged.total == sum(merged.counts.values()) == len(some) + len(others)


@pytest.mark.slow
@given(st.lists(DURATIONS_NS, max_size=50))
def test_durations_that_are_kept_are_counted_when_asked_for(durations_ns: list[int]) -> None:
    durations, asked = Durations(), LogHistogram()
    for place, duration_ns in enumerate(durations_ns):
        durations.keep(duration_ns)
        if place % 7 == 0:
            asked = durations.histogram.copy()
    whole = durations.histogram
    assert whole.counts == histogram_of(durations_ns).counts
    assert whole.total == len(durations_ns)
    assert asked.total <= whole.total
