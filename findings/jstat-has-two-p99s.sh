#!/usr/bin/env bash
# jstat 1.9.6 has two p99s: of ninety-nine answers of 1 to 99 ms and one of a second `percentile` gives 99 and `quantiles` 660.
#
# Guess: `percentile(x, 0.99)` and `quantiles(x, [0.99])` are one function for one and for several; other libraries of npm differ by an interpolation.
# Seen: `percentile` is the 99th value, `quantiles` lies between two places chosen by parameters of 3/8, which nobody gave. Two charts
#       of one page differ sixfold. compute-quantile 1.0.1 says 549.5, simple-statistics 7.12.1 108, stats-percentile 3.3.0 99: of one stalled
#       answer in a hundred the p99 is whatever was installed. p50 agrees to half a millisecond, and so does every test on smooth data.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit jstat@1.9.6 compute-quantile@1.0.1 simple-statistics@7.12.1 stats-percentile@3.3.0 >/dev/null
cat > measure.js <<'JS'
const { jStat } = require('jstat')
const computed = require('compute-quantile')
const simple = require('simple-statistics')
const stats = require('stats-percentile')
const latencies = [...Array(99).keys()].map(before => before + 1).concat([1000])
const percentile = stats.calc ?? stats
const shown = value => Number(value.toFixed(2))
for (const share of [0.5, 0.99]) {
  console.log(`p${100 * share}: jstat percentile ${shown(jStat.percentile(latencies, share))}, jstat quantiles ${shown(jStat.quantiles(latencies, [share])[0])},`,
    `compute-quantile ${shown(computed(latencies, share))}, simple-statistics ${shown(simple.quantile(latencies, share))},`,
    `stats-percentile ${shown(percentile(latencies, 100 * share))}`)
}
JS
node measure.js > seen
cat > expected <<'TXT'
p50: jstat percentile 50.5, jstat quantiles 50.5, compute-quantile 50.5, simple-statistics 50.5, stats-percentile 50
p99: jstat percentile 99, jstat quantiles 659.87, compute-quantile 549.5, simple-statistics 108.01, stats-percentile 99
TXT
cat seen
diff expected seen
