"""Goal: the commands about an account print what Python gets, and their exit status says whether something is wrong."""

import json
from pathlib import Path

import boto3  # boto3 has no types of its own
import pytest
from typer.testing import CliRunner

import smbench
from smbench.cli.app import app
from smbench.errors import NotBegunError, UsageError
from whole_story import any_keys

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
    assert ran.stdout.splitlines()[-1] == "1 question: nothing is wrong, 0 not known"


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


def test_how_long_to_wait_is_a_duration_and_a_stack_and_an_endpoint_are_one_too_many() -> None:
    ran = CliRunner().invoke(app, ["doctor", "quick-start", "--wait", "soon"])
    assert isinstance(ran.exception, UsageError)
    assert ran.exception.message.startswith("--wait soon: ")
    with pytest.raises(UsageError, match="--endpoint and --stack"):
        smbench.doctor(QUIET, endpoint="mine", stack="demo")


@pytest.mark.slow  # an emulator in a thread, and clients of its own for each command
def test_clean_lists_first_and_removes_what_is_agreed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    any_keys(monkeypatch)
    with smbench.emulate() as url:
        sqs = boto3.client("sqs", endpoint_url=url, region_name="us-east-1")
        tags = {"smbench:run": "smb-0123456789"}
        made = sqs.create_queue(QueueName="smbench-smb-0123456789-0", tags=tags)["QueueUrl"]
        sqs.create_queue(QueueName="smbench-of-somebody")
        refused = CliRunner().invoke(app, ["clean", "--endpoint-url", url], input="n\n")
        assert isinstance(refused.exception, NotBegunError)
        assert refused.stdout.splitlines()[0] == f"queue {made} (run smb-0123456789)"
        done = CliRunner().invoke(app, ["clean", "smb-0123456789", "--yes", "--endpoint-url", url])
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (
            0,
            "all of it is removed: a second look found none of it",
        )
        again = CliRunner().invoke(app, ["clean", "--endpoint-url", url])
        *kept, said = again.stdout.splitlines()
        assert (again.exit_code, said) == (0, "nothing that a run left was found")
        assert "results folder is lost stay" in "".join(kept)
        assert [one.rpartition("/")[2] for one in sqs.list_queues()["QueueUrls"]] == ["smbench-of-somebody"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "neither a results folder nor a run's id"),
        (["results/sample"], "its endpoint was emulated"),
        (["smb-0123456789", "--endpoint", "mine"], "--endpoint is for what every run left"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_before_anything_is_called(
    monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    refused = CliRunner().invoke(app, ["clean", *words, "--yes", "--endpoint-url", "http://127.0.0.1:9"])
    assert isinstance(refused.exception, UsageError)
    assert said in refused.exception.message
