#!/usr/bin/env bash
# s3rver 3.7.1 answers a request for the last three bytes of an object with its first four.
#
# Guess: `Range: bytes=-3` is the last three bytes, as in S3 and in HTTP.
# Seen: it is read as 0 to 3, with status 206 and `Content-Range: bytes 0-3/10`. The foot of a parquet file, the end of a log and the directory of a zip file are
#       read so, and what comes is the beginning. `bytes=0-0`, by which the size of an object is asked for, is the whole object. A range that begins
#       within the object is right: `bytes=3-5`.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit s3rver@3.7.1 @aws-sdk/client-s3@3.1175.0 >/dev/null
cat > measure.js <<'JS'
const { GetObjectCommand, PutObjectCommand, S3Client } = require('@aws-sdk/client-s3')
const S3rver = require('s3rver')

const Bucket = 'runs', Key = 'digits'

;(async () => {
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: `${process.cwd()}/objects`, configureBuckets: [{ name: Bucket }] })
  const { port } = await server.run()
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  const s3 = new S3Client({ region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, credentials })
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))
  for (const Range of ['bytes=3-5', 'bytes=-3', 'bytes=0-0']) {
    const answer = await s3.send(new GetObjectCommand({ Bucket, Key, Range }))
    console.log(`${Range}: ${answer.$metadata.httpStatusCode} ${answer.ContentRange} ${await answer.Body.transformToString()}`)
  }
  await server.close()
  process.exit()
})()
JS
mkdir objects
node measure.js > seen 2> warnings || { cat warnings >&2; exit 1; }
cat > expected <<'TXT'
bytes=3-5: 206 bytes 3-5/10 345
bytes=-3: 206 bytes 0-3/10 0123
bytes=0-0: 206 bytes 0-9/10 0123456789
TXT
cat seen
diff expected seen
