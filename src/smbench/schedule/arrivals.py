"""When requests come: each arrival process as instants, from parameters and chance alone.

One idea serves them all. A rate λ(t), in arrivals a second, has the integral Λ(t) = ∫₀ᵗ λ, the arrivals expected up
to t, called mass here. On the axis of Λ every process has rate 1. So place points at rate 1 on [0, Λ(span)), evenly
(`evenly`) or with exponential gaps (`at_random`), and carry them back through the inverse of Λ: between two
neighbours the rate integrates to exactly 1, or to an Exp(1) draw, which makes the process Poisson with rate λ(t)
(inversion: Çinlar, Introduction to Stochastic Processes, 1975, chapter 4). Nothing is drawn to be thrown away, and
the draws are taken in the order of time: where λ does not depend on the span, a longer phase keeps the arrivals of
a shorter one and adds to them; another constant rate stretches the same pattern.

Where the rate is 0 for a while Λ is constant and many t have the same mass; the inverse is then the last of them,
so no arrival ever lies where the rate is 0.

Every function returns nanoseconds since the phase began, int64, ascending, ties allowed, in [0, span).
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smbench.errors import UsageError
from smbench.scenario.phases import REQUESTS_MAX
from smbench.schedule.base import Instants

Floats: TypeAlias = NDArray[np.float64]
Points: TypeAlias = Callable[[float], Floats]  # a mass -> points in [0, mass), ascending, one per unit of mass

_TAU = 2 * math.pi


def evenly(mass: float) -> Floats:
    """0, 1, 2, ... below `mass`: the points of a process without chance."""
    return np.arange(math.ceil(_whole(mass)), dtype=np.float64)


def at_random(rng: np.random.Generator) -> Points:
    """Points of a Poisson process of rate 1: gaps from Exp(1), the one before the first point included."""

    def points(mass: float) -> Floats:
        n_likely = math.ceil(mass + 4 * math.sqrt(mass)) + 4
        pieces = [np.zeros(0)]
        reached = 0.0
        while reached < mass:
            gaps = rng.standard_exponential(n_likely)
            gaps[0] += reached  # inside the sum: the result is the same however it falls into pieces
            pieces.append(np.cumsum(gaps))
            reached = float(pieces[-1][-1])
        reached_by = np.concatenate(pieces)
        return reached_by[: np.searchsorted(reached_by, mass)]

    return points


def inhomogeneous(mass: float, inverse: Callable[[Floats], Floats], span_ns: int, points: Points) -> Instants:
    """Arrivals of any rate whose integral can be inverted.

    Args:
        mass: Λ(span), the number of arrivals expected.
        inverse: Masses in [0, mass) to seconds since the phase began; ascending to within rounding.
        span_ns: Length of the phase.
        points: `evenly`, or `at_random(rng)`.

    Raises:
        UsageError: more would be expected than a schedule holds.
    """
    if not mass <= REQUESTS_MAX:
        raise too_many(mass)
    if mass == 0:
        return np.zeros(0, dtype=np.int64)
    at_s = inverse(points(mass))
    rounded_ns = np.rint(at_s * 1e9).astype(np.int64)
    # Rounding may lift the last arrival to the span's end, and a root found numerically may lie 1 ns before the
    # one before it.
    clipped_ns: Instants = np.maximum.accumulate(np.clip(rounded_ns, 0, max(0, span_ns - 1)))
    return clipped_ns


def constant(rate_hz: float, span_ns: int) -> Instants:
    """Evenly spaced arrivals, the first at 0: rate · span of them, rounded up when that is not whole.

    λ(t) = r.  Λ(t) = r·t.  Λ⁻¹(k) = k / r: each instant is computed from its own k, so no rounding adds up.
    """
    return inhomogeneous(_mass(rate_hz, span_ns), lambda k: k / rate_hz, span_ns, evenly)


def poisson(rate_hz: float, span_ns: int, rng: np.random.Generator) -> Instants:
    """Independent arrivals at one rate; their number is Poisson with mean rate · span.

    λ(t) = r.  Λ(t) = r·t.  Λ⁻¹(y) = y / r: gaps are exponential with mean 1/r.
    """
    return inhomogeneous(_mass(rate_hz, span_ns), lambda y: y / rate_hz, span_ns, at_random(rng))


def ramp(from_hz: float, to_hz: float, span_ns: int, points: Points) -> Instants:
    """The rate goes from a to b in a straight line over the span T.

    λ(t) = a + s·t with s = (b - a) / T.  Λ(t) = a·t + s·t²/2, so Λ(T) = (a + b)·T/2.
    Λ⁻¹(y) is the root t = (√(a² + 2·s·y) - a) / s, written as 2y / (a + √(a² + 2·s·y)): the first form subtracts
    two near numbers when s or y is small, and divides 0 by 0 at s = 0. A falling ramp loses digits under the root
    where it ends; it is solved as the rising one it is backwards, t = T - Λ'⁻¹(Λ(T) - y).
    """
    span_s = span_ns / 1e9
    mass = _mass((from_hz + to_hz) / 2, span_ns)
    low_hz, high_hz = min(from_hz, to_hz), max(from_hz, to_hz)

    def rising(y: Floats) -> Floats:
        root = low_hz + np.sqrt(low_hz**2 + 2 * (high_hz - low_hz) / span_s * y)
        return np.divide(2 * y, root, out=np.zeros_like(y), where=root > 0)

    def falling(y: Floats) -> Floats:
        return span_s - rising(mass - y)

    return inhomogeneous(mass, rising if from_hz <= to_hz else falling, span_ns, points)


def steps(rates_hz: Sequence[float], each_ns: int, points: Points) -> Instants:
    """One rate after another, each for the same time; the span is len(rates_hz) · each_ns.

    λ(t) = rᵢ for i·d <= t < (i+1)·d.  Λ is linear between its corners Cᵢ = d·(r₀ + ... + rᵢ₋₁).
    Λ⁻¹(y) = i·d + (y - Cᵢ) / rᵢ with the last i whose Cᵢ <= y: a step at rate 0 has Cᵢ₊₁ = Cᵢ and is passed over.
    """
    rates, each_s = np.asarray(rates_hz, dtype=np.float64), each_ns / 1e9
    corners = np.array([0.0, *(_whole(mass) for mass in accumulate(rate_hz * each_s for rate_hz in rates_hz))])

    def inverse(y: Floats) -> Floats:
        step = np.searchsorted(corners, y, side="right") - 1
        at_s: Floats = step * each_s + (y - corners[step]) / rates[step]
        return at_s

    return inhomogeneous(float(corners[-1]), inverse, len(rates) * each_ns, points)


def burst(n: int, span_ns: int) -> Instants:
    """`n` arrivals spread evenly, the first at 0; a span of 0 makes them simultaneous, all at 0.

    λ(t) = n / T.  Λ⁻¹(k) = k·T / n.
    """
    return inhomogeneous(n, lambda k: k * (span_ns / 1e9 / n), span_ns, evenly)


def sine(mean_hz: float, amplitude_hz: float, period_s: float, span_ns: int, points: Points) -> Instants:
    """The rate swings around its mean m by the amplitude A <= m, starting at the mean and rising.

    λ(t) = m + A·sin(ω·t) with ω = 2π / P.  Λ(t) = m·t + (A/ω)·(1 - cos(ω·t)).

    Λ has no inverse in closed form. Counted from the trough at 3P/4, where Λ(3P/4) = 3·m·P/4 + A/ω, with the angle
    E = ω·(t - 3P/4) and e = A/m, Λ(t) = y becomes Kepler's equation, E - e·sin(E) = ω·(y - Λ(3P/4)) / m, which is
    odd and repeats each turn. Beginning at the trough matters when A = m: there the rate is 0, Λ is flat, and the
    form with the cosine would lose the digits in which instants differ.
    """
    omega = _TAU / period_s
    span_s = span_ns / 1e9
    mass = mean_hz * span_s + amplitude_hz / omega * (1 - math.cos(omega * math.fmod(span_s, period_s)))
    trough_mass = 0.75 * mean_hz * period_s + amplitude_hz / omega

    def inverse(y: Floats) -> Floats:
        turns = (y - trough_mass) / (mean_hz * period_s)
        whole_turns = np.rint(turns)
        part = turns - whole_turns  # -1/2 .. 1/2
        angle = np.sign(part) * _solve_kepler(np.abs(part) * _TAU, amplitude_hz / mean_hz)
        return (0.75 + whole_turns + angle / _TAU) * period_s

    return inhomogeneous(_whole(mass), inverse, span_ns, points)


def _solve_kepler(anomaly: Floats, e: float) -> Floats:
    """E in [0, π] with E - e·sin(E) = `anomaly` in [0, π], 0 <= e <= 1.

    Newton from the right. The left side rises and is convex on [0, π], so from any point at or above the root each
    step falls short of it and none overshoots; a table gives the nearest such point. Near 0 with e = 1 the curve is
    cubic and each step gains only a third, hence the many rounds; few points need them.
    """
    angles = np.linspace(0.0, math.pi, 4097)
    at_or_above = np.searchsorted(angles - e * np.sin(angles), anomaly)
    root = angles[np.minimum(at_or_above, angles.size - 1)]
    open_ = np.flatnonzero(root > 0)
    for _ in range(60):
        angle = root[open_]
        step = (angle - e * np.sin(angle) - anomaly[open_]) / (1 - e * np.cos(angle))
        root[open_] = angle - step
        # What is left after a step is about step²/angle; a step of 0 or backwards is rounding.
        open_ = open_[step > 1e-8 * angle]
        if not open_.size:
            break
    return root


def too_many(n: float) -> UsageError:
    """For a schedule larger than a run can hold; to be raised."""
    return UsageError(f"about {n:,.0f} requests are more than can be run, {REQUESTS_MAX:,}")


def _mass(rate_hz: float, span_ns: int) -> float:
    return _whole(rate_hz * (span_ns / 1e9))


def _whole(mass: float) -> float:
    """The nearest whole number when only rounding lies between: 1.1/s for 50 s are 55, not 55.00000000000001."""
    nearest = float(np.rint(mass))
    return nearest if abs(mass - nearest) <= 1e-12 * max(1.0, mass) else mass
