#!/usr/bin/env bash
# botocore 1.44.8's paginator of GetMetricData does not join what CloudWatch split: one Id comes once for each page.
#
# Guess: `paginate(...).build_full_result()` has one result for each query, with the values of all pages.
# Seen: a series that goes over two pages is two results of one Id, so `{result["Id"]: result["Values"] ...}` keeps the last page. CloudWatch
#       begins with the newest values, so the newest are lost: here three of five, the peak among them. Of short ranges there is
#       one page, and nothing is wrong.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime, timedelta, timezone

import boto3
from botocore.stub import Stubber

began = datetime(2026, 11, 1, tzinfo=timezone.utc)
ended = began + timedelta(minutes=5)


def page(values: dict[int, float], status: str) -> dict:
    at = [began + timedelta(minutes=minute) for minute in values]
    return {"MetricDataResults": [{"Id": "backlog", "Timestamps": at, "Values": list(values.values()), "StatusCode": status}]}


cloudwatch = boto3.client("cloudwatch")
metric = {"Namespace": "AWS/SageMaker", "MetricName": "ApproximateBacklogSize"}
asked = {
    "MetricDataQueries": [{"Id": "backlog", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}],
    "StartTime": began,
    "EndTime": ended,
}
with Stubber(cloudwatch) as answers:
    answers.add_response("get_metric_data", {**page({4: 10.0, 3: 900.0, 2: 40.0}, "PartialData"), "NextToken": "next"})
    answers.add_response("get_metric_data", page({1: 20.0, 0: 5.0}, "Complete"))
    whole = cloudwatch.get_paginator("get_metric_data").paginate(**asked).build_full_result()
results = whole["MetricDataResults"]
print("results:", [(result["Id"], result["Values"], result["StatusCode"]) for result in results])
by_id = {result["Id"]: result["Values"] for result in results}
print(f"by Id: {by_id}, peak {max(by_id['backlog'])}")
PY
cat > "$tmp/expected" <<'TXT'
results: [('backlog', [10.0, 900.0, 40.0], 'PartialData'), ('backlog', [20.0, 5.0], 'Complete')]
by Id: {'backlog': [20.0, 5.0]}, peak 20.0
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
