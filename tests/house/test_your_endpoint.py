"""Goal: the page "Against your endpoint" shows the policy that `smbench policy` prints, and counts what a run asks for.

Method: the policy of an endpoint with everything that is watched, in the place of the page's JSON. That it is exact,
tests/api/test_policy.py shows behind a gate.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from fake_aws import target
from smbench.account.permissions import run_policy
from smbench.aws.endpoint.metrics import ASYNC_METRICS
from smbench.generator.plan import make_plan
from smbench.scenario.model import Scenario

Golden = Callable[[Path, str], bool]

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "your-endpoint.md"
PAGE = FILE.read_text(encoding="utf-8")
SHOWN = re.compile(r"```json\n.*?```", re.DOTALL)


def test_the_page_shows_the_policy_that_is_printed(is_golden: Golden) -> None:
    document = {"name": "n", "target": {"endpoint": "ENDPOINT"}, "load": [{"burst": {"requests": 1}}]}
    found = target(
        endpoint_arn="arn:aws:sagemaker:REGION:ACCOUNT:endpoint/ENDPOINT",
        config="config",
        output_path="s3://BUCKET/async-outputs",
        failure_path="s3://BUCKET/async-failures",
        success_topic="arn:aws:sns:REGION:ACCOUNT:SUCCESS",
        error_topic="arn:aws:sns:REGION:ACCOUNT:ERROR",
        scalable_target={"MinCapacity": 0, "MaxCapacity": 2},
        policies=({"PolicyName": "POLICY"},),
        alarms=({"AlarmName": "ALARM"},),
    )
    policy = run_policy(make_plan(Scenario.model_validate(document), Path()), found)
    shown = f"```json\n{json.dumps(policy, indent=2)}\n```"
    assert is_golden(FILE, SHOWN.sub(lambda _: shown, PAGE, count=1)), "pytest tests/house --update-golden"


def test_the_page_counts_the_metrics_that_are_asked_for() -> None:
    assert f"CloudWatch: {len(ASYNC_METRICS)} metrics every 30 s" in PAGE
