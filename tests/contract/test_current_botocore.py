"""Goal: SDKs newer than the one we are built on speak with the emulator as well, in each protocol they may choose.

Method: the tour (tests/tour.py) in an environment of its own with the newest botocore, and with the newest aiobotocore;
there, CloudWatch's reads are made in JSON, CBOR and query, and must say the same. Needs a package registry.
"""

import json
import subprocess
from pathlib import Path

import pytest

from serving import emulate, environment_with, sdk_environment

TESTS = Path(__file__).parents[1]
SCRIPT = Path(__file__).parent / "scripts" / "walk_tour.py"
SCALE = 60
SCENARIO = f"""
name: tour
target:
  emulated:
    instances: {{max: 4, start: 1}}
    service: 1s
    provision: 60s
    remove: 30s
    metric_delay: 0s
    faults: {{instance_quota: 100}}
    time: {{scaled: {SCALE}}}
load:
  - constant: {{rate: 1/s, for: 1s}}
"""


@pytest.mark.slow
@pytest.mark.venv
@pytest.mark.parametrize("package", ["botocore", "aiobotocore"])
def test_the_newest_sdk_walks_the_tour(tmp_path: Path, package: str) -> None:
    python = environment_with(tmp_path / "venv", package)
    with emulate(tmp_path, SCENARIO) as url:
        ended = subprocess.run(
            [python, SCRIPT, package, str(60 / SCALE)],
            env=sdk_environment(url) | {"PYTHONPATH": str(TESTS / "support")},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["problems"] == []
    assert found["differing"] == []
    assert tuple(int(part) for part in found["botocore"].split(".")[:2]) >= (1, 43)
