#!/usr/bin/env bash
# moto 5.2.5 answers for a metric without dimensions with the values of all that have some, and its alarms are OK whatever the data.
#
# Guess: as in CloudWatch, a metric is its name and its dimensions: asked for without them there is no data point; a new alarm has INSUFFICIENT_DATA
#        and changes with the data.
# Seen: two endpoints' backlogs of 1 and 3 are asked for without the dimension EndpointName: GetMetricStatistics says two samples, mean 2. Code that
#       forgot the dimension passes its test and finds nothing in AWS. An alarm above 0 on the backlog of 3 is OK, before any data
#       and after.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check 'moto[cloudwatch]==5.2.5' boto3==1.44.8
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import datetime
import os

import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")


def dimensions(endpoint):
    return [{"Name": "EndpointName", "Value": endpoint}]


with mock_aws():
    cloudwatch = boto3.client("cloudwatch")
    now = datetime.datetime.now(datetime.timezone.utc)

    def alarm():
        return cloudwatch.describe_alarms(AlarmNames=["backlog"])["MetricAlarms"][0]["StateValue"]

    def points(**asked):
        minutes = datetime.timedelta(minutes=10)
        answer = cloudwatch.get_metric_statistics(Namespace="AWS/SageMaker", MetricName="ApproximateBacklogSize", StartTime=now - minutes,
                                                  EndTime=now + minutes, Period=3600, Statistics=["Average", "SampleCount"], **asked)
        return [(point["Average"], point["SampleCount"]) for point in answer["Datapoints"]]

    cloudwatch.put_metric_alarm(AlarmName="backlog", Namespace="AWS/SageMaker", MetricName="ApproximateBacklogSize", Dimensions=dimensions("b"),
                                Statistic="Average", Period=60, EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold")
    print("a new alarm:", alarm())
    for endpoint, value in (("a", 1), ("b", 3)):
        data = [{"MetricName": "ApproximateBacklogSize", "Dimensions": dimensions(endpoint), "Value": value}]
        cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=data)
    print("of endpoint a: mean, samples", points(Dimensions=dimensions("a")))
    print("without a dimension: mean, samples", points())
    print("of an endpoint that is not there:", points(Dimensions=dimensions("c")))
    print("the alarm above 0, with a value of 3:", alarm())
PY
cat > "$tmp/expected" <<'TXT'
a new alarm: OK
of endpoint a: mean, samples [(1.0, 1.0)]
without a dimension: mean, samples [(2.0, 2.0)]
of an endpoint that is not there: []
the alarm above 0, with a value of 3: OK
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
