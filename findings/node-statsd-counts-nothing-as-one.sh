#!/usr/bin/env bash
# node-statsd 0.1.1 counts nothing as one: `increment('failed', 0)` adds a failure.
#
# Guess: an increment by 0 adds 0, or sends nothing.
# Seen: it sends 1, and a decrement by 0 sends -1. `increment('failed', failures)` after each batch counts a failure for each batch without one: a hundred clean
#       batches are a hundred failures. hot-shots 17.1.1, which took its API over, sends 0.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit node-statsd@0.1.1 hot-shots@17.1.1 >/dev/null
cat > measure.js <<'JS'
const dgram = require('node:dgram')
const { once } = require('node:events')
const HotShots = require('hot-shots')
const { StatsD } = require('node-statsd')

;(async () => {
  const server = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const clients = { 'node-statsd': new StatsD('127.0.0.1', port), 'hot-shots': new HotShots({ host: '127.0.0.1', port }) }
  for (const [name, client] of Object.entries(clients)) {
    for (const [method, failures] of [['increment', 2], ['increment', 0], ['decrement', 0]]) {
      const arrived = once(server, 'message')
      client[method]('failed', failures)
      console.log(`${name}, ${method} by ${failures}: ${(await arrived)[0]}`)
    }
    client.close()
  }
  server.close()
})()
JS
node measure.js > seen
cat > expected <<'TXT'
node-statsd, increment by 2: failed:2|c
node-statsd, increment by 0: failed:1|c
node-statsd, decrement by 0: failed:-1|c
hot-shots, increment by 2: failed:2|c
hot-shots, increment by 0: failed:0|c
hot-shots, decrement by 0: failed:0|c
TXT
cat seen
diff expected seen
