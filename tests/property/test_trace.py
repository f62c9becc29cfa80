"""Goal: a trace made fewer or more keeps its time axis, its mean rate and what is said of its burstiness; a trace
written and read back is the same. Method: hypothesis over traces; for the statistics many seeds and limits from the
spread seen over them."""

import json
import math
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.schedule.base import Instants
from smbench.schedule.trace import Wanted, read_trace, resample, trace_span_ns

S = 10**9


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 77])


def bursty(seed: int = 5) -> tuple[Instants, int]:
    """1,000 s: 40 bursts at random instants, each of 25 requests in about two seconds; index of dispersion about 20."""
    chance = rng(seed)
    starts_ns = chance.integers(0, 995 * S, 40)
    instants = np.sort((starts_ns[:, None] + chance.integers(0, 2 * S, (40, 25))).ravel())
    return instants, 1000 * S


def dispersion(instants: Instants, span_ns: int, width_s: int = 5) -> float:
    counts = np.bincount(instants // (width_s * S), minlength=span_ns // (width_s * S))
    return float(counts.var() / counts.mean())


# --- resampling --------------------------------------------------------------------------------------------------

traces = st.lists(st.integers(0, 100 * S - 1), min_size=1, max_size=60).map(lambda rows: np.array(sorted(rows)))
seeds = st.integers(0, 2**32)


@pytest.mark.slow
@given(traces, st.floats(0.001, 1, exclude_max=True), seeds)
def test_thinning_gives_a_subset_at_unchanged_instants(trace: Instants, factor: float, seed: int) -> None:
    assert Counter(resample(trace, 100 * S, factor, rng(seed)).tolist()) <= Counter(trace.tolist())


@pytest.mark.slow
@given(traces, seeds)
def test_a_factor_of_1_is_the_trace_itself(trace: Instants, seed: int) -> None:
    assert resample(trace, 100 * S, 1.0, rng(seed)).tolist() == trace.tolist()


@pytest.mark.slow
@given(traces, st.integers(2, 9), seeds)
def test_whole_copies_keep_the_span_and_multiply_the_number(trace: Instants, factor: int, seed: int) -> None:
    more = resample(trace, 100 * S, float(factor), rng(seed))
    assert len(more) == factor * len(trace)
    assert (np.diff(more) >= 0).all()
    assert ((more >= 0) & (more < 100 * S)).all()
    assert more.dtype == np.int64
    assert Counter(trace.tolist()) <= Counter(more.tolist())


@pytest.mark.slow
@given(traces, st.floats(1, 9), seeds)
def test_the_number_lies_between_the_whole_copies_below_and_above(trace: Instants, factor: float, seed: int) -> None:
    more = resample(trace, 100 * S, factor, rng(seed))
    assert math.floor(factor) * len(trace) <= len(more) <= math.ceil(factor) * len(trace)


@pytest.mark.slow
@given(st.integers(1, 50), st.floats(0.1, 5), seeds)
def test_simultaneous_arrivals_stay_simultaneous(n: int, factor: float, seed: int) -> None:
    assert set(resample(np.zeros(n, dtype=np.int64), 0, factor, rng(seed)).tolist()) <= {0}


def test_a_copy_is_the_trace_rotated() -> None:
    # Gaps round the circle are those of the trace, whatever the shift.
    trace, span_ns = np.array([0, 1 * S, 3 * S, 7 * S]), 15 * S
    for seed in range(20):
        doubled = Counter(resample(trace, span_ns, 2.0, rng(seed)).tolist())
        copy = np.array(sorted((doubled - Counter(trace.tolist())).elements()))
        gaps = np.diff(copy, append=copy[0] + span_ns) // S
        assert "".join(map(str, gaps.tolist())) in "1248" * 2


@pytest.mark.parametrize("factor", [0.25, 1.5, 3.4])
def test_the_mean_rate_is_the_one_asked_for(factor: float) -> None:
    trace, span_ns = bursty()
    numbers = [len(resample(trace, span_ns, factor, rng(seed))) for seed in range(100)]
    part = factor % 1
    spread = math.sqrt(part * (1 - part) * len(trace) / len(numbers))  # binomial, of the mean of 100
    assert abs(np.mean(numbers) - factor * len(trace)) < 4.5 * spread


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_thinning_shrinks_the_dispersion_above_1_in_proportion(p: float) -> None:
    trace, span_ns = bursty()
    thinned = np.array([dispersion(resample(trace, span_ns, p, rng(seed)), span_ns) for seed in range(200)])
    expected = 1 + p * (dispersion(trace, span_ns) - 1)
    assert abs(thinned.mean() - expected) < 4.5 * thinned.std() / math.sqrt(200) + 0.01 * expected


@pytest.mark.parametrize("k", [2, 4])
def test_copies_keep_the_dispersion_and_lower_the_peak(k: int) -> None:
    trace, span_ns = bursty()
    copies = [resample(trace, span_ns, float(k), rng(seed)) for seed in range(200)]
    dispersions = np.array([dispersion(more, span_ns) for more in copies])
    # The first copy meets the windows as recorded, the others at any place: their mean over all places of a window.
    places = [dispersion(np.sort((trace + shift_ns) % span_ns), span_ns) for shift_ns in range(0, 5 * S, S // 20)]
    expected = (dispersion(trace, span_ns) + (k - 1) * np.mean(places)) / k
    assert abs(dispersions.mean() - expected) < 4.5 * dispersions.std() / math.sqrt(200)
    assert dispersion(trace, span_ns) > 10
    peak_over_mean = [np.bincount(more // (5 * S)).max() / (len(more) / 200) for more in copies]
    assert np.mean(peak_over_mean) < 0.8 * np.bincount(trace // (5 * S)).max() / (len(trace) / 200)


def test_shifts_have_no_favourite_place() -> None:
    # One arrival at 0 and its copy: over the seeds the copy lies anywhere in the span.
    places = [int(resample(np.zeros(1, dtype=np.int64), 8 * S, 2.0, rng(seed)).max()) for seed in range(400)]
    counts = np.bincount(np.array(places) // S, minlength=8)
    assert ((counts - 50) ** 2 / 50).sum() < 26  # chi-squared, 7 degrees of freedom: 26 has p = 0.0005


@pytest.mark.slow
@given(traces)
def test_the_span_reaches_beyond_the_last_arrival(trace: Instants) -> None:
    since_first = trace - trace[0]
    span_ns = trace_span_ns(since_first)
    assert span_ns > since_first[-1] or span_ns == since_first[-1] == 0


# --- written and read back ---------------------------------------------------------------------------------------

EPOCH = datetime(2023, 11, 16, 23, 59, 58, tzinfo=UTC)
rows_100ns = st.lists(st.integers(0, 10**9), min_size=1, max_size=25)  # up to 100 s in tenths of a microsecond


def written(how: str, at_100ns: int) -> str:
    whole_s, rest = divmod(at_100ns, 10**7)
    match how:
        case "date":
            return f"{EPOCH + timedelta(seconds=whole_s):%Y-%m-%d %H:%M:%S}.{rest:07d}"
        case "zoned":
            return f"{EPOCH + timedelta(seconds=whole_s, hours=5.5):%Y-%m-%dT%H:%M:%S}.{rest:07d}+05:30"
        case "epoch":
            return f"{1_700_000_000 + whole_s}.{rest:07d}"
        case _:
            return str(at_100ns * 100)


@pytest.mark.slow
@given(rows_100ns, st.sampled_from(["date", "zoned", "epoch", "ns"]), st.sampled_from(["csv", "jsonl"]))
def test_a_trace_written_in_any_way_is_read_back_exactly(rows: list[int], how: str, form: str) -> None:
    name = "time_ns" if how == "ns" else "time"
    cells = [written(how, row) for row in rows]
    if form == "csv":
        text = "\n".join(["id," + name, *(f"{place},{cell}" for place, cell in enumerate(cells))])
    else:
        text = "\n".join(json.dumps({name: cell, "id": place}) for place, cell in enumerate(cells))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trace.{form}"
        path.write_text(text)
        assert read_trace(path).arrivals_ns.tolist() == [(row - min(rows)) * 100 for row in sorted(rows)]


@pytest.mark.slow
@given(st.lists(st.integers(0, 30), min_size=2, max_size=20).filter(any), st.sampled_from([1, 60, 3600]))
def test_counts_come_back_bin_by_bin(counts: list[int], width_s: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bins.csv"
        path.write_text("\n".join(["t_s,n", *(f"{place * width_s},{n}" for place, n in enumerate(counts))]))
        instants = read_trace(path, Wanted(counts="n")).arrivals_ns
    first_bin = next(place for place, n in enumerate(counts) if n)
    half_gap_ns = width_s * S / counts[first_bin] / 2
    in_bin = np.bincount((instants + round(half_gap_ns)) // (width_s * S), minlength=len(counts) - first_bin)
    assert in_bin.tolist() == counts[first_bin:][: len(in_bin)]
    assert int(in_bin.sum()) == sum(counts)
