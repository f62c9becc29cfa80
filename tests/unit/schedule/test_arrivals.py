"""Goal: the evenly spaced processes lie where paper says. Method: tables with the arithmetic beside them."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from smbench.errors import UsageError
from smbench.schedule import arrivals
from smbench.schedule.arrivals import evenly
from smbench.schedule.base import Instants

S = 10**9


def seconds(instants: Instants) -> list[float]:
    return [round(float(instant) / S, 9) for instant in instants]


@pytest.mark.parametrize(
    ("rate_hz", "span_s", "n"),
    [
        (10.0, 1.0, 10),
        (3.0, 10.0, 30),
        (1.1, 50.0, 55),  # 1.1 · 50 = 55.00000000000001 as floats
        (2.3, 50.0, 115),  # 114.99999999999999
        (100 / 3600, 3600.0, 100),
        (1.5, 1.0, 2),  # 0 and 0.667; the third would be at 1.333
        (0.2, 1.0, 1),
        (7.0, 0.0, 0),
    ],
)
def test_a_constant_rate_gives_rate_times_span_arrivals(rate_hz: float, span_s: float, n: int) -> None:
    assert len(arrivals.constant(rate_hz, round(span_s * S))) == n


def test_constant_arrivals_begin_at_0_and_lie_one_gap_apart() -> None:
    assert seconds(arrivals.constant(4.0, 2 * S)) == [0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]


def test_rounding_never_adds_up_over_a_day() -> None:
    # 7/s has a gap of 142857142.857... ns; arrival k lies within half a nanosecond of k/7 s.
    instants = arrivals.constant(7.0, 86_400 * S)
    exact_ns = [k * S / 7 for k in (1, 6, 7, 300_001, 604_799)]
    assert [int(instants[k]) for k in (1, 6, 7, 300_001, 604_799)] == [round(ns) for ns in exact_ns]
    assert set(np.diff(instants).tolist()) == {142_857_142, 142_857_143}


def test_a_burst_is_spread_from_its_first_instant() -> None:
    assert seconds(arrivals.burst(4, 10 * S)) == [0, 2.5, 5, 7.5]
    assert arrivals.burst(3, 10 * S).tolist() == [0, 3_333_333_333, 6_666_666_667]


def test_a_burst_without_a_span_is_simultaneous() -> None:
    assert arrivals.burst(5, 0).tolist() == [0] * 5


def test_a_ramp_from_0_arrives_at_square_roots() -> None:
    # Rate 0 to 2/s in 10 s: Λ(t) = t²/10, so arrival k is at √(10·k); Λ(10) = 10 arrivals.
    assert seconds(arrivals.ramp(0, 2, 10 * S, evenly)) == [round(math.sqrt(10 * k), 9) for k in range(10)]


def test_a_falling_ramp_is_the_rising_one_backwards() -> None:
    # Rate 2/s to 0 in 10 s: arrival k is where 10 - k are left: 10 - √(10·(10 - k)).
    assert seconds(arrivals.ramp(2, 0, 10 * S, evenly)) == [round(10 - math.sqrt(10 * (10 - k)), 9) for k in range(10)]


def test_a_ramp_that_stays_level_is_a_constant_rate() -> None:
    assert arrivals.ramp(3, 3, 7 * S, evenly).tolist() == arrivals.constant(3, 7 * S).tolist()


def test_steps_are_constant_rates_one_after_another() -> None:
    assert seconds(arrivals.steps([1, 2], 3 * S, evenly)) == [0, 1, 2, 3, 3.5, 4, 4.5, 5, 5.5]


def test_steps_carry_the_share_of_an_arrival_over_the_seam() -> None:
    # 0.5 arrivals are due when the first step ends after 1 s; at 2/s the next is complete 0.25 s later.
    assert seconds(arrivals.steps([1.5, 2], S, evenly)) == [0, round(1 / 1.5, 9), 1.25, 1.75]


def test_nothing_arrives_in_a_step_at_rate_0() -> None:
    assert seconds(arrivals.steps([1, 0, 1], 2 * S, evenly)) == [0, 1, 4, 5]
    assert seconds(arrivals.steps([0, 1], 2 * S, evenly)) == [2, 3]
    assert seconds(arrivals.steps([1, 0], 2 * S, evenly)) == [0, 1]
    assert arrivals.steps([0, 0], 2 * S, evenly).tolist() == []


def test_rounded_products_put_no_arrival_into_a_step_at_rate_0() -> None:
    # 1.1 · 50 = 55.00000000000001: without care arrival 55 would come as the silence begins.
    instants = arrivals.steps([1.1, 0, 1.1], 50 * S, evenly)
    assert len(instants) == 110
    assert instants[54] < 50 * S
    assert instants[55] == 100 * S


def test_a_sine_without_amplitude_is_a_constant_rate() -> None:
    near_ns = np.abs(arrivals.sine(3, 0, 60, 7 * S, evenly) - arrivals.constant(3, 7 * S))
    assert near_ns.max() <= 1


@pytest.mark.parametrize(("mean_hz", "amplitude_hz", "period_s"), [(5, 2, 60), (5, 4.9, 60), (5, 5, 60), (40, 40, 7.3)])
def test_a_sine_is_inverted_to_less_than_a_microsecond(mean_hz: float, amplitude_hz: float, period_s: float) -> None:
    omega = 2 * math.pi / period_s

    def integral(t_s: float) -> float:
        return mean_hz * t_s + amplitude_hz / omega * (1 - math.cos(omega * t_s))

    instants = arrivals.sine(mean_hz, amplitude_hz, period_s, 200 * S, evenly)
    assert len(instants) == math.ceil(integral(200.0))
    for k in range(1, len(instants), 7):
        found_s = brentq(lambda t_s, k=k: integral(t_s) - k, 0.0, 200.0, xtol=1e-13)
        assert abs(instants[k] / S - found_s) < 1e-6, k


def test_a_sine_is_inverted_close_to_where_its_rate_is_0() -> None:
    # At A = m Λ grows from the trough as m·(2π/P)²·v³/6: one arrival a period of 10⁶ s, and a mass of 10⁻¹³ away.
    period_s, mass = 1e6, 1e-13
    trough_mass = 0.75 + 1 / (2 * math.pi)
    around = np.array([trough_mass - mass, trough_mass + mass])
    instants = arrivals.sine(1e-6, 1e-6, period_s, 10**6 * S, lambda _mass: around)
    away_s = period_s / (2 * math.pi) * (6 * 2 * math.pi * mass) ** (1 / 3)  # 25 s
    assert (instants / S - 750_000) == pytest.approx([-away_s, away_s], rel=1e-2)  # 10⁻¹⁶ in the mass is 10⁻³ of 10⁻¹³


def test_a_sine_repeats_each_period() -> None:
    # 5/s over 60 s are 300 arrivals a period: arrival k + 300 lies exactly one period after arrival k.
    instants = arrivals.sine(5, 5, 60, 240 * S, evenly)
    assert len(instants) == 1200
    assert np.abs(instants[300:] - instants[:-300] - 60 * S).max() <= 1


def test_a_sine_rises_first() -> None:
    instants = arrivals.sine(10, 8, 60, 60 * S, evenly)
    assert (instants < 30 * S).sum() > 1.5 * (instants >= 30 * S).sum()


RATES: dict[str, tuple[Instants, Callable[[float], float], list[float]]] = {
    "constant": (arrivals.constant(2.3, 20 * S), lambda t: 2.3, []),
    "burst": (arrivals.burst(37, 20 * S), lambda t: 37 / 20, []),
    "rising ramp": (arrivals.ramp(0.5, 4, 20 * S, evenly), lambda t: 0.5 + 3.5 * t / 20, []),
    "ramp to 0": (arrivals.ramp(4, 0, 20 * S, evenly), lambda t: 4 - 4 * t / 20, []),
    "steps": (
        arrivals.steps([1.3, 0, 2.7, 0.4], 5 * S, evenly),
        lambda t: (1.3, 0.0, 2.7, 0.4)[min(3, int(t // 5))],
        [5.0, 10.0, 15.0],
    ),
    "sine": (arrivals.sine(3, 3, 9, 20 * S, evenly), lambda t: 3 + 3 * math.sin(2 * math.pi * t / 9), []),
}


@pytest.mark.parametrize("name", RATES)
def test_the_rate_integrates_to_1_between_neighbours(name: str) -> None:
    instants, rate_hz, corners = RATES[name]
    for left, right in itertools.pairwise(seconds(instants)):
        inside = [corner for corner in corners if left < corner < right]
        mass = quad(rate_hz, left, right, points=inside or None, epsabs=1e-10)[0]
        assert mass == pytest.approx(1.0, abs=2e-8), (left, right)


@pytest.mark.parametrize("name", RATES)
def test_less_than_one_arrival_is_missing_at_the_end(name: str) -> None:
    instants, rate_hz, corners = RATES[name]
    last_s = seconds(instants)[-1]
    left = quad(rate_hz, last_s, 20.0, points=[corner for corner in corners if corner > last_s] or None)[0]
    assert 0 < left <= 1 + 1e-8


def test_points_are_the_same_however_their_gaps_are_drawn() -> None:
    class Quarters(np.random.Generator):
        """Gaps so short that the likely number of them falls short of the mass."""

        def standard_exponential(self, n: int) -> NDArray[np.float64]:  # type: ignore[override]  # the one use we make
            return np.full(n, 0.25)

    taken = arrivals.at_random(Quarters(np.random.PCG64(1)))(100.0)
    assert taken.tolist() == [0.25 * k for k in range(1, 400)]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: arrivals.constant(1e6, 100 * S),
        lambda: arrivals.poisson(1e308, 100 * S, np.random.default_rng(1)),
        lambda: arrivals.steps([1e308, 1e308], 100 * S, evenly),
        lambda: arrivals.ramp(0, 1e308, 100 * S, evenly),
        lambda: arrivals.sine(1e6, 1, 60, 100 * S, evenly),
        lambda: arrivals.burst(10**8, S),
    ],
)
def test_more_than_a_schedule_holds_is_refused_before_it_is_made(draw: Callable[[], Instants]) -> None:
    with pytest.raises(UsageError, match="more than can be run"):
        draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: arrivals.poisson(1000, 1000 * S, np.random.default_rng(1)),
        lambda: arrivals.ramp(0, 2000, 1000 * S, evenly),
        lambda: arrivals.sine(1000, 1000, 86_400, 1000 * S, evenly),
    ],
)
@pytest.mark.slow
def test_a_million_arrivals_are_drawn_as_one_array(draw: Callable[[], Instants]) -> None:
    instants = draw()
    assert 950_000 < len(instants) < 1_050_000
    assert instants.dtype == np.int64
