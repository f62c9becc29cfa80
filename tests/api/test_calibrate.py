"""Goal: what `calibrate` writes is a scenario that runs as it is, with its provenance, whole or not at all.

Method: folders of simulated runs, the API and the command within this process.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

import smbench
from smbench.calibration.checking.redrawn import redrawn
from smbench.calibration.parameter import Parameter
from smbench.calibration.record import label_of, read_record
from smbench.cli.app import app
from smbench.errors import ExitCode, InvalidRunError, SmbenchError, UsageError
from smbench.findings import Finding, Verdict
from smbench.scenario.emulated import Emulated
from smbench.scenario.load import load_scenario

STORY: dict[str, Any] = {
    "name": "story",
    "target": {
        "instance_hour": 0.75,
        "emulated": {
            "instances": {"min": 1, "max": 3, "concurrency": 2},
            "service": {"lognormal": {"median": "1s", "sigma": 0.2}},
            "provision": "100s",
            "policies": [{"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "60s"}}],
            "time": "warp",
        },
    },
    "load": [{"poisson": {"rate": "1/s", "for": "2m"}}, {"poisson": {"rate": "4/s", "for": "6m"}}],
    "drain": "20m",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = smbench.simulate(STORY, results=tmp_path_factory.mktemp("results")).path
    assert made is not None
    return made


def test_the_fitted_scenario_is_simulated_as_it_is(folder: Path, tmp_path: Path) -> None:
    found = smbench.calibrate(folder, out=tmp_path / "fitted.yaml")
    assert found.path == tmp_path / "fitted.yaml"
    text = found.path.read_text()
    assert "# service 1." in text
    assert "[L1]" in text
    assert load_scenario(found.path).target.instance_hour == 0.75
    again = smbench.simulate(found.path)
    truth = smbench.report(folder)
    assert again.requests.select("outcome").collect().equals(truth.requests.select("outcome").collect())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fitted.arrivals.csv",
        "fitted.model.json",
        "fitted.service.csv",
        "fitted.yaml",
    ]


def test_each_replication_of_a_fitted_model_is_another_draw_and_the_same_for_the_same_seed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = smbench.calibrate(folder, out=tmp_path / "fitted.yaml").path
    drawn: list[Any] = []

    def noted(emulated: Emulated, parameters: Sequence[Parameter], rng: np.random.Generator) -> Emulated:
        found = redrawn(emulated, parameters, rng)
        drawn.append(found.service)
        return found

    monkeypatch.setattr("smbench.api.predicting.simulate.redrawn", noted)
    smbench.simulate(path, replications=4)
    first, drawn = drawn, []
    assert len({service.model_dump_json() for service in first}) == 4  # the prediction itself is the model as fitted
    smbench.simulate(path, replications=3)
    assert drawn == first[:3]
    drawn = []
    smbench.simulate(path)
    assert not drawn
    drawn = []
    smbench.simulate(path, replications=3, seed=77)
    assert not [service for service in drawn if service in first]


def test_the_record_has_the_runs_and_every_parameter(folder: Path, tmp_path: Path) -> None:
    found = smbench.calibrate(folder, out=tmp_path / "fitted.yaml")
    record = read_record(tmp_path / "fitted.yaml")
    assert record is not None
    assert record.runs == found.runs
    assert record.parameters == found.parameters
    assert all(each.note for each in record.parameters if each.source == "assumed")


def test_a_model_that_was_never_checked_is_not_validated(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "fitted.yaml"
    smbench.calibrate(folder, out=path)
    label = label_of(path)
    assert not label.is_validated
    assert "against no run yet" in label.text
    path.write_text(path.read_text().replace("concurrency: 2", "concurrency: 3"))
    assert "was changed after it was fitted" in label_of(path).text


def test_the_command_prints_a_table_or_json(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "fitted.yaml"
    table = CliRunner().invoke(app, ["calibrate", str(folder), "-o", str(out)])
    assert table.exit_code == ExitCode.OK, table.output
    assert "concurrency of an instance" in table.stdout
    found = CliRunner().invoke(app, ["calibrate", str(folder), "-o", str(out), "--output", "json"])
    assert orjson.loads(found.stdout_bytes)["path"] == str(out)


def changed(**emulated: Any) -> dict[str, Any]:
    return {**STORY, "target": {"emulated": STORY["target"]["emulated"] | emulated}}


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (changed(service="2s"), "are of different endpoints: service differ"),
        ({**STORY, "load": [{"pause": {"for": "1m"}}]}, "has no completed request"),
    ],
)
def test_runs_that_cannot_be_fitted_are_refused_and_nothing_is_written(
    folder: Path, tmp_path: Path, story: dict[str, Any], said: str
) -> None:
    other = smbench.simulate(story, results=tmp_path / "results").path
    assert other is not None
    with pytest.raises(UsageError, match=said) as refused:
        smbench.calibrate(folder, other, out=tmp_path / "out" / "fitted.yaml")
    assert "\n" not in refused.value.message
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_given_twice_does_not_count_twice(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are the same run: what is in it would count twice"):
        smbench.calibrate(folder, folder, out=tmp_path / "out" / "fitted.yaml")
    assert not (tmp_path / "out").exists()


INVALID = Finding(name="ledger", verdict=Verdict.INVALID, expected="all", seen="some are\nmissing")


def test_what_is_fitted_from_an_invalid_run_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smbench.api.predicting.calibrate.check", lambda *_: [INVALID])
    found = smbench.calibrate(folder, out=tmp_path / "fitted.yaml")
    said = f"{folder.name} is INVALID, and so may be what is fitted from it: ledger: some are missing"
    assert said in found.notes
    assert f"# {said}\n" in (tmp_path / "fitted.yaml").read_text()


def test_no_model_is_graded_by_an_invalid_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smbench.calibrate(folder, out=tmp_path / "fitted.yaml")
    before = (tmp_path / "fitted.model.json").read_bytes()
    monkeypatch.setattr("smbench.api.predicting.calibrate.check", lambda *_: [INVALID])
    with pytest.raises(InvalidRunError, match="no model can be held against its figures: ledger: some are missing"):
        smbench.check_model(tmp_path / "fitted.yaml", folder, replications=2)
    assert (tmp_path / "fitted.model.json").read_bytes() == before


@pytest.mark.parametrize("kind", ["serverless", "realtime"])
def test_a_run_of_a_synchronous_endpoint_is_no_source_of_a_model_nor_a_check_of_one(kind: str, tmp_path: Path) -> None:
    called = {"name": "called", "target": {"kind": kind, "emulated": {"service": "1s", "time": "warp"}}}
    made = smbench.simulate({**called, "load": [{"burst": {"requests": 2}}]}, results=tmp_path / "results").path
    assert made is not None
    model = tmp_path / "model.yaml"
    model.write_text("name: model\nload: [burst: {requests: 1}]\n")
    for use in (
        lambda: smbench.calibrate(made, out=tmp_path / "fitted.yaml"),
        lambda: smbench.check_model(model, made),
    ):
        with pytest.raises(UsageError, match=f"measured a {kind} endpoint; only models of asynchronous"):
            use()
    assert not (tmp_path / "fitted.yaml").exists()


def test_without_a_run_or_a_name_there_is_nothing_to_fit(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the results folder of a run"):
        smbench.calibrate()
    with pytest.raises(UsageError, match="not the name of a scenario file"):
        smbench.calibrate(folder, out=tmp_path / "fitted.json")
    with pytest.raises(SmbenchError, match="is not a run"):
        smbench.calibrate(tmp_path)
