#!/usr/bin/env bash
# undici 7.30.2 with `allowH2` sends one request at a time over each HTTP/2 connection.
#
# Guess: HTTP/2 lets twenty requests share a connection; `allowH2` is what asks for it.
# Seen: twenty requests at once open twenty connections, as HTTP/1.1 would. With `connections: 1` they go one after the other: twenty answers of 200 ms take four seconds. Only `pipelining: 20`, a name of
#       HTTP/1.1 that is 1 by default, puts them into one connection together. A comparison of both protocols with the defaults compares the price of a TLS handshake.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit undici@7.30.2 >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
cat > measure.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { Agent, request } from 'undici'

let connections, now, most
const server = createSecureServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') })
server.on('session', () => connections++)
server.on('stream', stream => {
  most = Math.max(most, ++now)
  setTimeout(() => { now--; stream.respond({ ':status': 200 }); stream.end('ok') }, 200)
})
server.listen(0, '127.0.0.1', async () => {
  for (const options of [{}, { connections: 1 }, { connections: 1, pipelining: 20 }]) {
    connections = now = most = 0
    const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false }, ...options })
    await Promise.all(Array.from({ length: 20 }, async () => (await request(`https://localhost:${server.address().port}`, { dispatcher })).body.text()))
    const together = options.connections ? `, ${most} at once` : ''
    console.log(`${JSON.stringify(options)}: ${connections} connections${together}`)
    await dispatcher.destroy()
  }
  process.exit()
})
JS
node measure.mjs > seen
cat > expected <<'TXT'
{}: 20 connections
{"connections":1}: 1 connections, 1 at once
{"connections":1,"pipelining":20}: 1 connections, 20 at once
TXT
cat seen
diff expected seen
