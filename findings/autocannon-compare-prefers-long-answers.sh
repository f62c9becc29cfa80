#!/usr/bin/env bash
# autocannon-compare 0.4.0 lets the run with more bytes a second win: an error page of 5 kB at a tenth of the rate beats the right answer.
#
# Guess: of two results of autocannon the one with more requests a second, or with lower latencies, wins.
# Seen: only bytes a second count. A hundred answers a second of 5,000 bytes, at 100 ms, win against a thousand of 100 bytes, at 10 ms: the service that
#       answers with a long error is the better one. With equal answers a run that is 5 % better is `equal`, and its p-values take each request for a
#       sample of the rate by the second: ten seconds at 102 +- 20 and 100 +- 20 requests a second differ with p = 0.025.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit autocannon-compare@0.4.0 >/dev/null
cat > measure.js <<'JS'
const compare = require('autocannon-compare')

const result = (rate, stddev, bytes, latency) => ({
  duration: 10,
  requests: { mean: rate, stddev, total: rate * 10 },
  throughput: { mean: rate * bytes, stddev: stddev * bytes, total: rate * bytes * 10 },
  latency: { mean: latency, stddev: latency / 10 },
})
const tell = (name, a, b) => {
  const { requests, throughput, latency, aWins, bWins } = compare(a, b)
  console.log(`${name}: requests ${requests.difference} (p ${requests.pValue.toFixed(3)}), bytes ${throughput.difference}, latency ${latency.difference}:`,
    aWins ? 'the first wins' : bWins ? 'the second wins' : 'equal')
}
tell('error pages and right answers', result(100, 5, 5000, 100), result(1000, 50, 100, 10))
tell('equal answers, 4 % more', result(1040, 5, 100, 10), result(1000, 5, 100, 10))
tell('equal answers, much scatter', result(102, 20, 100, 10), result(100, 20, 100, 10))
JS
node measure.js > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
error pages and right answers: requests -90% (p 0.000), bytes 400%, latency 900%: the first wins
equal answers, 4 % more: requests 4% (p 0.000), bytes 4%, latency 0%: equal
equal answers, much scatter: requests 2% (p 0.025), bytes 2%, latency 0%: equal
TXT
cat seen
diff expected seen
