"""Goal: the AWS CLI works on `smbench emulate` with nothing but an endpoint URL.

Method: `awscli` from the package registry in an environment of its own; the core of an asynchronous endpoint's life,
command by command, as its documentation writes them. A minute of the emulated region lasts a second.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving import emulate, environment_with, sdk_environment
from tour import QUEUE_ARN, QUEUE_POLICY, ROLE, TOPIC

SCALE = 60
SCENARIO = f"""
name: aws-cli
target:
  emulated:
    instances: {{max: 3, start: 1}}
    service: 2s
    provision: 60s
    metric_delay: 0s
    time: {{scaled: {SCALE}}}
load:
  - constant: {{rate: 1/s, for: 1s}}
"""
VARIANT = [{"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}]
TOPICS = {"SuccessTopic": TOPIC, "ErrorTopic": TOPIC}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://tour/out", "NotificationConfig": TOPICS}}
TARGET = (
    "--service-namespace=sagemaker",
    "--resource-id=endpoint/ep/variant/AllTraffic",
    "--scalable-dimension=sagemaker:variant:DesiredInstanceCount",
)
TRACKING = {
    "TargetValue": 5.0,
    "CustomizedMetricSpecification": {
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": "ep"}],
        "Statistic": "Average",
    },
}


class Cli:
    """`aws --endpoint-url URL`. The variable alone is not enough: version 1 sends `aws sqs` to AWS all the same."""

    def __init__(self, python: Path, url: str) -> None:
        self.environment = sdk_environment(url)
        self.command: list[str | Path] = [python, "-m", "awscli", "--endpoint-url", url]

    def __call__(self, *words: str) -> Any:
        """What the command printed, as JSON where it is JSON."""
        said = self.run(*words)
        assert said.returncode == 0, f"aws {' '.join(words)}: {said.stderr}"
        return json.loads(said.stdout) if said.stdout[:1] in ("{", "[") else said.stdout

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.command, *words], env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Cli]:
    python = environment_with(tmp_path / "venv", "awscli")
    with emulate(tmp_path, SCENARIO) as url:
        yield Cli(python, url)


@pytest.mark.slow
@pytest.mark.venv
@pytest.mark.timeout(600)
def test_the_aws_cli_creates_invokes_receives_and_reads(aws: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("{}")
    aws("s3", "mb", "s3://tour")
    aws("s3", "cp", str(tmp_path / "in.json"), "s3://tour/in.json")
    assert aws("sns", "create-topic", "--name=tour")["TopicArn"] == TOPIC
    attributes = json.dumps({"Policy": QUEUE_POLICY})
    queue = aws("sqs", "create-queue", "--queue-name=tour", f"--attributes={attributes}")["QueueUrl"]
    aws("sns", "subscribe", f"--topic-arn={TOPIC}", "--protocol=sqs", f"--notification-endpoint={QUEUE_ARN}")

    aws("sagemaker", "create-model", "--model-name=m", f"--execution-role-arn={ROLE}", "--primary-container=Image=i:1")
    aws(
        "sagemaker",
        "create-endpoint-config",
        "--endpoint-config-name=c",
        f"--production-variants={json.dumps(VARIANT)}",
        f"--async-inference-config={json.dumps(ASYNC)}",
    )
    aws("sagemaker", "create-endpoint", "--endpoint-name=ep", "--endpoint-config-name=c")
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name=ep")
    described = aws("sagemaker", "describe-endpoint", "--endpoint-name=ep")
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1

    aws("application-autoscaling", "register-scalable-target", *TARGET, "--min-capacity=2", "--max-capacity=3")
    aws(
        "application-autoscaling",
        "put-scaling-policy",
        *TARGET,
        "--policy-name=p",
        "--policy-type=TargetTrackingScaling",
        f"--target-tracking-scaling-policy-configuration={json.dumps(TRACKING)}",
    )
    taken = aws(
        "sagemaker-runtime", "invoke-endpoint-async", "--endpoint-name=ep", "--input-location=s3://tour/in.json"
    )
    heard: dict[str, str] = {}
    while taken["InferenceId"] not in heard:
        received = aws("sqs", "receive-message", f"--queue-url={queue}", "--wait-time-seconds=20")
        for message in received["Messages"]:
            told = json.loads(json.loads(message["Body"])["Message"])
            aws("sqs", "delete-message", f"--queue-url={queue}", f"--receipt-handle={message['ReceiptHandle']}")
            if told["eventName"] == "InferenceResult":
                heard[told["inferenceId"]] = told["responseParameters"]["outputLocation"]
    assert heard[taken["InferenceId"]] == taken["OutputLocation"]
    assert aws("s3", "cp", taken["OutputLocation"], "-")["inferenceId"] == taken["InferenceId"]

    activities = aws("application-autoscaling", "describe-scaling-activities", "--service-namespace=sagemaker")
    assert activities["ScalingActivities"][0]["Cause"] == "minimum capacity was set to 2"
    alarms = aws("cloudwatch", "describe-alarms", "--alarm-name-prefix=TargetTracking-endpoint/ep/")["MetricAlarms"]
    assert sorted(alarm["Threshold"] for alarm in alarms) == [4.5, 5.0]
    history = aws("cloudwatch", "describe-alarm-history", f"--alarm-name={alarms[0]['AlarmName']}")
    assert history["AlarmHistoryItems"]
    listed = aws("cloudwatch", "list-metrics", "--namespace=AWS/SageMaker", "--metric-name=InvocationsProcessed")
    assert len(listed["Metrics"]) == 1
    statistics = aws(
        "cloudwatch",
        "get-metric-statistics",
        "--namespace=AWS/SageMaker",
        "--metric-name=InvocationsProcessed",
        "--dimensions",
        "Name=EndpointName,Value=ep",
        "Name=VariantName,Value=AllTraffic",
        f"--start-time={described['CreationTime']}",
        f"--end-time={described['CreationTime'] + 90_000}",
        "--period=86400",
        "--statistics=Sum",
    )
    assert [point["Sum"] for point in statistics["Datapoints"]] == [1.0]

    wrong = aws.run("sagemaker", "describe-endpoint", "--endpoint-name=nobody")
    assert wrong.returncode != 0
    assert 'Could not find endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/nobody".' in wrong.stderr
    unknown = aws.run("sagemaker", "list-training-jobs")
    assert "does not implement sagemaker:ListTrainingJobs" in unknown.stderr
