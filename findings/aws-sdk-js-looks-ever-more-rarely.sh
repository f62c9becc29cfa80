#!/usr/bin/env bash
# The AWS SDK for JavaScript 3.1142.0 looks for an endpoint at longer and longer intervals, up to an hour, and gives up before its time is over.
#
# Guess: `waitUntilEndpointInService` asks every 30 s, as boto3's waiter of the same name does, and until `maxWaitTime` is over.
# Seen: the waits grow, by chance, to at most twice the one before, and end at 3,600 s for an endpoint and 120 s for an object in S3. With every
#       draw in the middle an endpoint that is there after 9.5 minutes is noticed after 17, one of 50 minutes after 93, and start-up times
#       taken from it are of that kind. Once the waits have reached the longest, one that would go beyond maxWaitTime is not shortened but the end:
#       an object that is there after 250 s is not found with a maxWaitTime of 300, since the last look was at 210. Time is simulated here:
#       no request is sent, nothing waits.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @aws-sdk/client-sagemaker@3.1142.0 @aws-sdk/client-s3@3.1175.0 >/dev/null
cat > measure.js <<'JS'
const { waitUntilEndpointInService } = require('@aws-sdk/client-sagemaker')
const { waitUntilObjectExists } = require('@aws-sdk/client-s3')
let nowMs = 0
const soon = setTimeout
Date.now = () => nowMs
global.setTimeout = (call, ms) => { nowMs += ms; return soon(call, 0) }
Math.random = () => 0.5

const endpoint = (isThere) => ({ EndpointStatus: isThere ? 'InService' : 'Creating' })
const object = (isThere) => {
  if (isThere) return {}
  throw Object.assign(new Error('not there'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } })
}
const wait = async (name, waiter, input, answer, thereAfter, maxWaitTime) => {
  nowMs = 0
  const looks = []
  const client = {
    config: {},
    send: async () => { looks.push(Math.round(nowMs / 1000)); return answer(nowMs >= thereAfter * 1000) }
  }
  const end = await waiter({ client, maxWaitTime }, input).then((result) => result.state, (error) => error.name)
  console.log(`${name}, there after ${thereAfter} s, maxWaitTime ${maxWaitTime} s: ${end} at ${Math.round(nowMs / 1000)} s`)
  console.log(`  looked at ${looks.join(', ')} s`)
}
const main = async () => {
  await wait('endpoint', waitUntilEndpointInService, { EndpointName: 'e' }, endpoint, 570, 7200)
  await wait('endpoint', waitUntilEndpointInService, { EndpointName: 'e' }, endpoint, 3000, 7200)
  await wait('object', waitUntilObjectExists, { Bucket: 'b', Key: 'k' }, object, 250, 300)
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
endpoint, there after 570 s, maxWaitTime 7200 s: SUCCESS at 1035 s
  looked at 0, 30, 75, 150, 285, 540, 1035 s
endpoint, there after 3000 s, maxWaitTime 7200 s: SUCCESS at 5610 s
  looked at 0, 30, 75, 150, 285, 540, 1035, 2010, 5610 s
object, there after 250 s, maxWaitTime 300 s: TimeoutError at 210 s
  looked at 0, 5, 13, 25, 48, 90, 210 s
TXT
cat seen
diff expected seen
