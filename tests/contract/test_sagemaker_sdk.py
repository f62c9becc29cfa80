"""Goal: the SageMaker Python SDK's AsyncPredictor works on the emulated region, from deploy to delete.

Method: the SDK of version 2 in an environment of its own (some 190 MB), so it is outside the default run:
`make sagemaker`. The script waits as the SDK does, about a minute and a half.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from serving import emulate, environment_with, sdk_environment

SCRIPT = Path(__file__).parent / "scripts" / "predict_async.py"
SCENARIO = """
name: sagemaker-sdk
target:
  emulated:
    instances: {max: 1, start: 1}
    service: 2s
    provision: 60s
    time: {scaled: 60}
load:
  - constant: {rate: 1/s, for: 1s}
"""


@pytest.mark.slow
@pytest.mark.venv
@pytest.mark.timeout(900)
@pytest.mark.skipif("SMBENCH_SAGEMAKER_SDK" not in os.environ, reason="a large download; `make sagemaker` runs it")
def test_an_async_predictor_deploys_predicts_and_is_deleted(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "venv", "sagemaker<3")
    with emulate(tmp_path, SCENARIO) as url:
        settings = sdk_environment(url) | {"SAGEMAKER_SUPPRESS_V2_WARNING": "1"}
        ended = subprocess.run([python, SCRIPT], env=settings, capture_output=True, text=True, timeout=400, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["kind"] == "AsyncPredictor"
    assert found["waited"]["inferenceId"] != found["later"]["inferenceId"]
    assert found["path"].startswith("s3://predictor/async-endpoint-outputs/")
