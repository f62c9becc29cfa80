#!/usr/bin/env bash
# opentelemetry-exporter-prometheus 0.66b2 answers no scrape at all once one instrument has an exponential histogram.
#
# Guess: the SDK's own exporter writes the SDK's own aggregation, or leaves that one metric out with a warning.
# Seen: with opentelemetry-sdk 1.45.2 every scrape raises AttributeError ('ExponentialHistogramDataPoint' object has no attribute 'value'), and the
#       counters beside it are gone, too. It is the first recorded value that does it: until a first request is
#       measured, scrapes work. Whoever chooses exponential buckets for latencies loses all metrics of the process at its first request.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check opentelemetry-exporter-prometheus==0.66b2 \
  opentelemetry-sdk==1.45.2 prometheus-client==0.26.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from prometheus_client import REGISTRY, generate_latest

views = [View(instrument_name="latency", aggregation=ExponentialBucketHistogramAggregation())]
meter = MeterProvider([PrometheusMetricReader()], views=views).get_meter("meter")
latency, requests = meter.create_histogram("latency", unit="s"), meter.create_counter("requests")


def scrape(when):
    try:
        lines = generate_latest(REGISTRY).decode().splitlines()
        print(f"{when}:", [line.split("{")[0] for line in lines if line.startswith(("requests", "latency"))])
    except AttributeError as error:
        print(f"{when}: {error}")


requests.add(1)
scrape("before the first latency")
latency.record(0.2)
scrape("after it")
PY
cat > "$tmp/expected" <<'TXT'
before the first latency: ['requests_total']
after it: 'ExponentialHistogramDataPoint' object has no attribute 'value'
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
