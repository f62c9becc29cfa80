#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 keeps one histogram of all that differ by a label, and joins the quantiles of several summaries.
#
# Guess: each set of labels of a histogram is a histogram, as each set of labels of a counter is a counter.
# Seen: of two endpoints' histograms the last one's buckets are left, without a label that says whose they are, and without sum and count. Summaries are
#       joined: p99 of the last endpoint stands beside p50 of the first, where only that one has it. Counters and gauges are right. Where the busy
#       endpoint comes first and an idle one last, the latencies of the service are those of the idle one. prometheus_client's parser keeps all.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit parse-prometheus-text-format@1.1.1 >/dev/null
cat > metrics.txt <<'TXT'
# TYPE latency_seconds histogram
latency_seconds_bucket{endpoint="busy",le="0.1"} 200
latency_seconds_bucket{endpoint="busy",le="+Inf"} 1000
latency_seconds_sum{endpoint="busy"} 900
latency_seconds_count{endpoint="busy"} 1000
latency_seconds_bucket{endpoint="idle",le="0.1"} 2
latency_seconds_bucket{endpoint="idle",le="+Inf"} 2
latency_seconds_sum{endpoint="idle"} 0.02
latency_seconds_count{endpoint="idle"} 2
# TYPE wait_seconds summary
wait_seconds{endpoint="busy",quantile="0.5"} 4
wait_seconds{endpoint="busy",quantile="0.99"} 9
wait_seconds{endpoint="idle",quantile="0.99"} 0.01
# TYPE requests_total counter
requests_total{endpoint="busy"} 1000
requests_total{endpoint="idle"} 2
TXT
cat > measure.js <<'JS'
const parse = require('parse-prometheus-text-format')
for (const { name, metrics } of parse(require('fs').readFileSync('metrics.txt', 'utf8'))) console.log(name, JSON.stringify(metrics))
JS
node measure.js > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
latency_seconds [{"buckets":{"0.1":"2","+Inf":"2"}}]
wait_seconds [{"quantiles":{"0.5":"4","0.99":"0.01"}}]
requests_total [{"value":"1000","labels":{"endpoint":"busy"}},{"value":"2","labels":{"endpoint":"idle"}}]
TXT
cat seen
diff expected seen
