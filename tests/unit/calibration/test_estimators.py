"""Goal: each estimator is right where the answer is known in closed form.

Method: series with a known autocorrelation, arrivals of a known law, looks with a known delay.
"""

import numpy as np
import pytest

from calibrating import run_of
from modelling import scenario
from smbench.calibration.arrivals import arrivals
from smbench.calibration.delays import even
from smbench.calibration.distances import kolmogorov_smirnov
from smbench.calibration.service import Service, integrated_autocorrelation, without_hosts


def test_independent_values_have_no_autocorrelation() -> None:
    assert integrated_autocorrelation(np.random.default_rng(1).normal(size=5_000)) < 1.2


@pytest.mark.parametrize("memory", [0.5, 0.8])
def test_the_autocorrelation_of_a_first_order_process_is_known(memory: float) -> None:
    rng, values = np.random.default_rng(2), [0.0]
    for shock in rng.normal(size=50_000):
        values.append(memory * values[-1] + shock)
    expected = (1 + memory) / (1 - memory)
    assert integrated_autocorrelation(np.array(values)) == pytest.approx(expected, rel=0.15)


def test_a_constant_series_has_no_autocorrelation() -> None:
    assert integrated_autocorrelation(np.ones(100)) == 1.0


def test_the_distance_of_two_distributions() -> None:
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([3.0])) == 1.0
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "said"),
    [
        ({"poisson": {"rate": "1/s", "for": "1h"}}, "like Poisson arrivals"),
        ({"constant": {"rate": "1/s", "for": "1h"}}, "more even"),
        ({"sine": {"mean": "1/s", "amplitude": "1/s", "period": "20m", "for": "1h"}}, "more bursty"),
        ({"poisson": {"rate": "1/s", "for": "3m"}}, "too short"),
    ],
)
def test_arrivals_are_known_by_their_dispersion(load: dict[str, object], said: str) -> None:
    found = arrivals(run_of(scenario([load], instances={"min": 1, "max": 1}, service="10ms"), is_told=True))
    assert said in found.in_words
    assert found.rate_hz == pytest.approx(1.0, rel=0.25)


def test_a_uniform_law_keeps_mean_and_deviation() -> None:
    found = even(np.random.default_rng(3).uniform(60, 130, 4_000))
    assert isinstance(found.law, dict)
    low_s, high_s = (float(found.law["uniform"][end].removesuffix("s")) for end in ("low", "high"))
    assert low_s == pytest.approx(60, abs=2)
    assert high_s == pytest.approx(130, abs=2)
    assert even(np.array([70.0, 70.0])).law == "70s"


def test_a_uniform_law_of_times_that_vary_much_keeps_their_mean_and_none_is_below_zero() -> None:
    found = even(np.array([1.0, 2.0, 3.0, 90.0]))
    assert found.law == {"uniform": {"low": "0s", "high": "48s"}}
    assert found.mean_s == 24.0


def test_without_the_hosts_the_services_vary_less_and_keep_their_mean() -> None:
    taken_s = np.random.default_rng(4).lognormal(0, 0.3, 20_000)
    logs = np.log(taken_s)
    one = Service("", taken_s, 1, float(taken_s.mean()), 0.0, float(np.exp(logs.mean())), float(logs.std()), 0.0)
    drawn = without_hosts(one, 0.2)
    assert drawn.mean() == pytest.approx(taken_s.mean())
    assert np.log(drawn).std() == pytest.approx((0.3**2 - 0.2**2) ** 0.5, rel=0.02)
    assert without_hosts(one, 0.0) is taken_s
