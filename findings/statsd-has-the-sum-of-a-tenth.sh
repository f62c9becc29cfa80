#!/usr/bin/env bash
# statsd 0.9.0 (npm) scales the count of sampled timers up and their sum not.
#
# Guess: `sum / count` is the mean, and `sum` at a sample rate of 0.1 stands for all, as the count does.
# Seen: ten answers of 200 ms that were sent at a rate of 0.1 have a count of 100 and a sum of 2000: 20 ms each. `mean` is 200. A mean over several hosts or minutes, which has to be made of sums and counts, is a
#       tenth of the latency, and hosts with different rates are weighted by theirs in the one and not in the other.
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
    setTimeout(() => createSocket('udp4').send([...Array(10).fill('all:200|ms'), ...Array(10).fill('tenth:200|ms|@0.1')].join('\n'), port, '127.0.0.1'), 500)
  })
})
JS
cat > backend.js <<'JS'
let shown = false
exports.init = (start, config, events) => {
  events.on('flush', (at, { counters, timer_data: timers }) => {
    if (shown || !counters['statsd.metrics_received']) return
    shown = true  // it flushes again when the process ends
    for (const [name, { count, sum, mean }] of Object.entries(timers)) console.log(`${name}: count ${count}, sum ${sum}, mean ${mean}`)
    process.exit()
  })
  return true
}
JS
node measure.js | grep -v ' - ' > seen
cat > expected <<'TXT'
all: count 10, sum 2000, mean 200
tenth: count 100, sum 2000, mean 200
TXT
cat seen
diff expected seen
