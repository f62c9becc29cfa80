#!/usr/bin/env bash
# undici 7.30.2 takes an answer that comes six times as late as `headersTimeout` allows.
#
# Guess: `headersTimeout: 50` ends a request that has no headers after 50 ms, give or take some.
# Seen: its timers tick every half second, and a time-out needs two ticks: below a second it is about a second, whatever it says. An answer after 300 ms is a success at
#       a time-out of 50 ms, with status 200. Latencies above the time-out are in the results, and a hedged request goes out a second late.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit undici@7.30.2 >/dev/null
cat > measure.js <<'JS'
const http = require('node:http')
const { once } = require('node:events')
const { Agent, request } = require('undici')

;(async () => {
  const server = http.createServer((asked, answer) => setTimeout(() => answer.end('late'), Number(asked.url.slice(1)))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dispatcher = new Agent({ headersTimeout: 50 })
  for (const delay of [300, 5000]) {
    const result = await request(`http://127.0.0.1:${server.address().port}/${delay}`, { dispatcher }).then(answer => answer.statusCode, error => error.code)
    console.log(`an answer after ${delay} ms: ${result}`)
  }
  server.closeAllConnections()
  server.close()
  await dispatcher.destroy()
})()
JS
node measure.js > seen
cat > expected <<'TXT'
an answer after 300 ms: 200
an answer after 5000 ms: UND_ERR_HEADERS_TIMEOUT
TXT
cat seen
diff expected seen
