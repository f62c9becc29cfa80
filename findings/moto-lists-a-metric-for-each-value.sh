#!/usr/bin/env bash
# moto 5.2.5's ListMetrics names a metric once for every value that was put, and RecentlyActive leaves nothing out.
#
# Guess: a metric is its namespace, name and dimensions, listed once, however many values it has.
# Seen: three metrics with 300 values are 900 entries on two pages. What counts metrics counts values: at CloudWatch's price for a custom
#       metric three metrics are a bill for nine hundred, and a loop that asks for each listed metric's data asks 900 times.
#       RecentlyActive="PT3H" lists values of a month ago as well.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "moto[cloudwatch]==5.2.5"
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime, timedelta, timezone

import boto3
from moto import mock_aws

long_ago = datetime.now(timezone.utc) - timedelta(days=30)
with mock_aws():
    cloudwatch = boto3.client("cloudwatch")
    instants = [long_ago + timedelta(minutes=minute) for minute in range(300)]
    data = [{"MetricName": name, "Timestamp": at, "Value": 1.0} for at in instants for name in ("backlog", "instances", "latency")]
    cloudwatch.put_metric_data(Namespace="bench", MetricData=data)
    for asked in ({}, {"MetricName": "backlog"}, {"RecentlyActive": "PT3H"}):
        pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="bench", **asked))
        listed = [metric["MetricName"] for page in pages for metric in page["Metrics"]]
        print(f"{asked}: {len(listed)} entries on {len(pages)} pages, {len(set(listed))} names")
PY
cat > "$tmp/expected" <<'TXT'
{}: 900 entries on 2 pages, 3 names
{'MetricName': 'backlog'}: 300 entries on 1 pages, 1 names
{'RecentlyActive': 'PT3H'}: 900 entries on 2 pages, 3 names
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
