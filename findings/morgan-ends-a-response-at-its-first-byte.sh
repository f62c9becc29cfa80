#!/usr/bin/env bash
# morgan 1.12.1 and response-time 2.3.4 end a response time at its first byte, pino-http 11.0.0 at its last; an abandoned request has none in morgan.
#
# Guess: `:response-time` is how long the response took, and loggers of one server agree within a millisecond.
# Seen: of an answer whose first part is written at once and its last three seconds later morgan and response-time log the first and pino-http the second; morgan's other name for it is
#       `:total-time`. Where the client gives up, response-time logs nothing, morgan a line of dashes without a status, and pino-http a time and no status: a share of errors
#       by status has none of them.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit morgan@1.12.1 pino-http@11.0.0 response-time@2.3.4 >/dev/null
cat > measure.js <<'JS'
const http = require('node:http')
const { setTimeout: sleep } = require('node:timers/promises')
const morgan = require('morgan')
const pinoHttp = require('pino-http')
const responseTime = require('response-time')

const shown = text => (Number.isNaN(Number(text)) || text === null ? text : Number(text) < 1500 ? 'at the first byte' : 'at the last byte')
const lines = []
const loggers = [
  morgan(':status :response-time :total-time', { stream: { write: line => {
    const [status, response, total] = line.trim().split(' ')
    lines.push(`morgan: status ${status}, response-time ${shown(response)}, total-time ${shown(total)}`)
  } } }),
  responseTime((request, response, time) => lines.push(`response-time: ${shown(time)}`))
]
const pino = pinoHttp({}, { write: line => {
  const { res, responseTime: time, msg } = JSON.parse(line)
  lines.push(`pino-http: ${msg}, status ${res.statusCode}${res.statusCode ? `, ${shown(time)}` : ''}`)
} })
const server = http.createServer((request, response) => {
  loggers[0](request, response, () => loggers[1](request, response, () => {
    pino(request, response)
    if (request.url === '/streamed') response.write('first')
    setTimeout(() => response.end('last'), 3000)
  }))
})
const main = async () => {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  for (const [name, path] of [['streamed', '/streamed'], ['abandoned', '/whole']]) {
    await fetch(`${url}${path}`, path === '/whole' ? { signal: AbortSignal.timeout(1000) } : {}).then(answer => answer.text()).catch(() => {})
    await sleep(500)
    console.log(name)
    console.log(lines.splice(0).sort().map(line => `  ${line}`).join('\n'))
  }
  process.exit()
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
streamed
  morgan: status 200, response-time at the first byte, total-time at the last byte
  pino-http: request completed, status 200, at the last byte
  response-time: at the first byte
abandoned
  morgan: status -, response-time -, total-time -
  pino-http: request aborted, status null
TXT
cat seen
diff expected seen
