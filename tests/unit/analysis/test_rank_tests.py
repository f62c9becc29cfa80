"""Goal: the counted distributions are scipy's, and the closed forms of small groups.

Method: scipy as the oracle, with and without ties; then laws: an order, not numbers, decides.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, permutation_test

from smbench.analysis.numbers.rank_tests import N_MAX, cliffs_delta, cut, holm, p_greater, p_least, p_two_sided

_whole = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=5)


def array(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(values, dtype=np.float64)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 5), (5, 5), (6, 4), (9, 9), (12, 7)])
def test_without_ties_p_is_scipys_exact_mann_whitney(n: int, m: int) -> None:
    rng = np.random.default_rng(n * 100 + m)
    for _ in range(5):
        values, reference = rng.lognormal(0.4, 1, n), rng.lognormal(0, 1, m)
        oracle = mannwhitneyu(values, reference, alternative="greater", method="exact")
        assert p_greater(values, reference) == pytest.approx(oracle.pvalue, rel=1e-12)
        oracle = mannwhitneyu(values, reference, method="exact")
        assert p_two_sided(values, reference) == pytest.approx(oracle.pvalue, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(values=_whole, reference=_whole)
def test_with_ties_p_is_scipys_exact_permutation_test_of_the_ranks(values: list[float], reference: list[float]) -> None:
    if len(values) + len(reference) < 3 or min(len(values), len(reference)) < 2:
        return
    pooled = np.concatenate([values, reference])
    ranks = np.searchsorted(np.sort(pooled), pooled, "left") + np.searchsorted(np.sort(pooled), pooled, "right")

    def statistic(mine: np.ndarray, theirs: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(mine.sum(axis=axis))

    groups = (ranks[: len(values)], ranks[len(values) :])
    oracle = permutation_test(groups, statistic, n_resamples=math.inf, alternative="greater", vectorized=True)
    assert p_greater(array(*values), array(*reference)) == pytest.approx(oracle.pvalue, abs=1e-12)
    oracle = permutation_test(groups, statistic, n_resamples=math.inf, vectorized=True)
    assert p_two_sided(array(*values), array(*reference)) == pytest.approx(oracle.pvalue, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(values=_whole, reference=_whole)
def test_only_the_order_counts_and_infinity_has_its_place_in_it(values: list[float], reference: list[float]) -> None:
    mine, theirs = array(*values), array(*reference)
    stretched = [np.where(side == 6, math.inf, np.exp(side)) for side in (mine, theirs)]
    assert p_two_sided(*stretched) == p_two_sided(mine, theirs)
    assert cliffs_delta(*stretched) == cliffs_delta(mine, theirs)


@settings(max_examples=40, deadline=None)
@given(values=_whole, reference=_whole)
def test_swapping_the_groups_changes_the_sign_and_nothing_else(values: list[float], reference: list[float]) -> None:
    mine, theirs = array(*values), array(*reference)
    assert p_two_sided(mine, theirs) == pytest.approx(p_two_sided(theirs, mine), rel=1e-12)
    assert cliffs_delta(mine, theirs) == -cliffs_delta(theirs, mine)


def test_groups_that_do_not_overlap_have_the_least_p_there_is() -> None:
    for n, m in ((1, 1), (2, 3), (5, 5), (20, 20)):
        assert p_least(n, m) == pytest.approx(min(1.0, 2 / math.comb(n + m, n)), rel=1e-12)
    assert cliffs_delta(array(3, 4), array(1, 2)) == 1.0
    assert cliffs_delta(array(1, 2), array(1, 2)) == 0.0
    # Of the nine pairs (2, 3, 9) x (1, 3, 5): five greater, three smaller, one neither.
    assert cliffs_delta(array(2, 3, 9), array(1, 3, 5)) == pytest.approx(2 / 9)


def test_the_interval_cuts_off_as_many_differences_as_the_tables_say() -> None:
    # Critical values of U at 2.5 % a side (any table of Mann and Whitney): 5, 5: 2; 6, 6: 5; 8, 8: 13; 10, 10: 23.
    for n, critical in ((4, 0), (5, 2), (6, 5), (8, 13), (10, 23)):
        assert cut(n, n, 0.95).n == critical
        assert cut(n, n, 0.95).confidence >= 0.95
    assert cut(7, 3, 0.95) == cut(3, 7, 0.95)


def test_groups_too_small_for_the_confidence_say_what_the_whole_range_has() -> None:
    # P(U <= 0) = 1 / C(n + m, n): 1 - 2/20 and 1 - 2/6.
    assert cut(3, 3, 0.95).n == 0
    assert cut(3, 3, 0.95).confidence == pytest.approx(0.9)
    assert cut(2, 2, 0.95).confidence == pytest.approx(2 / 3)
    assert cut(1, 1, 0.95).confidence == pytest.approx(0.0)


@pytest.mark.slow
def test_the_interval_covers_as_stated_whatever_the_law() -> None:
    rng = np.random.default_rng(5)
    where = cut(5, 5, 0.95)
    n_covered, n_tried = 0, 4000
    for _ in range(n_tried):
        differences = np.sort(np.subtract.outer(rng.gumbel(0.3, 1, 5), rng.gumbel(0, 1, 5)), axis=None)
        n_covered += differences[where.n] <= 0.3 <= differences[len(differences) - 1 - where.n]
    # Binomial: 0.968 with a standard error of 0.0028.
    assert n_covered / n_tried == pytest.approx(where.confidence, abs=0.012)


def test_the_most_values_allowed_are_counted_without_overflow() -> None:
    half = N_MAX // 2
    assert p_least(half, half) == pytest.approx(2 / math.comb(N_MAX, half), rel=1e-9)


def test_holm_multiplies_the_smallest_by_how_many_there_are_and_never_falls() -> None:
    # 0.01 * 4, then max(0.04, 0.02 * 3), max(0.06, 0.03 * 2), max(0.06, 0.5 * 1).
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(probabilities: list[float]) -> None:
    adjusted = holm(probabilities)
    for p, q in zip(probabilities, adjusted, strict=True):
        assert p <= q <= min(1.0, p * len(probabilities)) or q == pytest.approx(p)
    order = np.argsort(probabilities, kind="stable")
    assert np.all(np.diff(np.asarray(adjusted)[order]) >= 0)
