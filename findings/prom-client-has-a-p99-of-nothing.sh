#!/usr/bin/env bash
# prom-client 15.1.3 (Node.js) reports a p99 of 0 for a Summary without values, where Prometheus's Go client reports NaN.
#
# Guess: quantiles of nothing are NaN, or are left out.
# Seen: they are 0, before the first value and again when all values are older than `maxAgeSeconds`, while count and sum go on. A service
#       that answers nothing any more has the best latency there is, an alert on `p99 > 1` ends when the service does, and an
#       average over instances is pulled down by each idle one.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit prom-client@15.1.3 >/dev/null
cat > measure.js <<'JS'
const { Summary, Registry } = require('prom-client')
const register = new Registry()
const latency = new Summary({
  name: 'latency', help: 'seconds', percentiles: [0.5, 0.99], maxAgeSeconds: 1, ageBuckets: 2, registers: [register]
})
const say = async (when) => {
  const lines = (await register.metrics()).split('\n').filter((line) => line && !line.startsWith('#'))
  console.log(`${when}: ${lines.join(', ')}`)
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const main = async () => {
  await say('before')
  latency.observe(5)
  await say('with a value')
  for (let i = 0; i < 4; i++) { await pause(1100); await register.metrics() } // an age bucket ends each time
  await say('long after')
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
before: latency{quantile="0.5"} 0, latency{quantile="0.99"} 0, latency_sum 0, latency_count 0
with a value: latency{quantile="0.5"} 5, latency{quantile="0.99"} 5, latency_sum 5, latency_count 1
long after: latency{quantile="0.5"} 0, latency{quantile="0.99"} 0, latency_sum 5, latency_count 1
TXT
cat seen
diff expected seen
