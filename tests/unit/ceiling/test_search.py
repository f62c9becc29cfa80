"""Goal: the search finds the ceiling of any machine to within its step, and is not fooled by one bad moment.

Method: hypothesis over machines that keep every rate up to their ceiling, and over moments at which they do not.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.ceiling.search import Search

SEARCHES = st.builds(
    Search,
    first_hz=st.floats(20, 1000),
    growth=st.floats(1.1, 3),
    n_halvings=st.integers(0, 5),
    lowest_hz=st.just(10.0),
    highest_hz=st.just(20_000.0),
)


def trials(search: Search, is_kept: Callable[[int, float], bool]) -> list[tuple[float, bool]]:
    """What a search tries, and how it went; `is_kept` is asked with the trial's number."""
    made: list[tuple[float, bool]] = []
    rates = search.rates()
    try:
        rate_hz = next(rates)
        while True:
            made.append((rate_hz, is_kept(len(made), rate_hz)))
            rate_hz = rates.send(made[-1][1])
    except StopIteration:
        return made


def highest_kept(made: list[tuple[float, bool]]) -> float:
    return max((rate_hz for rate_hz, kept in made if kept), default=0.0)


@pytest.mark.slow
@given(SEARCHES, st.floats(1, 100_000))
def test_the_ceiling_is_found_to_within_the_last_step(search: Search, ceiling_hz: float) -> None:
    found_hz = highest_kept(trials(search, lambda _, rate_hz: rate_hz <= ceiling_hz))
    assert found_hz <= ceiling_hz
    step = search.growth ** (0.5**search.n_halvings) * (1 + 1e-9)
    if ceiling_hz < search.lowest_hz:
        assert found_hz == 0.0
    elif ceiling_hz >= search.lowest_hz * search.growth:
        assert found_hz * step >= min(ceiling_hz, search.highest_hz)


@pytest.mark.slow
@given(SEARCHES, st.floats(1, 100_000))
def test_a_search_ends_and_tries_no_rate_a_third_time(search: Search, ceiling_hz: float) -> None:
    made = trials(search, lambda _, rate_hz: rate_hz <= ceiling_hz)
    rates_hz = [rate_hz for rate_hz, _ in made]
    assert all(rates_hz.count(rate_hz) <= (1 if rate_hz <= ceiling_hz else 2) for rate_hz in rates_hz)


@pytest.mark.slow
@given(SEARCHES, st.floats(100, 20_000), st.integers(0, 30))
def test_one_bad_moment_does_not_change_the_ceiling(search: Search, ceiling_hz: float, bad: int) -> None:
    calm = trials(search, lambda _, rate_hz: rate_hz <= ceiling_hz)
    disturbed = trials(search, lambda n, rate_hz: rate_hz <= ceiling_hz and n != bad)
    assert highest_kept(disturbed) == highest_kept(calm)


def test_rates_grow_until_one_is_not_kept_twice_and_then_the_gap_is_halved_in_ratio() -> None:
    search = Search(first_hz=100, growth=4, n_halvings=2)
    made = trials(search, lambda _, rate_hz: rate_hz <= 450)
    assert made == [(100, True), (400, True), (1600, False), (1600, False)] + 2 * [(800, False)] + 2 * [
        ((400 * 800) ** 0.5, False)
    ]
