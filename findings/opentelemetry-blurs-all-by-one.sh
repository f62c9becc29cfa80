#!/usr/bin/env bash
# One small value makes an exponential histogram of opentelemetry-sdk 1.45.2 coarse: a thousand latencies go from 129 buckets into 5.
#
# Guess: an exponential histogram has a relative error, the same for every value, as a DDSketch or an HdrHistogram has.
# Seen: it has a number of buckets, 160, and makes them wider until all values fit. A thousand latencies between 1 and 2 s are in 129
#       buckets, each 0.5 % wide. One more of a microsecond (an answer from a cache, a refused connection) and buckets are 19 % wide, also for
#       the thousand that were there: no percentile above 1 s can be told from another within 19 %. Of the 160 buckets 6 are used.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check opentelemetry-sdk==1.45.2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View


def histogram(values):
    reader = InMemoryMetricReader()
    views = [View(instrument_name="latency", aggregation=ExponentialBucketHistogramAggregation())]
    latency = MeterProvider([reader], views=views).get_meter("meter").create_histogram("latency", unit="s")
    for value in values:
        latency.record(value)
    (point,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    return point


latencies_s = [1 + i / 1000 for i in range(1000)]
for name, values in (("a thousand of 1 to 2 s", latencies_s), ("and one of a microsecond", [*latencies_s, 1e-6])):
    point = histogram(values)
    used = sum(1 for count in point.positive.bucket_counts if count)
    width = 2 ** (2**-point.scale) - 1
    print(f"{name}: scale {point.scale}, buckets {width:.1%} wide, {used} of them used, count {point.count}")
PY
cat > "$tmp/expected" <<'TXT'
a thousand of 1 to 2 s: scale 7, buckets 0.5% wide, 129 of them used, count 1000
and one of a microsecond: scale 2, buckets 18.9% wide, 6 of them used, count 1001
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
