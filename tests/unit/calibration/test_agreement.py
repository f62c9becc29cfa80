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
from smbench.calibration.checking.by_chance import alarms_by_chance
from smbench.calibration.checking.check import _band, grade, why_undecided
from smbench.calibration.checking.predicted import predictions, replayed
from smbench.calibration.checking.redrawn import redrawn, scaled
from smbench.calibration.distances import kolmogorov_smirnov, wasserstein
from smbench.calibration.parameter import Parameter, Source
from smbench.calibration.record import (
    NOT_VALIDATED,
    Check,
    ModelRecord,
    label_of,
    physics_digest,
    record_path,
    with_check,
)
from smbench.model.law_facts import mean_s
from smbench.scenario.emulated import Emulated
from smbench.scenario.load import load_scenario
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
    assert grade(figures, {}) == expected


@pytest.mark.parametrize(
    ("error", "noise", "graded", "is_decided"),
    [
        (0.00, 0.15, "A", True),
        (0.00, 0.16, "B", True),  # an error below what chance does is luck
        (0.00, 0.31, "not validated", False),
        (0.40, 0.31, "not validated", True),  # beyond chance as well
        (0.31, 0.40, "not validated", False),
        (0.31, 0.00, "not validated", True),
    ],
)
def test_no_grade_is_given_that_chance_alone_is_beyond(
    error: float, noise: float, graded: str, is_decided: bool
) -> None:
    figures, floor = {"ks": 0.01, "p95": error}, {"ks": 0.01, "p95": noise}
    assert grade(figures, floor) == graded
    assert ("p95" not in why_undecided(figures, floor)) is is_decided


def test_a_run_that_cannot_decide_takes_no_grade_from_a_model_and_gives_none(tmp_path: Path) -> None:
    path = tmp_path / "fitted.yaml"
    path.write_text("name: fitted\nload: [{constant: {rate: 1/s, for: 1s}}]\n")
    digest = physics_digest(load_scenario(path), tmp_path)
    short = Check(
        run="short",
        is_in_sample=False,
        grade=NOT_VALIDATED,
        digest=digest,
        fingerprint="s",
        figures={},
        undecided="p95",
    )
    record = ModelRecord(runs=(), parameters=(), digest=digest, checks=(short,))
    record.write(record_path(path))
    assert (
        label_of(path).text
        == f"{NOT_VALIDATED}: checked against short, which is too short or too lightly loaded to decide"
    )
    long = short.model_copy(update={"run": "long", "grade": "B", "fingerprint": "l", "undecided": ""})
    with_check(record, long).write(record_path(path))
    assert label_of(path).text == "grade B: checked against long"


def test_an_error_beyond_the_limits_and_beyond_chance_decides_whatever_another_does_by_chance() -> None:
    assert not why_undecided({"ks": 0.2, "p95": 0.1}, {"ks": 0.01, "p95": 0.5})


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


def test_a_band_holds_one_more_value_with_its_chance() -> None:
    rng, n = np.random.default_rng(3), 3000
    inside = 0
    for _ in range(n):
        drawn = rng.normal(size=21)
        low, high = _band(drawn[1:].tolist())
        inside += low <= drawn[0] <= high
    assert inside / n == pytest.approx(0.9, abs=0.02)
    assert _band([1.0, np.inf])[1] == np.inf


@pytest.mark.parametrize(
    ("second_s", "is_by_chance"), [(0.0, True), (2.5, True), (59.0, False), (11.5, False), (30.0, False)]
)
def test_an_alarm_within_the_metrics_delay_is_named(second_s: float, is_by_chance: bool) -> None:
    emulated = Emulated.model_validate(
        {
            "metric_delay": {"uniform": {"low": "0s", "high": "10s"}},
            "initial": {"alarm_seconds": [{"policy": 0, "high": second_s}]},
        }
    )
    found = alarms_by_chance(emulated, (), None)
    assert bool(found) == is_by_chance
    if found:
        assert "the high alarm of policy 0" in found[0]


@pytest.mark.slow
def test_a_prediction_has_the_seconds_of_the_runs_own_alarms() -> None:
    policies = [{"target_tracking": {"backlog_per_instance": 2}}]
    plain = {"instances": {"min": 1, "max": 3}, "service": "1s", "policies": policies}
    known = {"alarm_seconds": [{"policy": 0, "high": 17.0}]}
    load = [{"constant": {"rate": "3/s", "for": "6m"}}]
    run = run_of(scenario(load, **plain, initial=known), is_told=True)
    of = replayed(run, scenario(load, **plain, initial={"alarm_seconds": [{"policy": 0, "high": 55.0}]}), Path())
    assert [one.high for one in of.scenario.target.emulated.initial.alarm_seconds] == [17.0]


BURST: list[dict[str, Any]] = [{"burst": {"requests": 60}}, {"pause": {"for": "2m"}}]


def predicted(service: str, n: int = 2) -> tuple[Behaviour, list[Behaviour]]:
    """A run with services of a second, and predictions with another service."""
    plain = {"instances": {"min": 1, "max": 1, "concurrency": 2}}
    run = run_of(scenario(BURST, **plain, service="1s"), is_told=True)
    of = replayed(run, scenario(BURST, **plain, service=service), Path())
    return behaviour(run.frames), [behaviour(frames) for frames in predictions(of, n, 1)]


@pytest.mark.slow
def test_the_model_that_made_the_run_predicts_it_without_error() -> None:
    real, same = predicted("1s")
    errors = disagreement(real, same, 2, 10.0)
    assert all(abs(error) < 1e-9 for error in errors.values()), errors
    assert {"ks", "w1", "p95", "backlog", "peak", "drain", "instance_s", "attainment"} <= errors.keys()


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("name", "field", "drift"), [("service over concurrency", "service", 0.05), ("provisioning", "provision", 0.12)]
)
def test_a_drift_and_an_error_of_the_fit_add_their_variances(name: str, field: str, drift: float) -> None:
    emulated = scenario(BURST, service="1s", provision="1s").target.emulated
    known = Parameter(name=name, value=2.0, unit="s", error=0.2, n=5, source=Source.NOTICES)
    drawn = [redrawn(emulated, (known,), np.random.default_rng(seed)) for seed in range(400)]
    laws = [getattr(each, field) for each in drawn]
    taken = np.array([(law.by_class[""] if field == "service" else law).constant for law in laws], dtype=float)
    assert taken.std() == pytest.approx(float(np.hypot(drift, 1.5 * 0.1)), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("low", "high"), [(0.0, 10.0), (4.0, 6.0)])
def test_what_two_looks_leave_open_of_a_delay_is_drawn_once(low: float, high: float) -> None:
    # Looks every 10 s: when between two of them a datapoint became readable is open, by 10 s / sqrt(12).
    emulated = scenario(BURST, metric_delay={"uniform": {"low": low, "high": high}}).target.emulated
    known = Parameter(name="metric delay", value=5.0, unit="s", error=10 / 12**0.5, n=258, source=Source.CLOUDWATCH)
    delays = []
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        law = redrawn(emulated, (known,), rng).metric_delay.uniform
        assert law is not None
        delays.append(rng.uniform(law.low, law.high))
    assert np.std(delays) == pytest.approx(10 / 12**0.5, rel=0.1)  # a factor is not below a fifth
