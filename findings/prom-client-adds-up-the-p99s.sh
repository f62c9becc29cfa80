#!/usr/bin/env bash
# prom-client 15.1.3's AggregatorRegistry adds up the quantiles of a cluster's workers: four of 100 ms are a p99 of 400.
#
# Guess: the quantiles of several workers cannot be joined, so a Summary comes without them, once for each worker, or as the largest.
# Seen: every metric is summed that is not told otherwise, a Summary's quantiles like its count. Four workers whose every answer takes 100 ms show a
#       p50 and a p99 of 400 ms beside a mean of 100, and a service on twice as many cores is twice as slow. A worker that idles adds 0. A Histogram
#       beside it is right.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit prom-client@15.1.3 >/dev/null
cat > measure.js <<'JS'
const { AggregatorRegistry, Histogram, Registry, Summary } = require('prom-client')

async function worker () {
  const register = new Registry()
  const kinds = [
    new Summary({ name: 'summary_seconds', help: 'latency', percentiles: [0.5, 0.99], registers: [register] }),
    new Histogram({ name: 'histogram_seconds', help: 'latency', buckets: [0.09, 0.11, 0.5], registers: [register] }),
  ]
  for (let answer = 0; answer < 100; answer++) for (const latency of kinds) latency.observe(0.1)
  return register.getMetricsAsJSON()
}

(async () => {
  for (const workers of [1, 2, 4]) {
    const all = await AggregatorRegistry.aggregate(await Promise.all([...Array(workers)].map(worker))).getMetricsAsJSON()
    const values = name => all.find(metric => metric.name === name).values
    const of = (name, label, wanted) => values(name).find(each => String(each.labels[label]) === wanted).value
    const [sum, count] = ['sum', 'count'].map(end => values('summary_seconds').find(each => each.metricName?.endsWith(end)).value)
    console.log(`workers ${workers}: p50 ${of('summary_seconds', 'quantile', '0.5')}, p99 ${of('summary_seconds', 'quantile', '0.99')}, mean ${(sum / count).toFixed(1)}; `
      + `histogram: ${of('histogram_seconds', 'le', '0.11') - of('histogram_seconds', 'le', '0.09')} of ${of('histogram_seconds', 'le', '+Inf')} about 0.1`)
  }
})()
JS
node measure.js > seen
cat > expected <<'TXT'
workers 1: p50 0.1, p99 0.1, mean 0.1; histogram: 100 of 100 about 0.1
workers 2: p50 0.2, p99 0.2, mean 0.1; histogram: 200 of 200 about 0.1
workers 4: p50 0.4, p99 0.4, mean 0.1; histogram: 400 of 400 about 0.1
TXT
cat seen
diff expected seen
