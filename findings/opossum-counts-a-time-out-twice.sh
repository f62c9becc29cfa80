#!/usr/bin/env bash
# opossum 9.0.0 puts the latency of a call that timed out into its statistics twice.
#
# Guess: `stats.latencyTimes` has one latency for each call that ended, so its percentiles and `latencyMean` are those of the calls.
# Seen: a time-out is a latency of its own and once more as a failure: a hundred calls, forty of which time out, are 140 latencies, of which 57 % are
#       time-outs. More than half of the calls are quick and the median is the time-out. `failures` holds the time-outs as well, so failures and
#       timeouts together are more than what failed. A call that fails otherwise is there once.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit opossum@9.0.0 >/dev/null
cat > measure.js <<'JS'
const CircuitBreaker = require('opossum')

const TIMEOUT_MS = 400
const calls = {
  quick: async () => 'done',
  failing: async () => { throw new Error('refused') },
  late: () => new Promise(() => {}),
}

async function measured (counts) {
  const breaker = new CircuitBreaker(call => call(), { timeout: TIMEOUT_MS, errorThresholdPercentage: 100, volumeThreshold: 1000, rollingCountTimeout: 60_000 })
  const all = Object.entries(counts).flatMap(([kind, count]) => Array(count).fill(calls[kind]))
  await Promise.allSettled(all.map(call => breaker.fire(call)))
  const { fires, failures, timeouts, latencyTimes, percentiles } = breaker.status.stats
  breaker.shutdown()
  const late = latencyTimes.filter(latency => latency >= TIMEOUT_MS / 2).length
  const median = percentiles['0.5'] >= TIMEOUT_MS / 2 ? 'the time-out' : 'quick'
  console.log(`${JSON.stringify(counts)}: fires ${fires}, failures ${failures}, timeouts ${timeouts}; latencies ${latencyTimes.length}, of time-outs ${late}, median ${median}`)
}

(async () => {
  await measured({ quick: 60, late: 40 })
  await measured({ quick: 60, failing: 40 })
})()
JS
node measure.js > seen
cat > expected <<'TXT'
{"quick":60,"late":40}: fires 100, failures 40, timeouts 40; latencies 140, of time-outs 80, median the time-out
{"quick":60,"failing":40}: fires 100, failures 40, timeouts 0; latencies 100, of time-outs 0, median quick
TXT
cat seen
diff expected seen
