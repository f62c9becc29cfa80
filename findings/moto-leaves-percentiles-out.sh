#!/usr/bin/env bash
# moto 5.2.5 answers a question for CloudWatch's p99 with a data point that has no p99.
#
# Guess: `ExtendedStatistics` gives percentiles, or moto says that it does not know them, as it does for other operations.
# Seen: the data point is there, with its time stamp and nothing else: no `ExtendedStatistics`, no error, no warning. Code that takes
#       what is there and goes on shows a latency without a figure. Sum and maximum of the same point are right.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check "moto[cloudwatch]==5.2.5" boto3==1.40.61 botocore==1.40.61
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import os
from datetime import UTC, datetime, timedelta

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from moto import mock_aws

at = datetime(2026, 11, 29, 12, tzinfo=UTC)
with mock_aws():
    cloudwatch = boto3.client("cloudwatch")
    latencies = [{"MetricName": "ModelLatency", "Value": float(ms), "Timestamp": at} for ms in range(1, 101)]
    cloudwatch.put_metric_data(Namespace="Test", MetricData=latencies)
    asked = {
        "Namespace": "Test", "MetricName": "ModelLatency", "Period": 60,
        "StartTime": at - timedelta(minutes=1), "EndTime": at + timedelta(minutes=2),
    }
    for kind, names in (("ExtendedStatistics", ["p99"]), ("Statistics", ["Sum", "Maximum"])):
        (point,) = cloudwatch.get_metric_statistics(**asked, **{kind: names})["Datapoints"]
        print(kind, names, "->", {name: value for name, value in sorted(point.items()) if name not in ("Timestamp", "Unit")})
PY
cat > "$tmp/expected" <<'TXT'
ExtendedStatistics ['p99'] -> {}
Statistics ['Sum', 'Maximum'] -> {'Maximum': 100.0, 'Sum': 5050.0}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
