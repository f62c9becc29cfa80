#!/usr/bin/env bash
# streaming-percentiles 3.1.0: the p99 of no latency is 0, and the greatest of a thousand is not the greatest.
#
# Guess: a sketch of nothing raises or gives NaN, and one of Greenwald and Khanna keeps the smallest and the largest value, as the paper has it.
# Seen: `quantile` of an empty sketch is 0, the best latency there is. With an error of 0.01 `quantile(1)` of 1 to 1,000 ms is 990, so a stall that is one of a thousand is nowhere: with 999
#       answers of 1 ms the maximum is 1. With four values it is there, and a test passes.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit streaming-percentiles@3.1.0 >/dev/null
cat > measure.js <<'JS'
const { GK } = require('streaming-percentiles')

const filled = values => {
  const sketch = new GK(0.01)
  for (const value of values) sketch.insert(value)
  return sketch
}
console.log(`nothing: p99 ${filled([]).quantile(0.99)}`)
console.log(`1 to 1000: p99 ${filled([...Array(1000).keys()].map(before => before + 1)).quantile(0.99)}, p100 ${filled([...Array(1000).keys()].map(before => before + 1)).quantile(1)}`)
console.log(`999 of 1 ms and one of a second: p100 ${filled([...Array(500).fill(1), 1000, ...Array(499).fill(1)]).quantile(1)}`)
console.log(`1, 2, 3 and 1000: p100 ${filled([1, 2, 3, 1000]).quantile(1)}`)
JS
node measure.js > seen
cat > expected <<'TXT'
nothing: p99 0
1 to 1000: p99 980, p100 990
999 of 1 ms and one of a second: p100 1
1, 2, 3 and 1000: p100 1000
TXT
cat seen
diff expected seen
