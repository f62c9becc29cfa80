#!/usr/bin/env bash
# @opentelemetry/sdk-metrics 2.12.1 (Node.js) keeps 2,000 series of an instrument: who comes later is one nameless series with all who come later.
#
# Guess: each set of attributes has its series, as with the SDK of Python; a limit would drop the oldest or say something.
# Seen: the first 1,999 sets keep their names for ever, also when they have been silent for weeks. With an attribute that changes, as an instance, a pod or
#       a version does, every later one counts as `otel.metric.overflow`: the newest release has no p99 of its own, and that of the fleet is of hosts
#       that are gone. Nothing is logged.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/api@1.9.1 >/dev/null
cat > measure.js <<'JS'
const { diag, DiagLogLevel } = require('@opentelemetry/api')
const { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')

let warnings = 0
const count = () => { warnings++ }
diag.setLogger({ error: count, warn: count, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN)

;(async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 })
  const latency = new MeterProvider({ readers: [reader] }).getMeter('bench').createHistogram('latency')
  for (let instance = 0; instance < 3000; instance++) latency.record(instance < 2000 ? 10 : 5000, { instance: `i-${instance}` })
  await reader.forceFlush()
  const points = exporter.getMetrics()[0].scopeMetrics[0].metrics[0].dataPoints
  const named = points.filter(point => point.attributes.instance)
  const [rest] = points.filter(point => !point.attributes.instance)
  console.log(`3,000 instances: ${named.length} named, the last ${named.at(-1).attributes.instance}, all of ${named[0].value.max} ms`)
  console.log(`the rest: ${JSON.stringify(rest.attributes)}, ${rest.value.count} latencies up to ${rest.value.max} ms; warnings ${warnings}`)
  await reader.shutdown()
})()
JS
node measure.js > seen
cat > expected <<'TXT'
3,000 instances: 1999 named, the last i-1998, all of 10 ms
the rest: {"otel.metric.overflow":true}, 1001 latencies up to 5000 ms; warnings 0
TXT
cat seen
diff expected seen
