"""Goal: the four laws of every arrival process.

1. Sorted, int64, inside the span.  2. The same seed gives the same arrivals, another seed others.  3. The right law:
after time-rescaling by Λ, gaps are Exp(1) (Kolmogorov-Smirnov) and counts vary as a Poisson process's do (index of
dispersion), or, without chance, the k-th arrival lies at mass k.  4. No seams: no instant is special.

Method: hypothesis over the parameters for 1 and 2; for 3 and 4 eight fixed seeds each, with limits from the known
spread of the statistic. A right process has p-values uniform on 0..1: over all the seeds here one below 1e-5 has a
chance of 0.3 %, a mean of eight below 0.04 lies 4.5 standard deviations off. Λ is integrated numerically from the
rate, never taken from the code under test.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from smbench.schedule import arrivals
from smbench.schedule.arrivals import Floats, Points, at_random, evenly
from smbench.schedule.base import Instants

S = 10**9
SEEDS = range(8)


@dataclass(frozen=True)
class Process:
    """A process under test: how it is drawn, and its rate restated."""

    draw: Callable[[Points], Instants]
    rate_hz: Callable[[Floats], Floats]
    span_s: float

    def mass(self, instants: Instants) -> Floats:
        """Λ at each arrival: Simpson's rule on cells so small that its error is below 1e-6."""
        edges = np.linspace(0, self.span_s, 400_001)
        cell = edges[1]
        inside = (
            self.rate_hz(edges[:-1] + 1e-9 * cell),
            self.rate_hz(edges[:-1] + cell / 2),
            self.rate_hz(edges[1:] - 1e-9 * cell),
        )
        total = np.concatenate([[0.0], np.cumsum((inside[0] + 4 * inside[1] + inside[2]) * cell / 6)])
        at_mass: Floats = np.interp(instants / S, edges, total)
        return at_mass


def _steps_rate(t_s: Floats) -> Floats:
    rate_hz: Floats = np.array([20.0, 0.0, 60.0, 5.0])[np.minimum(3, (t_s // 25).astype(int))]
    return rate_hz


PROCESSES = {
    "level": Process(lambda p: arrivals.steps([37.0], 100 * S, p), lambda t: np.full_like(t, 37.0), 100),
    "rising": Process(lambda p: arrivals.ramp(0, 70, 100 * S, p), lambda t: 0.7 * t, 100),
    "falling": Process(lambda p: arrivals.ramp(60, 5, 100 * S, p), lambda t: 60 - 0.55 * t, 100),
    "steps": Process(lambda p: arrivals.steps([20, 0, 60, 5], 25 * S, p), _steps_rate, 100),
    "sine": Process(
        lambda p: arrivals.sine(30, 20, 17, 100 * S, p), lambda t: 30 + 20 * np.sin(2 * math.pi * t / 17), 100
    ),
    "deep sine": Process(
        lambda p: arrivals.sine(30, 30, 60, 100 * S, p), lambda t: 30 + 30 * np.sin(2 * math.pi * t / 60), 100
    ),
}  # fmt: skip
every_process = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 2023])


def dispersion_deviation(counts: NDArray[np.int64]) -> float:
    """How many standard deviations the variance-to-mean ratio is off 1; for Poisson counts its spread is √(2/(n-1))."""
    return float((counts.var(ddof=1) / counts.mean() - 1) / math.sqrt(2 / (len(counts) - 1)))


def looks_like_chance(pvalues: Sequence[float]) -> bool:
    return min(pvalues) > 1e-5 and float(np.mean(pvalues)) > 0.04


# --- 1. sorted, int64, inside the span ---------------------------------------------------------------------------

rates = st.floats(0, 50)
spans_ns = st.one_of(st.integers(0, 1000), st.integers(0, 60 * S))
points = st.one_of(st.just(evenly), st.integers(0, 2**32).map(lambda seed: at_random(rng(seed))))


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Instants, int]:
    """Any process with any parameters, and its span."""
    span_ns, how = draw(spans_ns), draw(points)
    high_hz = draw(st.floats(1e-3, 50))
    low_hz = draw(st.floats(0, 1)) * high_hz
    kind = draw(st.sampled_from(["constant", "poisson", "ramp", "fall", "steps", "sine", "burst"]))
    match kind:
        case "constant":
            return arrivals.constant(high_hz, span_ns), span_ns
        case "poisson":
            return arrivals.poisson(high_hz, span_ns, rng(draw(st.integers(0, 2**32)))), span_ns
        case "ramp":
            return arrivals.ramp(low_hz, high_hz, span_ns, how), span_ns
        case "fall":
            return arrivals.ramp(high_hz, low_hz, span_ns, how), span_ns
        case "steps":
            several = draw(st.lists(rates, min_size=1, max_size=5))
            return arrivals.steps(several, span_ns, how), span_ns * len(several)
        case "sine":
            period_s = draw(st.floats(1e-3, 1e4))
            return arrivals.sine(high_hz, low_hz, period_s, span_ns, how), span_ns
        case _:
            return arrivals.burst(draw(st.integers(1, 500)), span_ns), span_ns


