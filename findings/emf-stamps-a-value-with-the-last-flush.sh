#!/usr/bin/env bash
# aws-embedded-metrics 4.2.1 (Node.js) stamps a value with the instant of the flush before it.
#
# Guess: a value has the time at which it was put, or at least at which it was flushed; a time that was set holds for what is flushed next.
# Seen: the time is taken where the logger begins a new context, at the end of the last flush. A latency that is put and flushed after an idle
#       hour is stamped an hour ago, beyond the minutes that an alarm looks at: a service that answers rarely never raises one. The first value has the
#       time at which the logger was made. After `setTimestamp` every later flush has that one time, so a day is one point.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit aws-embedded-metrics@4.2.1 >/dev/null
cat > measure.js <<'JS'
const { mock } = require('node:test')
const HOUR_MS = 3_600_000
const began = Date.parse('2026-11-01T12:00:00Z')
process.env.AWS_EMF_ENVIRONMENT = 'Local'
const { createMetricsLogger } = require('aws-embedded-metrics')

mock.timers.enable({ apis: ['Date'], now: began })
const time = instant => new Date(instant).toISOString().slice(11, 16)

async function flushes (title, metrics) {
  for (let hours = 1; hours <= 3; hours++) {
    mock.timers.setTime(began + hours * HOUR_MS)
    metrics.putMetric('latency', hours)
    const lines = []
    const log = mock.method(console, 'log', line => lines.push(line))
    await metrics.flush()
    log.mock.restore()
    console.log(`${title}: put and flushed at ${time(Date.now())}, stamped ${time(JSON.parse(lines[0])._aws.Timestamp)}`)
  }
}

(async () => {
  await flushes('as it is', createMetricsLogger())
  mock.timers.setTime(began)
  await flushes('with a time set once', createMetricsLogger().setTimestamp(began - HOUR_MS))
})()
JS
node measure.js > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
as it is: put and flushed at 13:00, stamped 12:00
as it is: put and flushed at 14:00, stamped 13:00
as it is: put and flushed at 15:00, stamped 14:00
with a time set once: put and flushed at 13:00, stamped 11:00
with a time set once: put and flushed at 14:00, stamped 11:00
with a time set once: put and flushed at 15:00, stamped 11:00
TXT
cat seen
diff expected seen
