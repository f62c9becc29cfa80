#!/usr/bin/env bash
# axios-retry 4.5.0 never tries again what timed out, not even where each attempt has a time-out of its own.
#
# Guess: a GET that timed out is a network error of an idempotent request, so with `retries: 3` it is sent four times; `shouldResetTimeout` at the latest
#        gives each attempt its own time-out.
# Seen: what is answered by 503 is sent four times, what times out once, with `shouldResetTimeout` as well. The answers that are lost are those of the
#       slow moments, for which one has retries: a stall that one more attempt would have passed is a failure each time.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit axios@1.21.1 axios-retry@4.5.0 >/dev/null
cat > measure.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import axiosRetry from 'axios-retry'

let asked = 0
const server = http.createServer((request, response) => {
  asked++
  if (request.url === '/busy') response.writeHead(503).end()
  // of /silent nothing is ever answered
})
await new Promise(ready => server.listen(0, '127.0.0.1', ready))
for (const shouldResetTimeout of [false, true]) {
  for (const path of ['/busy', '/silent']) {
    asked = 0
    const client = axios.create({ baseURL: `http://127.0.0.1:${server.address().port}`, timeout: path === '/busy' ? 20_000 : 500 })
    axiosRetry(client, { retries: 3, shouldResetTimeout })
    const error = await client.get(path).catch(error => error)
    console.log(`${path}, shouldResetTimeout ${shouldResetTimeout}: ${asked} requests, ${error.code}`)
  }
}
server.closeAllConnections()
server.close()
JS
node measure.mjs > seen
cat > expected <<'TXT'
/busy, shouldResetTimeout false: 4 requests, ERR_BAD_RESPONSE
/silent, shouldResetTimeout false: 1 requests, ECONNABORTED
/busy, shouldResetTimeout true: 4 requests, ERR_BAD_RESPONSE
/silent, shouldResetTimeout true: 1 requests, ECONNABORTED
TXT
cat seen
diff expected seen
