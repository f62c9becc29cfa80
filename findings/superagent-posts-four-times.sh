#!/usr/bin/env bash
# superagent 10.4.2: `.retry(3)` sends a POST four times, also where the server has taken it and was slow.
#
# Guess: a client sends again what may be sent again: GET, and a POST only where no connection was made; others of npm leave POST out by default.
# Seen: the method is not looked at. 503 and a time-out of the client are repeated three times, without a pause: four invocations, each of which an
#       asynchronous endpoint accepts. 400 is final. `timeout(1000)` is for each attempt, so a call ends after four seconds.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit superagent@10.4.2 >/dev/null
cat > measure.js <<'JS'
const http = require('node:http')
const superagent = require('superagent')

const main = async () => {
  for (const [name, answer] of Object.entries({
    'answered by 503': response => response.writeHead(503).end(),
    'answered by 400': response => response.writeHead(400).end(),
    'accepted, answered late': response => setTimeout(() => response.writeHead(202).end(), 5000)
  })) {
    let received = 0
    const server = http.createServer((request, response) => {
      received++
      answer(response)
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    await superagent.post(`http://127.0.0.1:${server.address().port}/`).timeout(1000).retry(3).send({ prompt: 'a' }).catch(() => {})
    console.log(`POST, ${name}: sent ${received} times`)
  }
  process.exit()
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
POST, answered by 503: sent 4 times
POST, answered by 400: sent 1 times
POST, accepted, answered late: sent 4 times
TXT
cat seen
diff expected seen
