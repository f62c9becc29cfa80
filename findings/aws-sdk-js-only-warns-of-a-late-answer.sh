#!/usr/bin/env bash
# The AWS SDK for JavaScript 3.1164.0 (@smithy/node-http-handler 4.14.2) does not end a request at its `requestTimeout`.
#
# Guess: `requestHandler: {requestTimeout: 200}` ends a request that has no answer after 200 ms, as boto3's `read_timeout` does.
# Seen: it prints a warning and waits on: an answer of 3 s is a success after 3 s. Only with `throwOnRequestTimeout: true` beside it is
#       there a TimeoutError, after three attempts; `socketTimeout` ends it without more. Code that bounds InvokeEndpoint by
#       `requestTimeout` has no bound, and its latencies have no upper end.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @aws-sdk/client-sagemaker-runtime@3.1164.0 @smithy/node-http-handler@4.14.2 >/dev/null
cat > measure.js <<'JS'
const http = require('http')
const { SageMakerRuntimeClient, InvokeEndpointCommand } = require('@aws-sdk/client-sagemaker-runtime')
let received = 0
const server = http.createServer((request, answer) => {
  received++
  request.resume()
  request.on('end', () => setTimeout(() => answer.end('{}'), 3000))
})
const measure = async (requestHandler) => {
  received = 0
  const client = new SageMakerRuntimeClient({
    endpoint: `http://127.0.0.1:${server.address().port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestHandler
  })
  const began = Date.now()
  const end = await client.send(new InvokeEndpointCommand({ EndpointName: 'e', Body: '{}' }))
    .then(({ $metadata }) => `status ${$metadata.httpStatusCode}`, ({ name }) => name)
  const waited = Date.now() - began >= 2900 ? 'the whole answer' : 'less than the answer takes'
  console.log(`${JSON.stringify(requestHandler)}: ${end}, waited ${waited}, requests ${received}`)
}
server.listen(0, '127.0.0.1', async () => {
  await measure({ requestTimeout: 200 })
  await measure({ requestTimeout: 200, throwOnRequestTimeout: true })
  await measure({ socketTimeout: 200 })
  process.exit()
})
JS
node measure.js > seen 2>warnings
grep -q "exceeded the configured 200 ms requestTimeout" warnings
cat > expected <<'TXT'
{"requestTimeout":200}: status 200, waited the whole answer, requests 1
{"requestTimeout":200,"throwOnRequestTimeout":true}: TimeoutError, waited less than the answer takes, requests 3
{"socketTimeout":200}: TimeoutError, waited less than the answer takes, requests 3
TXT
cat seen
diff expected seen
