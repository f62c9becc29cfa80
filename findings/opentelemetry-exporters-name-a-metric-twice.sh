#!/usr/bin/env bash
# One metric has two names in Prometheus: opentelemetry-exporter-prometheus 0.66b2 (Python) adds the unit, @opentelemetry/exporter-prometheus 0.223.0 does not.
#
# Guess: exporters of one project for one format call `latency` in ms the same, so a dashboard shows all services.
# Seen: Python writes `latency_milliseconds`, JavaScript `latency`; a counter `bytes_sent` in By is `bytes_sent_bytes_total` and `bytes_sent_total`. A panel or an alarm by
#       either name shows half the fleet, and no data is no alarm.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 prometheus-client==0.26.0
npm install --silent --no-fund --no-audit @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/api@1.9.1 >/dev/null
cat > measure.py <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import generate_latest

meter = MeterProvider([PrometheusMetricReader()]).get_meter("service")
meter.create_histogram("latency", unit="ms").record(5)
meter.create_counter("bytes_sent", unit="By").add(1)
meter.create_counter("requests", unit="1").add(1)
print(generate_latest().decode())
PY
cat > measure.js <<'JS'
const { PrometheusExporter, PrometheusSerializer } = require('@opentelemetry/exporter-prometheus')
const { MeterProvider } = require('@opentelemetry/sdk-metrics')

const exporter = new PrometheusExporter({ preventServerStart: true })
const meter = new MeterProvider({ readers: [exporter] }).getMeter('service')
meter.createHistogram('latency', { unit: 'ms' }).record(5)
meter.createCounter('bytes_sent', { unit: 'By' }).add(1)
meter.createCounter('requests', { unit: '1' }).add(1)
exporter.collect().then(({ resourceMetrics }) => console.log(new PrometheusSerializer().serialize(resourceMetrics)))
JS
names() { grep -o '^\(latency\|bytes\|requests\)[a-z_]*\(_count\|_total\)' | sort | tr '\n' ' ' | sed 's/ $//'; }
{
  echo "Python: $(venv/bin/python measure.py | names)"
  echo "JavaScript: $(node measure.js | names)"
} > seen
cat > expected <<'TXT'
Python: bytes_sent_bytes_total latency_milliseconds_count requests_total
JavaScript: bytes_sent_total latency_count requests_total
TXT
cat seen
diff expected seen
