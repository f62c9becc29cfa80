#!/usr/bin/env bash
# aws-sdk-client-mock 4.1.0 answers a command that nobody mocked with undefined, which SDK v3's waiters take for an object that exists.
#
# Guess: a mocked client refuses a command without a behaviour, so a test that forgot one fails.
# Seen: `waitUntilObjectExists` ends at once with SUCCESS though there is no object; `waitUntilObjectNotExists` and `waitUntilEndpointInService`
#       time out; a paginator gives one page, undefined. The test of what waits for an inference's output is green, whatever
#       bucket and key it asks for.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit aws-sdk-client-mock@4.1.0 @aws-sdk/client-s3@3.1175.0 @aws-sdk/client-sagemaker@3.1142.0 >/dev/null
cat > wait.js <<'JS'
const { mockClient } = require('aws-sdk-client-mock')
const { S3Client, paginateListObjectsV2, waitUntilObjectExists, waitUntilObjectNotExists } = require('@aws-sdk/client-s3')
const { SageMakerClient, waitUntilEndpointInService } = require('@aws-sdk/client-sagemaker')
const main = async () => {
  const s3 = new S3Client({ region: 'us-east-1' })
  const sagemaker = new SageMakerClient({ region: 'us-east-1' })
  mockClient(s3)
  mockClient(sagemaker)
  const say = async (what, waiter, client, asked) => {
    const state = await waiter({ client, maxWaitTime: 2, minDelay: 1, maxDelay: 1 }, asked).catch((error) => error)
    console.log(`${what}: ${state.state ?? state.name}`)
  }
  const output = { Bucket: 'bucket', Key: 'nothing/here.out' }
  await say('object exists', waitUntilObjectExists, s3, output)
  await say('object does not exist', waitUntilObjectNotExists, s3, output)
  await say('endpoint in service', waitUntilEndpointInService, sagemaker, { EndpointName: 'endpoint' })
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: 'bucket' })) console.log(`page: ${page}`)
}
main()
JS
node --no-warnings wait.js > seen
cat > expected <<'TXT'
object exists: SUCCESS
object does not exist: TimeoutError
endpoint in service: TimeoutError
page: undefined
TXT
cat seen
diff expected seen
