"""Goal: the policy for `deploy` has what CloudFormation calls for each type of resource, by the type's own schema.

Method: the `handlers` of the schemas that cfn-lint ships, against the table; our own calls are in tests/api.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from smbench.account.stack_permissions import CALLED_FOR, stack_policy
from smbench.account.statements import Place
from smbench.scenario.deploy import Deploy

HERE = Place("aws", "us-east-1", "123456789012")
# What a schema's handlers name for properties that our template does not set.
NOT_SET = {
    "iam:AttachRolePolicy",  # a managed policy
    "iam:DetachRolePolicy",
    "kms:DescribeKey",  # a key of the user's own
    "sns:PutDataProtectionPolicy",
    "sns:Subscribe",  # a topic's own list of subscriptions
    "iam:GetRole",  # of a topic with delivery logs, of a role it is in the table
    "application-autoscaling:PutScheduledAction",
    "cloudwatch:DeleteAlarms",  # of a scalable target for Lambda
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:GetProvisionedConcurrencyConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "iam:PassRole",  # of a model it is in the table; no other type is given a role
}
BY_PROPERTY = {  # of a bucket, whose handlers name an action for each property there is
    "BucketEncryption": "s3:PutEncryptionConfiguration",
    "PublicAccessBlockConfiguration": "s3:PutBucketPublicAccessBlock",
    "OwnershipControls": "s3:PutBucketOwnershipControls",
    "LifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "VersioningConfiguration": "s3:PutBucketVersioning",
}
BUCKET = "AWS::S3::Bucket"


@cache
def handlers() -> dict[str, dict[str, Any]]:
    """By type."""
    found = find_spec("cfnlint")  # its files are wanted; to import it would take a second of every run of the tests
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "data" / "schemas" / "resources"
    wanted = tuple(f'"{name}"' for name in CALLED_FOR)
    texts = (path.read_text(encoding="utf-8") for path in folder.glob("*.json"))
    schemas = (json.loads(text) for text in texts if any(name in text for name in wanted))
    return {one["typeName"]: one["handlers"] for one in schemas if one["typeName"] in CALLED_FOR}


def called(name: str, *which: str) -> set[str]:
    return {action for one in which for action in handlers()[name].get(one, {}).get("permissions", ())}


@pytest.mark.slow  # reads the schemas of all types there are
@pytest.mark.parametrize("name", sorted(CALLED_FOR))
def test_a_type_has_what_its_handlers_call(name: str) -> None:
    listed = set(CALLED_FOR[name])
    assert listed <= called(name, "create", "read", "update", "delete")
    needed = called(name, "create", "delete")
    if name == BUCKET:
        needed = {"s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketTagging", "s3:ListBucket", *BY_PROPERTY.values()}
        assert needed == listed
    assert needed - listed <= NOT_SET


def actions(wanted: Deploy) -> set[str]:
    return {action for one in stack_policy("demo", wanted, HERE)["Statement"] for action in one["Action"]}


def test_what_is_not_deployed_needs_no_permission() -> None:
    serverless = actions(Deploy.model_validate({"kind": "serverless", "model": {"name": "theirs"}}))
    services = {action.partition(":")[0] for action in serverless}
    assert services == {"cloudformation", "s3", "sagemaker", "tag"}
    assert "sagemaker:CreateModel" not in serverless
    assert "s3:PutObject" not in serverless  # no folder is packed
    asynchronous = actions(Deploy.model_validate({"model": {"image": "i", "folder": "f"}}))
    assert {"sns:CreateTopic", "iam:PassRole", "s3:PutObject", "cloudwatch:PutMetricAlarm"} <= asynchronous


def test_a_role_is_passed_to_sagemaker_alone_and_nothing_is_made_under_another_name() -> None:
    statements = stack_policy("demo", Deploy(), HERE)["Statement"]
    (passing,) = [one for one in statements if one["Action"] == ["iam:PassRole"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    made = {one["Sid"]: one["Resource"] for one in statements}
    assert made["Bucket"] == "arn:aws:s3:::smbench-demo-*"
    assert made["Topics"] == "arn:aws:sns:us-east-1:123456789012:smbench-demo-*"
    assert made["Role"] == "arn:aws:iam::123456789012:role/smbench-demo-*"
