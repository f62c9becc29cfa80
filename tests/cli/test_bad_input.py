"""Bad input gets a clear error, costs nothing, and leaves nothing behind.

Method: the real command, in this process where no other is needed; each case names the exit status and words that a
person needs.
"""

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from commands import SMALL, environment, in_here
from smbench.errors import ScenarioError
from smbench.scenario.load import load_scenario

pytestmark = pytest.mark.slow

WRONG = {
    "a key that is nearly right": (SMALL.replace("drain:", "drian:"), ["drian", "drain", ":9:1"]),
    "a value that is no duration": (SMALL.replace("20s", "twenty"), ["twenty", "duration", ":9:8"]),
    "nothing to send": (SMALL.replace("  - constant: {rate: 10/s, for: 2s}", "  []"), ["load"]),
    "not YAML": ("name: [", ["scenario.yaml:"]),
    "a trace that is not there": (
        SMALL.replace("constant: {rate: 10/s, for: 2s}", "replay: {trace: no.csv}"),
        ["no.csv"],
    ),
    "an unknown threshold": (SMALL + "thresholds: ['sojurn_p95 < 1s']\n", ["sojurn_p95", "sojourn_p95"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_scenario_is_2_with_its_place_and_nothing_is_started(tmp_path: Path, case: str) -> None:
    text, words = WRONG[case]
    (tmp_path / "scenario.yaml").write_text(text)
    ran = in_here("run", "scenario.yaml", cwd=tmp_path)
    assert ran.returncode == 2, ran.stderr
    for word in words:
        assert word in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    assert not (tmp_path / "results").exists()


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(SMALL.replace("10/s", "fast").replace("drain", "drian"))
    ran = in_here("validate", "scenario.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.index("fast") < ran.stderr.index("drian")


def test_a_file_that_is_not_there_is_2(tmp_path: Path) -> None:
    ran = in_here("run", "nothing.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    assert "nothing.yaml" in ran.stderr


def test_an_endpoint_that_cannot_be_reached_is_3_and_leaves_no_folder(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        (tmp_path / "scenario.yaml").write_text(SMALL)
        (tmp_path / "config").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
        ran = in_here(
            *("run", "scenario.yaml", "--endpoint", "mine", "--region", "eu-west-1", "--endpoint-url", url),
            cwd=tmp_path,
            environ={"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"},
        )
    assert ran.returncode == 3, ran.stderr
    assert "mine" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "results").exists()


def test_aws_options_without_an_endpoint_are_refused_because_they_would_do_nothing(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(SMALL)
    ran = in_here("run", "scenario.yaml", "--region", "eu-west-1", cwd=tmp_path)
    assert ran.returncode == 2
    assert "--endpoint" in ran.stderr


def test_a_folder_that_is_no_run_is_2(tmp_path: Path) -> None:
    ran = in_here("report", tmp_path, cwd=tmp_path)
    assert ran.returncode == 2
    assert "is not a run" in ran.stderr


def test_init_writes_a_scenario_that_is_valid_and_never_overwrites(tmp_path: Path) -> None:
    assert in_here("init", "mine.yaml", cwd=tmp_path).returncode == 0
    assert in_here("validate", "mine.yaml", cwd=tmp_path).returncode == 0
    again = in_here("init", "mine.yaml", cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_the_printed_schema_is_json(tmp_path: Path) -> None:
    import json

    schema = json.loads(in_here("schema", cwd=tmp_path).stdout)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_a_password_in_an_address_is_refused_and_never_printed(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(SMALL)
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    by_option = in_here(
        *("run", "scenario.yaml", "--endpoint", "mine", "--endpoint-url", "http://user:PW-of-jo@127.0.0.1:1"),
        cwd=tmp_path,
        environ=given,
    )
    by_environment = in_here(
        *("run", "scenario.yaml", "--endpoint", "mine"),
        cwd=tmp_path,
        environ={**given, "AWS_ENDPOINT_URL": "http://user:PW-of-jo@127.0.0.1:1"},
    )
    in_the_file = SMALL + "collector: {queue: 'https://user:PW-of-jo@sqs.us-east-1.amazonaws.com/1/q'}\n"
    (tmp_path / "queue.yaml").write_text(in_the_file)
    by_scenario = in_here("validate", "queue.yaml", cwd=tmp_path)
    assert [ran.returncode for ran in (by_option, by_environment, by_scenario)] == [3, 3, 2]
    for ran in (by_option, by_environment, by_scenario):
        assert "PW-of-jo" not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        assert "name" in ran.stderr
        assert "password" in ran.stderr
    assert not any((tmp_path / "results").glob("*"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_too_few_descriptors_are_one_sentence_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(SMALL)
    command = f"ulimit -n 64; exec {shlex.quote(sys.executable)} -m smbench run scenario.yaml"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "the run may need 136 open files and connections in one process" in ran.stderr
    assert "this system allows 64" in ran.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("arn", "url"),
    [
        ("arn:aws:sqs:eu-west-1:123456789012:done", "https://sqs.eu-west-1.amazonaws.com/123456789012/done"),
        ("arn:aws-cn:sqs:cn-north-1:1:a.fifo", "https://sqs.cn-north-1.amazonaws.com.cn/1/a.fifo"),
        ("done", "https://sqs.us-east-1.amazonaws.com/123456789012/name"),
    ],
)
def test_a_queue_s_arn_leads_to_its_url(tmp_path: Path, arn: str, url: str) -> None:
    (tmp_path / "x.yaml").write_text(SMALL + f"collector: {{queue: '{arn}'}}\n")
    with pytest.raises(ScenarioError, match="must be a URL") as caught:
        load_scenario(tmp_path / "x.yaml")
    assert url in caught.value.message
