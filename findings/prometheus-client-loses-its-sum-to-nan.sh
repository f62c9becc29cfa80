#!/usr/bin/env bash
# prometheus_client 0.26.0 puts NaN into no bucket, not even the infinite one, and has no sum any more.
#
# Guess: an unknown latency, NaN, is refused, or counts in the bucket without end and so in the count.
# Seen: `observe(nan)` returns. The count, which is the last bucket, has not seen it; the sum is NaN until the process ends, and with it every
#       average and every rate of the sum. Infinity makes the sum infinite and is counted. opentelemetry-sdk 1.45.1 logs a warning and leaves both out.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check prometheus_client==0.26.0 opentelemetry-sdk==1.45.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, Histogram

for values in ([1.5, float("nan"), 1.5], [1.5, float("inf"), 1.5]):
    registry, reader = CollectorRegistry(), InMemoryMetricReader()
    prometheus = Histogram("latency", "s", buckets=[1, 2], registry=registry)
    opentelemetry = MeterProvider([reader]).get_meter("meter").create_histogram("latency")
    for value in values:
        prometheus.observe(value)
        opentelemetry.record(value)
    (point,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    count, total, last = (registry.get_sample_value(*one) for one in (
        ("latency_count",), ("latency_sum",), ("latency_bucket", {"le": "+Inf"})))
    print(f"{values}: prometheus count {count:.0f}, last bucket {last:.0f}, sum {total}; opentelemetry count {point.count}, sum {point.sum}")
PY
cat > "$tmp/expected" <<'TXT'
[1.5, nan, 1.5]: prometheus count 2, last bucket 2, sum nan; opentelemetry count 2, sum 3.0
[1.5, inf, 1.5]: prometheus count 3, last bucket 3, sum inf; opentelemetry count 2, sum 3.0
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
