#!/usr/bin/env bash
# cloudwatch-fluent-metrics 0.5.3, AWS's own, puts every value twice under the same name, and every object makes metrics of its own.
#
# Guess: one call of `count` is one value of one metric, whichever worker made it.
# Seen: a value is put once for each dimension alone and once for all together. There is always one, a random MetricStreamId, so a plain
#       metric has each value twice: 10 requests are a Sum of 20. With one dimension of one's own it is three metrics. The random id
#       is another for each object: 50 short jobs are 50 custom metrics that are billed and of which none has the whole.
#       With UseStreamId=False and one dimension the values are doubled as well.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check cloudwatch-fluent-metrics==0.5.3 arrow==1.4.0 \
  boto3==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from collections import defaultdict

from fluentmetrics import FluentMetric


class Recorder:
    """What put_metric_data was asked to store: the sum of each metric, by its dimensions."""

    def __init__(self) -> None:
        self.sums = defaultdict(float)

    def put_metric_data(self, Namespace: str, MetricData: list) -> None:
        for datum in MetricData:
            self.sums[tuple((each["Name"], each["Value"]) for each in datum["Dimensions"])] += datum["Value"]


def names_and_sums(recorder: Recorder) -> list:
    return sorted(("+".join(name for name, _ in dimensions), total) for dimensions, total in recorder.sums.items())


plain, dimensioned, unnamed, jobs = Recorder(), Recorder(), Recorder(), Recorder()
metric = FluentMetric(plain).with_namespace("bench")
other = FluentMetric(dimensioned).with_namespace("bench").with_dimension("Endpoint", "a")
without_id = FluentMetric(unnamed, UseStreamId=False).with_namespace("bench").with_dimension("Endpoint", "a")
for _ in range(10):
    for each in (metric, other, without_id):
        each.count(MetricName="requests")
for _ in range(50):
    FluentMetric(jobs).with_namespace("bench").count(MetricName="requests")
print("ten requests, no dimension:", names_and_sums(plain))
print("ten requests, one dimension:", names_and_sums(dimensioned))
print("ten requests, one dimension, no stream id:", names_and_sums(unnamed))
print("fifty jobs of one request: metrics", len(jobs.sums), "sums", set(jobs.sums.values()))
PY
cat > "$tmp/expected" <<'TXT'
ten requests, no dimension: [('MetricStreamId', 20.0)]
ten requests, one dimension: [('Endpoint', 10.0), ('MetricStreamId', 10.0), ('MetricStreamId+Endpoint', 10.0)]
ten requests, one dimension, no stream id: [('Endpoint', 20.0)]
fifty jobs of one request: metrics 50 sums {2.0}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
