"""Goal: an interval covers the truth as often as it says, or is withheld with a reason.

Method: latencies of M/M/1 by Lindley's recursion, begun in its steady state, where every percentile is known: the
sojourn is exponential with mean s / (1 - rho). Then runs that have none by their design.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from runs import Request, frames_of, reading, span, sure
from smbench.analysis.capacity.instances import capacity
from smbench.analysis.latency.intervals import Interval, Intervals, _binomial_quantile, intervals, of_series
from smbench.records import Outcome, Unknown
from smbench.schedule.base import PhaseSpan

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def mm1_sojourns_s(utilisation: float, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    service_s, gap_s = rng.exponential(1.0, n), rng.exponential(1 / utilisation, n)
    # In steady state a request waits with probability rho, and then exponentially.
    wait_s = rng.exponential(1 / (1 - utilisation)) if rng.random() < utilisation else 0.0
    sojourns_s = np.empty(n)
    for k in range(n):
        sojourns_s[k] = wait_s + service_s[k]
        wait_s = max(0.0, sojourns_s[k] - gap_s[k])
    return sojourns_s


@pytest.mark.slow
@pytest.mark.parametrize(
    ("utilisation", "n", "given_at_least"),
    [(0.001, 2_000, 100), (0.5, 2_000, 0), (0.5, 10_000, 90), (0.8, 2_000, 0), (0.8, 10_000, 0)],
)
def test_an_interval_covers_or_is_withheld(utilisation: float, n: int, given_at_least: int) -> None:
    # Of 100 seeds, misses are binomial with 5 %: more than 12 come by chance once in five hundred times.
    misses, n_given = dict.fromkeys(SHARES, 0), dict.fromkeys(SHARES, 0)
    for seed in range(100):
        latencies_s = mm1_sojourns_s(utilisation, n, seed)
        found = of_series(latencies_s, latencies_s, list(SHARES))
        for name, share in SHARES.items():
            truth_s, interval = -math.log(1 - share) / (1 - utilisation), found[name]
            if isinstance(interval, Unknown):
                assert interval.reason.startswith("not estimable")
            elif interval.high_s is not None:
                n_given[name] += 1
                misses[name] += not interval.low_s <= truth_s <= interval.high_s
    assert max(misses.values()) <= 12, (misses, n_given)
    assert n_given["p50"] >= given_at_least
    assert n_given["p95"] >= given_at_least


def test_independent_latencies_have_order_statistics_at_the_ranks_of_the_binomial_law() -> None:
    # Alternating low and high thirds would correlate; a random permutation of 1..1000 does not (this seed).
    latencies_s = np.random.default_rng(0).permutation(np.arange(1.0, 1001.0))
    found = sure(of_series(latencies_s, latencies_s, ["p95"])["p95"])
    assert found.method == "order statistics"
    assert found.low_s == binom.ppf(0.025, 1000, 0.95)
    assert found.high_s == binom.ppf(0.975, 1000, 0.95) + 1


@given(n=st.integers(1, 3000), share=st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]), low=st.booleans())
def test_binomial_quantiles_are_scipys(n: int, share: float, low: bool) -> None:
    probability = 0.025 if low else 0.975
    assert _binomial_quantile(n, share, probability) == binom.ppf(probability, n, share)


def test_latencies_that_remember_have_no_interval_and_the_reason_counts_what_they_are_worth() -> None:
    ramp = np.arange(1000.0)
    found = of_series(ramp, ramp, ["p50"])["p50"]
    assert isinstance(found, Unknown)
    assert "N_eff = " in found.reason


def test_a_batch_is_twenty_times_as_long_as_the_latencies_remember() -> None:
    # x(k+1) = 0.9 x(k) + noise: the autocorrelations 0.9^k sum to a memory of (1 + 0.9) / (1 - 0.9) = 19 values, so
    # ten batches of twenty memories take 3,800 of them; with the allowance for the estimate's own error some more.
    for n, is_given in ((3_000, False), (20_000, True)):
        noise = np.random.default_rng(4).normal(0, 1, n).tolist()
        series = [0.0]
        for step in noise:
            series.append(0.9 * series[-1] + step)
        found = of_series(np.array(series), np.array(series), ["p50"])["p50"]
        assert (isinstance(found, Interval) and found.method == "10 batches") is is_given, found


def test_latencies_are_taken_in_order_of_schedule_however_the_file_has_them() -> None:
    rng = np.random.default_rng(6)
    waves = (2 + np.sin(np.arange(400) / 40)).tolist()  # neighbours are alike
    rows = [Request(k * 5.0, done=k * 5.0 + takes) for k, takes in enumerate(waves)]
    shuffled = [rows[k] for k in rng.permutation(len(rows))]
    told, again = (intervals(frames_of(each, spans=[phase("poisson", 400)]), NO_LOOKS) for each in (rows, shuffled))
    assert "N_eff" in told["p50"].reason
    assert again == told


def test_what_never_ended_bounds_an_interval_from_below_only() -> None:
    # 6 % never complete: p95 lies among them, and the upper rank too.
    rng = np.random.default_rng(2)
    least_s = rng.exponential(1.0, 1000)
    most_s = np.where(rng.random(1000) < 0.06, np.inf, least_s)
    found = of_series(least_s, most_s, ["p50", "p95"])
    assert sure(found["p50"]).high_s is not None
    assert sure(found["p95"]).high_s is None


def test_too_few_requests_say_how_many_it_takes() -> None:
    # 0.95^n <= 0.025 from n = 72 on (Le Boudec): here n = 60.
    latencies_s = np.random.default_rng(0).permutation(np.arange(60.0))
    assert "72" in of_series(latencies_s, latencies_s, ["p95"])["p95"].reason


NO_LOOKS = Unknown("no reading says how many instances there were")


def phase(kind: str, n: int, name: str = "load") -> PhaseSpan:
    plain = span(n, name=name, end_s=1000.0)
    return PhaseSpan(**{field: getattr(plain, field) for field in plain.__slots__} | {"kind": kind})


def of_run(spans: list[PhaseSpan], looks: list[tuple[float, int]], n: int = 400) -> Intervals:
    rng = np.random.default_rng(5)
    rows = [Request(k * 2.0, done=k * 2.0 + takes) for k, takes in enumerate(rng.exponential(1.0, n).tolist())]
    readings: list[Any] = [reading("instances_current", float(count), at) for at, count in looks]
    frames = frames_of(rows, spans=spans, readings=readings)
    return intervals(frames, capacity(frames))


def test_a_steady_phase_on_a_fleet_that_stays_has_intervals() -> None:
    for kind in ("constant", "poisson"):
        found = of_run([phase(kind, 400)], [(0.0, 2)])
        assert sure(found["p50"]).method


@pytest.mark.parametrize("kind", ["burst", "ramp", "steps", "sine", "replay"])
def test_a_load_that_changes_by_design_has_none(kind: str) -> None:
    found = of_run([phase(kind, 400)], [(0.0, 2)])
    assert set(found) == {"p50", "p90", "p95", "p99"}
    assert all(isinstance(one, Unknown) and kind in one.reason for one in found.values())


def test_a_fleet_that_changes_under_way_or_begins_at_zero_has_none() -> None:
    for looks in ([(0.0, 2), (500.0, 3)], [(0.0, 0), (90.0, 2)]):
        assert "instances" in of_run([phase("poisson", 400)], looks)["p50"].reason


def test_two_phases_are_two_loads_and_have_none() -> None:
    assert isinstance(of_run([phase("poisson", 200), phase("constant", 200, "other")], [(0.0, 2)])["p50"], Unknown)


def test_an_endpoint_that_does_nothing_has_no_intervals() -> None:
    frames = frames_of([Request(0.0, Outcome.REJECTED)])
    assert intervals(frames, NO_LOOKS) == {}
    assert isinstance(intervals(frames_of([Request(0.0, done=1.0)]), NO_LOOKS)["p50"], Unknown)
