"""Goal: a percentile is a number only where it is known; requests without an end are neither dropped nor finished.

Method: small sets whose ranks are counted by hand; then what completing later could make of a censored set.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.analysis.numbers.bounds import PERCENTILES, Bounded, distribution
from smbench.scenario.thresholds import parse_threshold

_ages = st.lists(st.floats(0.0, 1e6, allow_nan=False), max_size=30)


def seconds(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(values, dtype=np.float64)


def test_percentiles_are_values_that_were_seen_not_values_between() -> None:
    spread = distribution(seconds(*range(1, 21)))  # 1..20
    # inverse ECDF: rank ceil(q n) = 10, 18, 19, 20
    assert [spread.percentile(name) for name in ("p50", "p90", "p95", "p99", "max")] == [
        Bounded.exactly(value) for value in (10.0, 18.0, 19.0, 20.0, 20.0)
    ]
    assert spread.mean_s == 10.5


def test_a_percentile_above_the_completed_share_is_more_than_what_was_watched() -> None:
    # 250 requests at once, 186 done after 1..186 s, 64 without an end after 900 s: 74.4 % completed.
    spread = distribution(seconds(*range(1, 187)), censored_s=np.full(64, 900.0))
    assert (spread.n, spread.n_censored, spread.n_never) == (250, 64, 0)
    assert spread.p50 == Bounded.exactly(125.0)
    assert spread.p90 == Bounded(low=900.0, high=None)
    assert spread.p90.text() == "> 15 m"
    assert spread.max == Bounded(low=900.0, high=None)


def test_what_expired_never_completes_and_is_not_left_out() -> None:
    spread = distribution(seconds(1.0, 2.0, 3.0), never_s=seconds(60.0))
    assert spread.p50 == Bounded.exactly(2.0)
    assert spread.p90 == Bounded(low=60.0, high=None, never=True)
    assert spread.mean_s is None
    assert (spread.n, spread.n_never) == (4, 1)


def test_a_mean_is_of_all_or_there_is_none() -> None:
    assert distribution(seconds(1.0, 2.0, 6.0)).mean_s == 3.0
    assert distribution(seconds(1.0, 2.0), censored_s=seconds(6.0)).mean_s is None  # 1.5 s would be of the quick ones
    assert distribution(seconds(1.0, 2.0), least_s=seconds(0.5, 2.0)).mean_s is None
    assert distribution(seconds(1.0, 2.0), least_s=seconds(2.0, 1.0)).mean_s == 1.5
    assert distribution(seconds()).mean_s is None


def test_a_young_request_without_an_end_leaves_a_percentile_between_two_bounds() -> None:
    # Done after 1, 2, 3 s; one is 1.5 s old. If it ends now the median (rank 2 of 4) is 1.5 s, if never it is 2 s.
    spread = distribution(seconds(1.0, 2.0, 3.0), censored_s=seconds(1.5))
    assert spread.p50 == Bounded(low=1.5, high=2.0)
    assert spread.p50.value is None
    assert spread.p50.text() == "1.50 s to 2.00 s"


def test_one_request_is_every_percentile() -> None:
    spread = distribution(seconds(0.31))
    assert {name: spread.percentile(name) for name in PERCENTILES if name != "p999"} == dict.fromkeys(
        ("p50", "p90", "p95", "p99", "max"), Bounded.exactly(0.31)
    )


def test_no_request_has_no_percentile() -> None:
    spread = distribution(seconds())
    assert spread.n == 0
    assert (spread.mean_s, spread.p50, spread.max) == (None, None, None)


def test_nothing_completed_is_more_than_the_ages_at_every_percentile() -> None:
    spread = distribution(seconds(), censored_s=seconds(10.0, 20.0))
    assert spread.p50 == Bounded(low=10.0, high=None)
    assert spread.max == Bounded(low=20.0, high=None)


def test_the_thousandth_is_told_only_of_ten_thousand() -> None:
    assert distribution(np.arange(9_999.0)).p999 is None
    assert distribution(np.arange(10_000.0)).p999 == Bounded.exactly(9_989.0)  # rank 9,990 of 0..9,999


def test_a_percentile_is_thin_below_ten_requests_above_it() -> None:
    spread = distribution(np.arange(200.0))  # 10 above p95, 2 above p99
    assert [name for name in PERCENTILES if spread.is_thin(name)] == ["p99", "p999"]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(known=_ages, censored=_ages, never=_ages, later=st.data())
def test_whatever_the_open_requests_do_the_percentile_stays_within_its_bounds(
    known: list[float], censored: list[float], never: list[float], later: st.DataObject
) -> None:
    waits = later.draw(st.lists(st.floats(0, 1e6), min_size=len(censored), max_size=len(censored)))
    ends = [age + wait for age, wait in zip(censored, waits, strict=True)]
    before = distribution(seconds(*known), seconds(*censored), seconds(*never))
    truth = sorted([*known, *ends, *(math.inf for _ in never)])
    assert before.n == len(truth)
    for name, share in PERCENTILES.items():
        figure = before.percentile(name)
        if figure is None:
            assert not truth or name == "p999"
            continue
        true = truth[max(1, math.ceil(share * len(truth))) - 1]
        assert true == math.inf if figure.never else figure.low <= true
        if figure.high is not None:
            assert true <= figure.high


@pytest.mark.parametrize(
    ("figure", "text", "met"),
    [
        (Bounded.exactly(479.9), "sojourn_p95 < 8m", True),
        (Bounded.exactly(480.0), "sojourn_p95 < 8m", False),
        (Bounded(low=900.0, high=None), "sojourn_p95 < 8m", False),  # more than 15 minutes is more than 8
        (Bounded(low=100.0, high=None), "sojourn_p95 < 8m", None),  # it may still end in time
        (Bounded(low=100.0, high=None, never=True), "sojourn_p95 < 8m", False),  # it failed: no time is enough
        (Bounded(low=100.0, high=200.0), "sojourn_p95 < 8m", True),
        (Bounded(low=100.0, high=500.0), "sojourn_p95 < 8m", None),
        (Bounded(low=500.0, high=None), "sojourn_p95 > 8m", True),
        (Bounded(low=100.0, high=None), "sojourn_p95 != 8m", None),
        (Bounded(low=500.0, high=None), "sojourn_p95 != 8m", True),
        (Bounded(low=1.0, high=2.0), "sojourn_p95 == 8m", False),
    ],
)
def test_a_threshold_is_met_missed_or_not_to_be_known(figure: Bounded, text: str, met: bool | None) -> None:
    assert figure.meets(parse_threshold(text)) is met
