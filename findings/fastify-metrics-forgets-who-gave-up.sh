#!/usr/bin/env bash
# fastify-metrics 13.2.1 (fastify 5.12.8) has no trace of a request whose client gave up: no count, no status, no latency.
#
# Guess: each request that the server has worked on is counted, an abandoned one with 499 or as what the handler made of it, as express-prom-bundle 8 does.
# Seen: what is not answered in full is in no metric. Of twenty requests, ten given up at the client's time-out, ten are counted: the p99 stays below the
#       time-out however slow the service becomes, the rate falls with the load that it cannot carry, and the share of errors is 0. The handlers have
#       done their work for all twenty.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit fastify@5.12.8 fastify-metrics@13.2.1 prom-client@15.1.3 >/dev/null
cat > measure.js <<'JS'
const http = require('http')
const { once, EventEmitter } = require('events')
const fastify = require('fastify')
const metrics = require('fastify-metrics').default

const events = new EventEmitter()
let worked = 0

function ask (port, path) {
  return http.get({ host: '127.0.0.1', port, path, agent: false })
}

(async () => {
  const app = fastify()
  await app.register(metrics, { endpoint: '/metrics', defaultMetrics: { enabled: false } })
  app.get('/patient', async () => { worked++; return {} })
  app.get('/slow', async () => {
    events.emit('reached')
    await once(events, 'given up')
    worked++
    return {}
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address()
  for (let asked = 0; asked < 10; asked++) {
    const [answer] = await once(ask(port, '/patient'), 'response')
    answer.resume()
    await once(answer, 'end')
  }
  for (let asked = 0; asked < 10; asked++) {
    const reached = once(events, 'reached')
    const request = ask(port, '/slow').on('error', () => {})
    await reached
    request.destroy() // the client's time-out
    await new Promise(resolve => setTimeout(resolve, 50))
    events.emit('given up')
  }
  await new Promise(resolve => setTimeout(resolve, 500))
  const [page] = await once(ask(port, '/metrics'), 'response')
  const text = (await page.toArray()).join('')
  const counts = text.match(/^http_request_duration_seconds_count.*$/gm)
  console.log('handled:', worked)
  console.log('counted:', counts.map(line => line.replace(/^[^{]*/, '')).join(' '))
  await app.close()
})()
JS
node measure.js > seen
cat > expected <<'TXT'
handled: 20
counted: {method="GET",route="/patient",status_code="200"} 10
TXT
cat seen
diff expected seen
