#!/usr/bin/env bash
# moto 5.2.5 keeps a SageMaker target-tracking policy without its alarms, and cannot list scaling activities.
#
# Guess: PutScalingPolicy answers with the two alarms that AWS makes for target tracking, as moto's CloudWatch could hold them.
# Seen: `Alarms` is empty, CloudWatch has no alarm, and DescribeScalingActivities is not implemented. A tool that reads
#       scaling from alarms and activities sees nothing on moto, and cannot tell that from an endpoint that never scaled.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check "moto[applicationautoscaling,cloudwatch,sagemaker]==5.2.5" boto3==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import os

import boto3
from moto import mock_aws

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
about = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
with mock_aws():
    scaling, cloudwatch = boto3.client("application-autoscaling"), boto3.client("cloudwatch")
    scaling.register_scalable_target(**about, MinCapacity=0, MaxCapacity=3)
    answer = scaling.put_scaling_policy(
        **about,
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": {
                "MetricName": "ApproximateBacklogSizePerInstance",
                "Namespace": "AWS/SageMaker",
                "Dimensions": [{"Name": "EndpointName", "Value": "e"}],
                "Statistic": "Average",
            },
        },
    )
    print("alarms of the policy:", answer["Alarms"])
    print("alarms there:", len(cloudwatch.describe_alarms()["MetricAlarms"]))
    try:
        scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
    except NotImplementedError as error:
        print(error)
PY
cat > "$tmp/expected" <<'TXT'
alarms of the policy: []
alarms there: 0
The describe_scaling_activities action has not been implemented
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
