#!/usr/bin/env bash
# moto 5.2.5 averages the values of a CloudWatch metric over their units: 5 milliseconds and 7 seconds are 6 seconds.
#
# Guess: values of one name in two units are two series, as CloudWatch documents it: without a Unit in the question each has a data point of
#        its own.
# Seen: one data point with two samples and the unit of the last, an average of 6 "Seconds". Asked with a Unit each is as it should be.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "moto[cloudwatch]==5.2.5" boto3==1.43.117 botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import os
from datetime import UTC, datetime, timedelta

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from moto import mock_aws

at = datetime(2026, 11, 1, 10, tzinfo=UTC)
with mock_aws():
    cloudwatch = boto3.client("cloudwatch")
    for value, unit in ((5, "Milliseconds"), (7, "Seconds")):
        data = [{"MetricName": "latency", "Timestamp": at, "Value": value, "Unit": unit}]
        cloudwatch.put_metric_data(Namespace="n", MetricData=data)
    for asked in ({}, {"Unit": "Milliseconds"}, {"Unit": "Seconds"}):
        points = cloudwatch.get_metric_statistics(
            Namespace="n", MetricName="latency", StartTime=at, EndTime=at + timedelta(minutes=1), Period=60,
            Statistics=["Average", "SampleCount"], **asked,
        )["Datapoints"]
        print(asked, [(point["Average"], point["SampleCount"], point["Unit"]) for point in points])
PY
cat > "$tmp/expected" <<'TXT'
{} [(6.0, 2.0, 'Seconds')]
{'Unit': 'Milliseconds'} [(5.0, 1.0, 'Milliseconds')]
{'Unit': 'Seconds'} [(7.0, 1.0, 'Seconds')]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
