#!/usr/bin/env bash
# moto 5.2.5's GetMetricData answers every metric expression with no values and the status Complete.
#
# Guess: CloudWatch's arithmetic is there, or it is refused as other things that moto does not do.
# Seen: backlog and instances have their values, `backlog / instances` has none, with the status Complete and no message. So have
#       `FILL(backlog, 0)` and `SUM([backlog, instances])`. An empty list that is complete means that there was no data: a tool that
#       asks for the backlog per instance, the metric that asynchronous endpoints scale by, is tested against zero for ever.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "moto[cloudwatch]==5.2.5"
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime, timedelta, timezone

import boto3
from moto import mock_aws

at = datetime(2026, 11, 1, tzinfo=timezone.utc)
with mock_aws():
    cloudwatch = boto3.client("cloudwatch")
    values = {"backlog": 12.0, "instances": 3.0}
    data = [{"MetricName": name, "Timestamp": at, "Value": value} for name, value in values.items()]
    cloudwatch.put_metric_data(Namespace="test", MetricData=data)
    stat = {"Period": 60, "Stat": "Average"}
    asked = [{"Id": name, "MetricStat": {"Metric": {"Namespace": "test", "MetricName": name}, **stat}} for name in values]
    for place, expression in enumerate(("backlog / instances", "FILL(backlog, 0)", "SUM([backlog, instances])")):
        asked.append({"Id": f"e{place}", "Expression": expression})
    answer = cloudwatch.get_metric_data(MetricDataQueries=asked, StartTime=at, EndTime=at + timedelta(minutes=1))
for result in answer["MetricDataResults"]:
    print(f"{result['Id']}: {result['Values']} {result['StatusCode']} {result.get('Messages', [])}")
print("messages:", answer.get("Messages", []))
PY
cat > "$tmp/expected" <<'TXT'
backlog: [12.0] Complete []
instances: [3.0] Complete []
e0: [] Complete []
e1: [] Complete []
e2: [] Complete []
messages: []
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
