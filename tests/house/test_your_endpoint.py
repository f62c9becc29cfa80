"""Goal: the permissions on the page "Against your endpoint" are those of the calls that a run makes: no more, no fewer.

Method: every operation of the services that `smbench.aws` names outside its room for stacks, looked up in botocore's
models, against the policy.
"""

import json
import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from smbench.aws.endpoint.metrics import ASYNC_METRICS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-endpoint.md").read_text(encoding="utf-8")
AWS = ROOT / "src" / "smbench" / "aws"
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in AWS.rglob("*.py")
    if AWS / "stacks" not in path.parents  # what deploy and destroy call, a run does not
)

SERVICES = {  # botocore's name to IAM's
    "sagemaker-runtime": "sagemaker",
    "sagemaker": "sagemaker",
    "s3": "s3",
    "sqs": "sqs",
    "sns": "sns",
    "cloudwatch": "cloudwatch",
    "application-autoscaling": "application-autoscaling",
}
IAM = {  # where IAM has another name, or another action as well
    "s3:HeadObject": {"s3:GetObject", "s3:ListBucket"},  # without ListBucket a missing key is a 403
    "sqs:DeleteMessageBatch": {"sqs:DeleteMessage"},
    "sqs:CreateQueue": {"sqs:CreateQueue", "sqs:TagQueue"},  # a run's queue has tags
}

SYNCHRONOUS = "sagemaker:InvokeEndpoint"  # never called on an asynchronous endpoint, which is what the policy is for


def called() -> set[str]:
    """IAM actions of the operations that the code calls, by method or by name."""
    session, actions = botocore.session.get_session(), set()
    for service, prefix in SERVICES.items():
        for operation in session.get_service_model(service).operation_names:
            method = re.escape(xform_name(operation))
            if re.search(rf'clients?\.(?:\w+\.)?{method}\(|store\.{method}\(|"{method}"', CODE):
                action = f"{prefix}:{operation}"
                actions |= IAM.get(action, {action})
    return actions


@pytest.mark.slow
def test_the_policy_to_copy_allows_what_a_run_calls_and_nothing_else() -> None:
    policy = json.loads(re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)[0])
    allowed = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert len(set(allowed)) == len(allowed)
    assert set(allowed) == called() - {SYNCHRONOUS}
    assert SYNCHRONOUS in (ROOT / "docs" / "synchronous.md").read_text(encoding="utf-8")


def test_the_page_counts_the_metrics_that_are_asked_for() -> None:
    assert f"CloudWatch: {len(ASYNC_METRICS)} metrics every 30 s" in PAGE
