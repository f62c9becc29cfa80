"""Goal: a script that a user of AWS wrote works on `smbench emulate` with nothing but an endpoint URL.

Method: the command serves in one process, the script runs in another, with boto3 and environment variables only.
A minute of the emulated region lasts a second.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import emulate, sdk_environment

SCRIPT = Path(__file__).parent / "scripts" / "boto3_story.py"
SCALE = 60
SCENARIO = f"""
name: boto3-story
target:
  emulated:
    instances: {{max: 3}}
    service: 20s
    provision: 60s
    remove: 30s
    time: {{scaled: {SCALE}}}
load:
  - constant: {{rate: 1/s, for: 1s}}
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with emulate(tmp_path, SCENARIO) as served:
        yield served


@pytest.mark.slow
def test_an_unmodified_boto3_script_runs_to_its_end(url: str) -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPT, str(60 / SCALE)],
        env=sdk_environment(url) | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["all_heard"] is True
    assert told["first_output"]["instance"] == 0
    assert told["instances_asleep"] == 0
    assert told["woken"] == 1
    assert told["processed"] == 21
    assert told["backlog"] >= 2
    assert any("triggered policy" in cause for cause in told["causes"])
    assert "Alarm updated from OK to ALARM" in told["history"]
