#!/usr/bin/env bash
# prom-client 15.1.3 (Node.js) reports an event-loop lag of 10 ms for a process that does nothing.
#
# Guess: the lag of an idle event loop is nearly zero; `nodejs_eventloop_lag_p50_seconds` of 0.010 means that callbacks come 10 ms late.
# Seen: an idle process has a minimum, p50 and mean of some 10 ms: the histogram holds the time from one look to the next, which is
#       `eventLoopMonitoringPrecision` = 10 ms, and the interval is not taken off. With a precision of 50 the idle lag is 50 ms: who asks for less
#       work to measure gets more lag. An alarm at 10 ms is on for ever.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit prom-client@15.1.3 >/dev/null
cat > measure.js <<'JS'
const { Registry, collectDefaultMetrics } = require('prom-client')
const eventLoopMonitoringPrecision = Number(process.argv[2])
const register = new Registry()
collectDefaultMetrics({ register, eventLoopMonitoringPrecision })
setTimeout(async () => {
  const text = await register.metrics()
  const ms = (name) => 1000 * Number(text.match(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (.*)$`, 'm'))[1])
  const about = (value) => value >= 0.9 * eventLoopMonitoringPrecision ? `at least ${0.9 * eventLoopMonitoringPrecision} ms` : 'less'
  console.log(`idle, precision ${eventLoopMonitoringPrecision} ms: min ${about(ms('min'))}, p50 ${about(ms('p50'))}, mean ${about(ms('mean'))}`)
}, 1500)
JS
for precision in 10 50; do node measure.js "$precision"; done > seen
cat > expected <<'TXT'
idle, precision 10 ms: min at least 9 ms, p50 at least 9 ms, mean at least 9 ms
idle, precision 50 ms: min at least 45 ms, p50 at least 45 ms, mean at least 45 ms
TXT
cat seen
diff expected seen
