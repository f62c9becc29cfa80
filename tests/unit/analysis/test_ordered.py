"""Goal: what stands most often is the same text in every order of the rows. Method: hypothesis against the standard
library's count."""

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from smbench.analysis.numbers.ordered import commonest


@given(st.lists(st.sampled_from(["b", "a", "c", None])))
def test_of_texts_that_stand_equally_often_the_first_in_the_alphabet_is_named(texts: list[str | None]) -> None:
    counts = Counter(text for text in texts if text is not None)
    expected = min(counts, key=lambda text: (-counts[text], text), default=None)
    assert commonest(pl.Series("word", texts, dtype=pl.String)) == expected
