"""The ledger's columns: what they hold of a row, and how much memory that takes."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.generator.tracking.ledger import Ledger

N = 20_000


def ledger_of(seq: list[int] | np.ndarray) -> Ledger:
    n = len(seq)
    return Ledger(
        np.asarray(seq, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int16),
        np.zeros(n, dtype=np.int32),
        phase_names=["steady"],
        warmup=[False],
        payload_names=["json"],
        size_bytes=[10],
        id_prefix="run-0-",
        worker=0,
        epoch_ns=0,
    )


@pytest.mark.parametrize("of", [1, 3])
def test_a_row_costs_at_most_105_bytes(of: int) -> None:
    rows = np.arange(0, N * of, of)
    tracemalloc.start()
    ledger = ledger_of(rows)
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held_bytes / ledger.n < 105


@pytest.mark.slow
@given(st.sets(st.integers(0, 300), max_size=40), st.booleans())
def test_each_row_is_found_by_its_place_in_the_schedule_and_no_other_place_is(places: set[int], is_even: bool) -> None:
    seq = sorted(places)
    if is_even and len(seq) > 1:
        seq = list(range(seq[0], seq[-1] + 1, max(1, min(b - a for a, b in pairwise(seq)))))
    ledger = ledger_of(seq)
    assert [ledger.position(place) for place in seq] == list(range(len(seq)))
    assert all(ledger.position(place) is None for place in range(-2, 310) if place not in seq)
    assert [ledger.inference_id(index) for index in range(len(seq))] == [f"run-0-{place}" for place in seq]


@pytest.mark.slow
@given(st.sets(st.integers(0, 300), min_size=1, max_size=40), st.data())
def test_versions_of_any_rows_name_their_places_in_the_schedule(places: set[int], data: st.DataObject) -> None:
    ledger = ledger_of(sorted(places))
    changed = data.draw(st.sets(st.integers(0, ledger.n - 1)))
    for index in changed:
        ledger.changed(index)
    taken = [place for versions in ledger.take_changed() for place in versions.columns["seq"].tolist()]
    assert taken == [sorted(places)[index] for index in sorted(changed)]
