#!/usr/bin/env bash
# aws4fetch 1.0.20 sends a POST that was answered by 503 or 429 eleven times.
#
# Guess: it signs a request and hands it to `fetch`; one call is one request, and 503 comes back as a response.
# Seen: it repeats ten times unless `retries: 0` is given, also an InvokeEndpointAsync that was taken and answered by an error behind it. The waits double from 50 ms, so a refusal that takes a millisecond is known
#       after some half a minute, and is a latency of half a minute. (Here the first wait is 1 ms, to be quick.)
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit aws4fetch@1.0.20 >/dev/null
cat > measure.mjs <<'JS'
import { createServer } from 'node:http'
import { AwsClient } from 'aws4fetch'

let requests = 0
let status = 503
const server = createServer((asked, answer) => {
  requests++
  asked.resume().on('end', () => { answer.statusCode = status; answer.end('busy') })
}).listen(0, '127.0.0.1', async () => {
  const client = new AwsClient({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example', service: 'sagemaker', region: 'us-east-1', initRetryMs: 1 })
  for (status of [503, 429, 400]) {
    requests = 0
    const answer = await client.fetch(`http://127.0.0.1:${server.address().port}/endpoints/e/async-invocations`, { method: 'POST', body: '{}' })
    console.log(`${answer.status}: ${requests} requests`)
  }
  process.exit()
})
JS
node measure.mjs > seen
cat > expected <<'TXT'
503: 11 requests
429: 11 requests
400: 1 requests
TXT
cat seen
diff expected seen