@pytest.mark.slow
@given(drawn())
def test_arrivals_are_sorted_int64_and_inside_the_span(case: tuple[Instants, int]) -> None:
    instants, span_ns = case
    assert instants.dtype == np.int64
    assert (np.diff(instants) >= 0).all()
    assert ((instants >= 0) & (instants < max(1, span_ns))).all()


@pytest.mark.slow
@given(st.floats(0, 1e4), st.integers(0, 2**32))
def test_points_are_ascending_and_below_the_mass(mass: float, seed: int) -> None:
    for how in (evenly, at_random(rng(seed))):
        taken = how(mass)
        assert (np.diff(taken) > 0).all()
        assert ((taken >= 0) & (taken < mass)).all()


@given(st.floats(0, 1e4))
def test_even_points_fill_the_mass(mass: float) -> None:
    n = len(evenly(mass))
    assert n - 1 < mass + 1e-6
    assert n >= mass - 1e-6


# --- 2. the seed decides -----------------------------------------------------------------------------------------


@every_process
def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others(process: Process) -> None:
    first, again, other = (process.draw(at_random(rng(seed))) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.slow
@given(st.floats(0.1, 50), st.integers(0, 30 * S), st.integers(0, 30 * S), st.integers(0, 2**32))
def test_a_longer_phase_keeps_the_arrivals_of_a_shorter_one(
    rate_hz: float, span_ns: int, more_ns: int, seed: int
) -> None:
    draws: list[Callable[[int, np.random.Generator], Instants]] = [
        lambda span, chance: arrivals.poisson(rate_hz, span, chance),
        lambda span, chance: arrivals.sine(rate_hz, rate_hz / 2, 11.0, span, at_random(chance)),
        lambda span, _chance: arrivals.constant(rate_hz, span),
    ]
    for draw in draws:
        short, long = draw(span_ns, rng(seed)), draw(span_ns + more_ns, rng(seed))
        # The last one may have been held back by the shorter span's end.
        assert short[:-1].tolist() == long[: max(0, len(short) - 1)].tolist()


@pytest.mark.slow
@given(st.floats(0.1, 50), st.integers(0, 2**32))
def test_another_rate_stretches_the_same_pattern(rate_hz: float, seed: int) -> None:
    slow = arrivals.poisson(rate_hz, 20 * S, rng(seed))
    fast = arrivals.poisson(2 * rate_hz, 10 * S, rng(seed))
    assert len(slow) == len(fast)
    assert (np.abs(slow - 2 * fast) <= 2).all()


# --- 3. the right law --------------------------------------------------------------------------------------------


@every_process
def test_without_chance_the_kth_arrival_lies_at_mass_k(process: Process) -> None:
    instants = process.draw(evenly)
    assert np.abs(process.mass(instants) - np.arange(len(instants))).max() < 1e-4


@pytest.mark.slow
@every_process
def test_with_chance_rescaled_gaps_are_exponential(process: Process) -> None:
    gaps = [np.diff(process.mass(process.draw(at_random(rng(seed)))), prepend=0.0) for seed in SEEDS]
    assert looks_like_chance([stats.kstest(of_seed, "expon").pvalue for of_seed in gaps])


@pytest.mark.slow
@every_process
def test_with_chance_counts_vary_as_much_as_their_mean(process: Process) -> None:
    mass = float(process.mass(np.array([process.span_s * S - 1]))[0])
    deviations = []
    for seed in SEEDS:
        at_mass = process.mass(process.draw(at_random(rng(seed))))
        for width in (2.0, 20.0):
            counts = np.histogram(at_mass, np.arange(0, mass, width))[0]
            deviations.append(dispersion_deviation(counts))
    assert np.abs(deviations).max() < 4.5
    assert abs(np.mean(deviations)) < 4.5 / math.sqrt(len(SEEDS))  # both widths see the same arrivals


@every_process
def test_with_chance_the_number_of_arrivals_is_poisson(process: Process) -> None:
    mass = float(process.mass(np.array([process.span_s * S - 1]))[0])
    numbers = np.array([len(process.draw(at_random(rng(seed)))) for seed in range(60)])
    assert abs(numbers.mean() - mass) < 4.5 * math.sqrt(mass / len(numbers))
    assert abs(dispersion_deviation(numbers)) < 4.5


# --- 4. no seams -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beat_ns", [S, S // 10, 10**6, 1000], ids=["second", "tenth", "millisecond", "microsecond"])
@pytest.mark.parametrize("rate_hz", [5.0, 500.0])
def test_no_place_within_a_second_or_a_millisecond_is_special(rate_hz: float, beat_ns: int) -> None:
    drawn_ns = [arrivals.poisson(rate_hz, round(20_000 / rate_hz) * S, rng(seed)) for seed in SEEDS]
    assert looks_like_chance([uniform_pvalue(instants, beat_ns) for instants in drawn_ns])
    assert sum(int((instants % beat_ns == 0).sum()) for instants in drawn_ns) <= 5 + 2 * 8 * 20_000 / beat_ns


def test_nothing_bunches_at_the_corners_of_steps() -> None:
    # 400 steps of 50 ms at alternating rates: places within a step are uniform, its corners included.
    drawn_ns = [arrivals.steps([100.0, 300.0] * 200, S // 20, at_random(rng(seed))) for seed in SEEDS]
    assert looks_like_chance([uniform_pvalue(instants, S // 20) for instants in drawn_ns])


def test_no_place_on_the_wave_is_special() -> None:
    pvalues = []
    for seed in SEEDS:
        on_wave_s = arrivals.sine(50, 50, 2.5, 250 * S, at_random(rng(seed))) % (5 * S // 2) / S
        # One wave's Λ as a share of the whole: t/P + (1 - cos(2πt/P)) / 2π at A = m.
        share = on_wave_s / 2.5 + (1 - np.cos(2 * math.pi * on_wave_s / 2.5)) / (2 * math.pi)
        pvalues.append(stats.kstest(share, "uniform").pvalue)
    assert looks_like_chance(pvalues)


def test_the_first_and_the_last_gap_are_as_random_as_any_other() -> None:
    drawn_ns = [arrivals.poisson(10, 20 * S, rng(seed)) for seed in range(400)]
    assert stats.kstest([instants[0] * 10 / S for instants in drawn_ns], "expon").pvalue > 1e-3
    assert stats.kstest([(20 * S - instants[-1]) * 10 / S for instants in drawn_ns], "expon").pvalue > 1e-3


def uniform_pvalue(instants: Instants, beat_ns: int) -> float:
    return float(stats.kstest((instants % beat_ns + 0.5) / beat_ns, "uniform").pvalue)
