"""Goal: each error is what its definition says, and a grade follows from the errors alone.

Method: distributions and backlogs by hand; laws that are scaled; predictions of a run by the model that made it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from calibrating import run_of
from modelling import scenario
from smbench.calibration.checking.agreement import disagreement
from smbench.calibration.checking.behaviour import Behaviour, behaviour
from smbench.calibration.checking.check import grade
from smbench.calibration.checking.predicted import predictions, replayed
from smbench.calibration.checking.redrawn import redrawn, scaled
from smbench.calibration.distances import kolmogorov_smirnov, wasserstein
from smbench.model.law_facts import mean_s
from smbench.scenario.values.distributions import Distribution


def test_what_never_completed_counts_in_the_denominator_alone() -> None:
    real = np.array([1.0, 2.0, np.inf, np.inf])
    assert kolmogorov_smirnov(real, real) == 0.0
    assert kolmogorov_smirnov(real, np.array([1.0, 2.0])) == 0.5  # half against all, at 2 s
    assert kolmogorov_smirnov(np.array([np.inf]), np.array([np.inf])) == 0.0


def test_the_area_between_two_distributions_is_that_of_wasserstein() -> None:
    rng = np.random.default_rng(1)
    here, there = np.sort(rng.exponential(1, 500)), np.sort(rng.exponential(1.5, 700))
    assert wasserstein(here, there) == pytest.approx(wasserstein_distance(here, there) / here.mean())


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"ks": 0.05, "backlog": 0.10, "instance_s": -0.05, "p95": -0.15}, "A"),
        ({"ks": 0.051, "backlog": 0.0, "instance_s": 0.0, "p95": 0.0}, "B"),
        ({"ks": 0.0, "backlog": 0.2, "instance_s": 0.1, "p95": 0.3}, "B"),
        ({"ks": 0.0, "backlog": 0.0, "instance_s": 0.11, "p95": 0.0}, "not validated"),
        ({"ks": 0.0, "backlog": 0.0, "instance_s": 0.0, "p95": float("inf")}, "not validated"),
    ],
)
def test_the_worst_error_decides_the_grade(figures: dict[str, float], expected: str) -> None:
    assert grade(figures) == expected


@pytest.mark.parametrize(
    "law",
    [
        "3s",
        {"lognormal": {"median": "2s", "sigma": 0.3}},
        {"lognormal": {"mean": "2s", "sigma": 0.3}},
        {"gamma": {"mean": "2s", "cv": 0.4}},
        {"exponential": {"mean": "2s"}},
        {"uniform": {"low": "1s", "high": "2s"}},
        {"empirical": {"file": "s.txt"}},
    ],
)
def test_a_scaled_law_has_a_scaled_mean(law: object, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("1\n2\n")
    as_it_is = Distribution.model_construct(**Distribution.model_validate(law).__dict__)
    assert mean_s(scaled(as_it_is, 1.5), tmp_path) == pytest.approx(1.5 * mean_s(as_it_is, tmp_path))


BURST: list[dict[str, Any]] = [{"burst": {"requests": 60}}, {"pause": {"for": "2m"}}]


def predicted(service: str, n: int = 2) -> tuple[Behaviour, list[Behaviour]]:
    """A run with services of a second, and predictions with another service."""
    plain = {"instances": {"min": 1, "max": 1, "concurrency": 2}}
    run = run_of(scenario(BURST, **plain, service="1s"), is_told=True)
    of = replayed(run, scenario(BURST, **plain, service=service), Path())
    return behaviour(run.frames), [behaviour(frames) for frames in predictions(of, n, 1)]


def test_the_model_that_made_the_run_predicts_it_without_error() -> None:
    real, same = predicted("1s")
    errors = disagreement(real, same, 2, 10.0)
    assert all(abs(error) < 1e-9 for error in errors.values()), errors
    assert {"ks", "w1", "p95", "backlog", "peak", "drain", "instance_s", "attainment"} <= errors.keys()


def test_a_service_half_as_long_again_shows_in_every_error() -> None:
    real, slower = predicted("1.5s")
    errors = disagreement(real, slower, 2, 10.0)
    assert errors["p95"] == pytest.approx(0.5)
    assert errors["w1"] == pytest.approx(0.5)
    assert errors["drain"] == pytest.approx(0.5)
    assert errors["attainment"] == pytest.approx(-8 / 60)  # 20 were in time, and would be 12
    assert errors["backlog"] == pytest.approx(0.5, abs=0.05)


def test_parameters_are_drawn_anew_around_themselves() -> None:
    emulated = scenario(BURST, service="1s").target.emulated
    drawn = [redrawn(emulated, (), np.random.default_rng(seed)) for seed in range(400)]
    services = np.array([each.service.by_class[""].constant for each in drawn], dtype=float)
    assert services.mean() == pytest.approx(1.0, abs=0.01)
    assert services.std() == pytest.approx(0.05, rel=0.15)
