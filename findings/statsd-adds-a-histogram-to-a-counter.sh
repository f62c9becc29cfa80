#!/usr/bin/env bash
# statsd 0.9.0 (npm) takes a latency that was sent as a histogram or distribution for a count.
#
# Guess: `latency:200|h`, which clients of DogStatsD write, is a latency to the daemon that the protocol is named after, or a bad line.
# Seen: what is not ms, g, s or c is a counter: two answers of 200 ms are 400 events, and a rate. There is no timer of that name and no bad line, and a client that changes its format
#       from `ms` to `h` or `d` turns percentiles into a throughput.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit --ignore-scripts statsd@0.9.0 >/dev/null
cat > measure.js <<'JS'
const { createSocket } = require('node:dgram')
const { writeFileSync } = require('node:fs')
const { createServer } = require('node:net')

const free = createServer().listen(0, '127.0.0.1', () => {
  const { port } = free.address()
  free.close(() => {
    writeFileSync('config.js', `{ port: ${port}, address: '127.0.0.1', mgmt_port: ${port}, mgmt_address: '127.0.0.1', flushInterval: 2000, backends: ['${__dirname}/backend.js'] }`)
    process.argv[2] = 'config.js'
    require('statsd/stats.js')
    setTimeout(() => createSocket('udp4').send(['ms:200|ms', 'ms:200|ms', 'h:200|h', 'h:200|h', 'd:200|d', 'd:200|d'].join('\n'), port, '127.0.0.1'), 500)
  })
})
JS
cat > backend.js <<'JS'
let shown = false
exports.init = (start, config, events) => {
  events.on('flush', (at, { counters, timer_data: timers }) => {
    if (shown || !counters['statsd.metrics_received']) return
    shown = true  // it flushes again when the process ends
    console.log(`bad lines ${counters['statsd.bad_lines_seen']}`)
    console.log(`counters: d ${counters.d}, h ${counters.h}`)
    console.log(`timers: ${Object.keys(timers)}, ${timers.ms.count} values, mean ${timers.ms.mean}`)
    process.exit()
  })
  return true
}
JS
node measure.js | grep -v ' - ' > seen
cat > expected <<'TXT'
bad lines 0
counters: d 400, h 400
timers: ms, 2 values, mean 200
TXT
cat seen
diff expected seen
