"""Goal: a price that the command line gives counts in every figure of the run, and in each that is made of it later.

Method: commands within this process; a serverless endpoint in virtual time, whose cost is known from its rows.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import smbench
from smbench.api.scenarios import with_endpoint
from smbench.cli.app import app
from smbench.errors import ExitCode, UsageError
from smbench.results.manifest import read_manifest
from smbench.scenario.model import Scenario

FILE = """\
name: priced
target:
  kind: serverless
  emulated: {serverless: {memory: 2048, cold_start: 0s}, service: 500ms, time: warp}
payloads: {synthetic: 1KiB}
load:
  - constant: {rate: 1/s, for: 4s}
"""
GIVEN = ["--price", "serverless.gb_second=1", "--price", "data.gb_in=0", "--price", "data.gb_out=0"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "priced.yaml"
    path.write_text(FILE)
    return path


@pytest.mark.slow  # a run, and two of a sweep
@pytest.mark.parametrize("several", [[], ["--seeds", "1-2"]])
def test_a_run_keeps_the_prices_that_it_was_given_alone_and_among_several(
    file: Path, tmp_path: Path, several: list[str]
) -> None:
    asked = ["run", str(file), "--results", str(tmp_path / "results"), "--ui", "none", *GIVEN, *several]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == ExitCode.OK, done.output
    folders = [path.parent for path in (tmp_path / "results").rglob("manifest.json")]
    assert len(folders) == (2 if several else 1)
    for folder in folders:
        assert read_manifest(folder).prices["serverless.gb_second"] == 1.0
        price = smbench.report(folder).summary.price
        assert price.usd == pytest.approx(4 * 0.5 * 2)  # calls, seconds, GB
        assert "given: serverless.gb_second" in price.prices_of
        other = smbench.report(folder, prices={"serverless.gb_second": 2.0}).summary.price
        assert other.usd == pytest.approx(2 * 4 * 0.5 * 2)


def test_a_search_gives_them_to_every_probe(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smbench.api.sweeping.searching.Searching.carried_out", lambda self: self._settings(tmp_path))
    settings = smbench.search(file, slo="p95 < 2s", prices={"serverless.gb_second": 1.0}, results=tmp_path)
    assert settings.prices == {"serverless.gb_second": 1.0}  # type: ignore[attr-defined]


def test_a_price_that_there_is_not_is_refused_before_anything_is_made(file: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    refused = CliRunner().invoke(app, ["run", str(file), "--results", str(results), "--price", "serverless.gb_secnd=1"])
    assert "there is no price 'serverless.gb_secnd'" in str(refused.exception)
    with pytest.raises(UsageError, match="there is no price 'gold'"):
        smbench.search(file, slo="p95 < 2s", prices={"gold": 1.0}, results=results)
    assert not results.exists()


def test_another_endpoint_changes_nothing_else_that_the_target_says() -> None:
    target = {"variant": "blue", "instance_hour": 0.3, "kind": "realtime", "emulated": {"service": "1s"}}
    scenario = Scenario.model_validate({"name": "n", "target": target, "load": [{"burst": {"requests": 1}}]})
    found = with_endpoint(scenario, "prod").target
    assert found.model_dump(exclude={"emulated"}) == {
        **scenario.target.model_dump(exclude={"emulated"}),
        "endpoint": "prod",
    }
    assert with_endpoint(scenario, "prod", "serverless").target.kind == "serverless"
