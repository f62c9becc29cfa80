"""Goal: a mean's error respects that neighbours are alike, and a share's crossing is found with the error it has.

Method: autoregressive series with a known mean; shares drawn from a known logistic curve.
"""

import math

import numpy as np
import pytest

from smbench.analysis.numbers.batch_means import N_BATCHES, Estimate, batch_means, pooled
from smbench.analysis.numbers.crossing import Point, crossing


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.8])
def test_the_interval_of_a_mean_covers_though_neighbours_are_alike(alike: float) -> None:
    rng, n, covered = np.random.default_rng(3), 400, 0
    noise = rng.normal(size=(n, 2000))
    series = np.empty_like(noise)
    series[:, 0] = noise[:, 0] / math.sqrt(1 - alike**2)
    for place in range(1, noise.shape[1]):
        series[:, place] = alike * series[:, place - 1] + noise[:, place]
    for one in series:
        found = batch_means(one)
        covered += abs(found.mean) <= found.half(0.95)
    assert 0.94 <= covered / n <= 0.995
    alone = series[0].std() / math.sqrt(series.shape[1])
    if alike:
        assert batch_means(series[0]).error > 1.8 * alone  # as if independent, it would be a third of the true one


def test_fewer_values_than_batches_have_no_error() -> None:
    with pytest.raises(ValueError, match="no 20 batches"):
        batch_means(np.ones(N_BATCHES - 1))


def test_pooled_estimates_weigh_by_what_they_know_and_count_how_much_they_differ() -> None:
    alike = pooled([Estimate(mean=1.0, error=0.1, degrees=19), Estimate(mean=1.0, error=0.2, degrees=9)])
    assert alike.mean == 1.0
    by_meier = 1 + 4 * 0.8 * 0.2 * (1 / 19 + 1 / 9)
    assert alike.error == pytest.approx(math.sqrt(by_meier / (100 + 25)))
    assert alike.degrees == 28
    apart = pooled([Estimate(mean=0.0, error=0.1, degrees=19), Estimate(mean=1.0, error=0.1, degrees=19)])
    assert apart.error == pytest.approx(0.5 * math.sqrt(1 + 2 / 19))


@pytest.mark.slow
def test_the_crossing_of_a_logistic_curve_is_found_and_its_interval_covers() -> None:
    rng, rates, trials, covered, n = np.random.default_rng(5), (1.6, 1.8, 2.0, 2.2), 400, 0, 300
    for _ in range(n):
        points = []
        for rate in rates:
            odds = math.log(0.05 / 0.95) + 10 * math.log(rate / 1.9)
            points.append(Point(rate, rng.binomial(trials, 1 / (1 + math.exp(-odds))) / trials, trials))
        found = crossing(points, 0.05)
        assert found is not None
        low, high = found.between(1.96)
        covered += low <= 1.9 <= high
    assert 0.93 <= covered / n <= 0.99


def test_shares_that_do_not_grow_have_no_crossing() -> None:
    assert crossing([Point(1.0, 0.1, 100)], 0.05) is None
    assert crossing([Point(1.0, 0.1, 100), Point(2.0, 0.01, 100)], 0.05) is None
    weak = crossing([Point(1.0, 0.04, 50), Point(1.1, 0.05, 50)], 0.05)
    assert weak is None or not weak.is_firm
