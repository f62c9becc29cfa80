#!/usr/bin/env bash
# aws-embedded-metrics 3.5.0 and aws-lambda-powertools 3.37.0 give all values of a metric one unit: 2 s become 2 ms, or 5 ms become 5 s.
#
# Guess: a second value of a metric in another unit is converted, kept apart (CloudWatch has a unit for each value), or refused.
# Seen: the first unit counts with aws-embedded-metrics, the last one with powertools; 5 ms and then 2 s are 5 and 2 milliseconds with one
#       and 5 and 2 seconds with the other. Of a NaN the first says that it is none, and the second writes `NaN`, which is not JSON: CloudWatch
#       can read none of the metrics of that line.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check aws-embedded-metrics==3.5.0 aws-lambda-powertools==3.37.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import json

from aws_embedded_metrics.logger.metrics_context import MetricsContext
from aws_embedded_metrics.serializers.log_serializer import LogSerializer
from aws_lambda_powertools.metrics import Metrics


def embedded(values):
    context = MetricsContext()
    for value, unit in values:
        context.put_metric("latency", value, unit)
    (line,) = LogSerializer.serialize(context)
    return line


def powertools(values):
    metrics = Metrics(namespace="n")
    metrics.clear_metrics()
    for value, unit in values:
        metrics.add_metric("latency", unit, value)
    return json.dumps(metrics.serialize_metric_set())


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


for name, write in (("aws-embedded-metrics", embedded), ("powertools", powertools)):
    line = json.loads(write([(5, "Milliseconds"), (2, "Seconds")]))
    (metric,) = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    print(f"{name}: 5 ms and 2 s are {line['latency']} {metric['Unit']}")
    try:
        json.loads(write([(5, "Seconds"), (float("nan"), "Seconds")]), parse_constant=refuse)
    except Exception as error:
        print(f"{name}: with NaN: {type(error).__name__}: {error}")
PY
cat > "$tmp/expected" <<'TXT'
aws-embedded-metrics: 5 ms and 2 s are [5, 2] Milliseconds
aws-embedded-metrics: with NaN: InvalidMetricError: Metric value must be finite
powertools: 5 ms and 2 s are [5.0, 2.0] Seconds
powertools: with NaN: ValueError: NaN is not JSON
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
