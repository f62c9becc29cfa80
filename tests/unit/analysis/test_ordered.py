"""Goal: what stands most often is the same text in every order of the rows, and a quantile is one of the values.

Method: hypothesis against the standard library's count, and against the rule of every percentile of latency.
"""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.analysis.numbers.bounds import PERCENTILES, distribution
from smbench.analysis.numbers.ordered import chance_between, commonest, of_next, of_rank


@pytest.mark.slow
@given(st.lists(st.sampled_from(["b", "a", "c", None])))
def test_of_texts_that_stand_equally_often_the_first_in_the_alphabet_is_named(texts: list[str | None]) -> None:
    counts = Counter(text for text in texts if text is not None)
    expected = min(counts, key=lambda text: (-counts[text], text), default=None)
    assert commonest(pl.Series("word", texts, dtype=pl.String)) == expected


@pytest.mark.slow
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=60))
def test_a_quantile_of_counts_has_the_rank_of_a_percentile_of_latencies(counts: list[int]) -> None:
    found = distribution(np.array(counts, dtype=np.float64))
    for name, share in PERCENTILES.items():
        if (same := found.percentile(name)) is not None:
            assert of_rank(pl.Series(counts), share) == same.value


@pytest.mark.parametrize("n", [1, 2, 5, 18, 19, 20, 200])
def test_the_chance_between_two_ranks_is_that_of_one_more_draw(n: int) -> None:
    """Of n uniform draws that of rank k is k / (n + 1) on average, and a draw is below u with a chance of u."""
    in_order = [k / (n + 1) for k in range(1, n + 1)]
    between = of_next(in_order, 0.95) - of_next(in_order, 0.05)
    assert chance_between(n, 0.05, 0.95) == pytest.approx(between, abs=1e-12)
    assert chance_between(n, 0.05, 0.95) == pytest.approx(min(0.9, (n - 1) / (n + 1)), abs=1e-12)
