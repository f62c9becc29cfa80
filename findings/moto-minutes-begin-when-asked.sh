#!/usr/bin/env bash
# moto 5.2.5's CloudWatch counts its periods from StartTime, where CloudWatch rounds StartTime down.
#
# Guess: with a period of 60 s the sums are those of whole minutes, whenever one asks from: CloudWatch rounds a StartTime of the
#        last 15 days down to the minute (GetMetricData, StartTime).
# Seen: three values at 0:10, 0:50 and 1:10. Asked from 0:00 the sums are 3 and 4; asked from 0:30 there is one datum at 0:30
#       with all that came after, 6, and the value of 0:10 is gone. A client that asks from its own start sees other minutes on
#       moto than on AWS, and the same run other figures by the second it began at.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check "moto[cloudwatch]==5.2.5" boto3==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import datetime
import os

import boto3
from moto import mock_aws

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
minute = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0) - datetime.timedelta(minutes=10)
with mock_aws():
    cloudwatch = boto3.client("cloudwatch")
    for second, value in ((10, 1), (50, 2), (70, 4)):
        at = minute + datetime.timedelta(seconds=second)
        cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Timestamp": at, "Value": value}])
    metric = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    for begin in (0, 30):
        found = cloudwatch.get_metric_data(
            StartTime=minute + datetime.timedelta(seconds=begin),
            EndTime=minute + datetime.timedelta(minutes=3),
            MetricDataQueries=[{"Id": "m", "MetricStat": metric}],
            ScanBy="TimestampAscending",
        )["MetricDataResults"][0]
        sums = zip(found["Timestamps"], found["Values"], strict=True)
        print(f"from {begin} s:", [(int((at - minute).total_seconds()), value) for at, value in sums])
PY
cat > "$tmp/expected" <<'TXT'
from 0 s: [(0, 3.0), (60, 4.0)]
from 30 s: [(30, 6.0)]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
