#!/usr/bin/env bash
# s3rver 3.7.1 lets everyone have what only one may: it takes a conditional put for a plain one.
#
# Guess: a put with `IfNoneMatch: '*'` is refused with 412 where the key exists, as S3 does since 2024, or with 501, as s3rver does with what it cannot do.
# Seen: it overwrites and answers 200. Two workers that claim a run by such a put both own it, and the second has erased the first one's object. `IfMatch` with an
#       ETag of an older object is ignored as well, in a put as in a get: a test of a claim, a lock or a lost update passes here whatever the code does.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit s3rver@3.7.1 @aws-sdk/client-s3@3.1175.0 >/dev/null
cat > measure.js <<'JS'
const { GetObjectCommand, PutObjectCommand, S3Client } = require('@aws-sdk/client-s3')
const S3rver = require('s3rver')

const Bucket = 'runs', Key = 'run-1/owner'

;(async () => {
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: `${process.cwd()}/objects`, configureBuckets: [{ name: Bucket }] })
  const { port } = await server.run()
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  const s3 = new S3Client({ region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, credentials })
  const status = command => s3.send(command).then(answer => answer.$metadata.httpStatusCode, error => error.$metadata.httpStatusCode)
  console.log('first claim:', await status(new PutObjectCommand({ Bucket, Key, Body: 'worker 1', IfNoneMatch: '*' })))
  console.log('second claim:', await status(new PutObjectCommand({ Bucket, Key, Body: 'worker 2', IfNoneMatch: '*' })))
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key }))
  console.log('owner:', await answer.Body.transformToString())
  const stale = '"00000000000000000000000000000000"'
  console.log('put over another object than the one read:', await status(new PutObjectCommand({ Bucket, Key, Body: 'worker 3', IfMatch: stale })))
  console.log('get of another object than the one meant:', await status(new GetObjectCommand({ Bucket, Key, IfMatch: stale })))
  await server.close()
  process.exit()
})()
JS
mkdir objects
node measure.js > seen 2> warnings || { cat warnings >&2; exit 1; }
cat > expected <<'TXT'
first claim: 200
second claim: 200
owner: worker 2
put over another object than the one read: 200
get of another object than the one meant: 200
TXT
cat seen
diff expected seen
