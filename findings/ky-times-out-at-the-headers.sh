#!/usr/bin/env bash
# ky 1.14.3: `timeout: 2000` lets a body take as long as it likes.
#
# Guess: its `timeout` is for the request with its retries, including what is read, so `.json()` ends after it at the latest.
# Seen: the clock stops at the headers, although `.text()` and `.json()` are one call with the request. An answer whose headers are there at once and whose body ends five seconds
#       later is a success; one that stalls in its body never ends. Headers that come late end in TimeoutError, so a test with a slow server passes.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit ky@1.14.3 >/dev/null
cat > measure.mjs <<'JS'
import http from 'node:http'
import ky from 'ky'

const server = http.createServer((request, response) => {
  if (request.url === '/late-headers') return setTimeout(() => response.end('whole'), 5000)
  response.write('wh')
  setTimeout(() => response.end('ole'), 5000)
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`
for (const [name, path, options] of [
  ['late headers, timeout 2000', '/late-headers', () => ({ timeout: 2000 })],
  ['late body, timeout 2000', '/late-body', () => ({ timeout: 2000 })]
]) {
  console.log(`${name}: ${await ky(`${url}${path}`, { retry: 0, ...options() }).text().catch(error => error.name)}`)
}
process.exit()
JS
node measure.mjs > seen
cat > expected <<'TXT'
late headers, timeout 2000: TimeoutError
late body, timeout 2000: whole
TXT
cat seen
diff expected seen
