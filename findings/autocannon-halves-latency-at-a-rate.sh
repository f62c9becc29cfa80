#!/usr/bin/env bash
# autocannon 8.0.0 halves the latencies that it reports as soon as it is given a rate, and counts requests it never sent.
#
# Guess: `overallRate` only limits the rate, or its correction for coordinated omission adds what late answers hid.
# Seen: the interval it expects between requests is 1 ms at every rate (1 / rate, rounded up, where milliseconds are meant). An
#       endpoint that keeps up and takes 30 ms for every answer gets thirty further samples a request, of 29, 28, ..., 1 ms: p50
#       is some 17 ms, below any latency that occurred. `ignoreCoordinatedOmission` gives the true 30 ms. `requests.sent`
#       is in both cases a second's worth (here 100) larger than what the server received.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit autocannon@8.0.0 >/dev/null
cat > measure.js <<'JS'
const http = require('http')
const autocannon = require('autocannon')
let received = 0
const server = http.createServer((_, answer) => { received++; setTimeout(() => answer.end('x'), 30) })
const measure = async (name, options) => {
  received = 0
  const url = `http://127.0.0.1:${server.address().port}`
  const { latency, requests } = await autocannon({ url, connections: 4, duration: 3, overallRate: 100, ...options })
  const perRequest = latency.totalCount / requests.total
  console.log(`${name}: p50 ${latency.p50 < 30 ? 'below' : 'at least'} 30 ms, ` +
    `samples a request: ${perRequest > 20 ? 'more than 20' : perRequest}, ` +
    `sent beyond received: ${requests.sent - received > 90 ? 'more than 90' : requests.sent - received}`)
}
server.listen(0, '127.0.0.1', async () => {
  await measure('as it comes', {})
  await measure('without the correction', { ignoreCoordinatedOmission: true })
  process.exit()
})
JS
node measure.js > seen
cat > expected <<'TXT'
as it comes: p50 below 30 ms, samples a request: more than 20, sent beyond received: more than 90
without the correction: p50 at least 30 ms, samples a request: 1, sent beyond received: more than 90
TXT
cat seen
diff expected seen
