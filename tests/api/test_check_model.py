"""Goal: a model that was fitted from one story predicts another within the limits of grade A, and says so.

Method: simulated folders; the alarms are those of one endpoint, arrivals and services are drawn anew.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

import smbench
from smbench.calibration.record import label_of
from smbench.cli.app import app
from smbench.errors import ExitCode, ScenarioError, UsageError

ENDPOINT: dict[str, Any] = {
    "instances": {"min": 1, "max": 4, "concurrency": 2},
    "service": {"lognormal": {"mean": "2s", "sigma": 0.3}},
    "provision": {"lognormal": {"mean": "150s", "sigma": 0.05}},
    "notify_lag": {"lognormal": {"median": "80ms", "sigma": 0.3}},
    "policies": [{"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "60s", "in_cooldown": "60s"}}],
    "time": "warp",
}
FITTED_FROM: list[dict[str, Any]] = [
    {"closed": {"outstanding": 1, "requests": 40, "for": "3m"}},
    {"burst": {"requests": 400, "within": "30s"}},
    {"pause": {"for": "35m"}},
    {"burst": {"requests": 400, "within": "30s"}},
    {"pause": {"for": "15m"}},
]
HELD_OUT: list[dict[str, Any]] = [
    {"poisson": {"rate": "0.5/s", "for": "2m"}},
    {"burst": {"requests": 600, "within": "1m"}},
    {"poisson": {"rate": "1.5/s", "for": "8m"}},
]


def story(load: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    return {"name": "story", "target": {"emulated": ENDPOINT}, "load": load, "seed": seed, "seeds": {"capacity": 1}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The model, the run it was fitted from, and another."""
    there = tmp_path_factory.mktemp("model")
    fitted_from = smbench.simulate(story(FITTED_FROM, 1), results=there / "fitted").path
    held_out = smbench.simulate(story(HELD_OUT, 7), results=there / "held").path
    assert fitted_from is not None
    assert held_out is not None
    smbench.calibrate(fitted_from, out=there / "fitted.yaml")
    return there / "fitted.yaml", fitted_from, held_out


@pytest.mark.slow  # six predictions of 1,300 requests
def test_a_fitted_model_predicts_another_load_and_seed(folders: tuple[Path, Path, Path]) -> None:
    model, _, held_out = folders
    found = smbench.check_model(model, held_out, replications=3)
    errors = found.found.figures
    assert errors["ks"] <= 0.05, errors
    assert errors["backlog"] <= 0.10, errors
    assert abs(errors["drain"]) <= 0.15, errors
    assert (found.found.grade, found.is_in_sample) == ("A", False)
    assert found.found.persistence["ks"] > 3 * errors["ks"]
    assert set(found.found.places) == {"p50", "p90", "p95", "p99"}
    assert {round(3 * place, 6) % 1 for place in found.found.places.values()} == {0}  # of three predictions
    assert label_of(model).text == f"grade A: checked against {held_out.name}"
    assert "grade A" in label_of(model).text


@pytest.mark.slow  # four predictions of 840 requests
def test_a_check_in_sample_says_so_and_gives_no_label(folders: tuple[Path, Path, Path]) -> None:
    model, fitted_from, _ = folders
    before = label_of(model)
    shown = CliRunner().invoke(app, ["check-model", str(model), str(fitted_from), "--replications", "2"])
    assert shown.exit_code == ExitCode.OK, shown.output
    assert "In sample" in shown.stdout
    after = label_of(model)
    assert after.is_validated == before.is_validated


SMALL: dict[str, Any] = {
    "name": "small",
    "target": {"emulated": {"instances": {"min": 1, "max": 1}, "service": "1s", "time": "warp"}},
    "load": [{"burst": {"requests": 40}}],
}


def test_a_model_written_by_hand_is_graded_too(tmp_path: Path) -> None:
    made = smbench.simulate(SMALL, results=tmp_path).path
    assert made is not None
    model = tmp_path / "own.yaml"
    slower = {**SMALL, "target": {"emulated": SMALL["target"]["emulated"] | {"service": "2s"}}}
    for document, expected in ((SMALL, "A"), (slower, "not validated")):
        model.write_bytes(orjson.dumps(document))
        shown = CliRunner().invoke(app, ["check-model", str(model), str(made), "--replications", "2", "-o", "json"])
        assert shown.exit_code == ExitCode.OK, shown.output
        found = orjson.loads(shown.stdout)
        assert (found["grade"], found["is_in_sample"]) == (expected, False)
        assert found["errors"]["p95"] == pytest.approx(0.0 if expected == "A" else 1.0, abs=1e-6)
        (tmp_path / "own.model.json").unlink()


def test_a_run_that_repeats_the_fitted_one_in_virtual_time_is_that_run(tmp_path: Path) -> None:
    first, again = (smbench.simulate(SMALL, results=tmp_path).path for _ in range(2))
    assert first is not None
    assert again is not None
    smbench.calibrate(first, out=tmp_path / "fitted.yaml")
    with pytest.raises(UsageError, match="are the same run"):
        smbench.calibrate(first, again)
    assert smbench.check_model(tmp_path / "fitted.yaml", again, replications=2).is_in_sample
    other = smbench.simulate({**SMALL, "load": [{"burst": {"requests": 41}}]}, results=tmp_path).path
    assert other is not None
    assert not smbench.check_model(tmp_path / "fitted.yaml", other, replications=2).is_in_sample


def test_what_cannot_be_checked_is_refused_and_leaves_no_record(tmp_path: Path) -> None:
    made = smbench.simulate(SMALL, results=tmp_path).path
    assert made is not None
    real = tmp_path / "real.yaml"
    real.write_bytes(orjson.dumps({**SMALL, "target": {"endpoint": "mine"}}))
    with pytest.raises(UsageError, match="which is not a model"):
        smbench.check_model(real, made)
    with pytest.raises(ScenarioError, match="quick-start"):  # the name of a shipped scenario has no place for a record
        smbench.check_model("quick-start", made)
    with pytest.raises(UsageError, match="between 2 and 1,000"):
        smbench.check_model(real, made, replications=1)
    called = tmp_path / "called.yaml"
    called.write_bytes(orjson.dumps({**SMALL, "target": SMALL["target"] | {"kind": "realtime"}}))
    with pytest.raises(UsageError, match="describes a realtime endpoint; only models of asynchronous"):
        smbench.check_model(called, made)
    assert not list(tmp_path.glob("*.json"))
