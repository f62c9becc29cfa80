"""Goal: the commands about an account print what Python gets, and their exit status says whether something is wrong."""

import json

import pytest
from typer.testing import CliRunner

import smbench
from smbench.cli.app import app

QUIET = {
    "name": "quiet",
    "target": {"emulated": {"time": "warp"}},
    "load": [{"burst": {"requests": 1}}],
    "limits": {"in_flight": 10},
}


def test_doctor_asks_nothing_of_aws_for_an_emulated_endpoint() -> None:
    ran = CliRunner().invoke(app, ["doctor", "quick-start"])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.splitlines()[0].startswith("ok       open files:")
    assert ran.stdout.splitlines()[-1] == "1 questions: nothing is wrong, 0 not known"


def test_what_is_wrong_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    ran = CliRunner().invoke(app, ["doctor", "quick-start", "--endpoint", "mine", "--output", "json"])
    assert ran.exit_code == 3, ran.output
    told = json.loads(ran.stdout)
    assert told["verdict"] == "invalid"
    assert "there is no AWS profile named nobodys" in told["findings"][-1]["seen"]
    assert "list-profiles" in told["findings"][-1]["advice"]
    assert smbench.doctor(QUIET, endpoint="mine").to_json()["verdict"] == "invalid"
