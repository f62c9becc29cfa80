#!/usr/bin/env bash
# bottleneck 2.19.5 (npm) runs three jobs at once with `maxConcurrent: 1` as soon as jobs expire.
#
# Guess: `maxConcurrent` is the most that ever run; a job that is over its `expiration` is ended, or keeps its place until it has ended.
# Seen: its promise is rejected and its place is given to the next, while the job goes on: jobs of 600 ms with an expiration of 200 ms run three at a
#       time. A service that becomes slow gets more requests at once the slower it is, from a client that was meant to send one.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit bottleneck@2.19.5 >/dev/null
cat > measure.js <<'JS'
const Bottleneck = require('bottleneck')
const measure = async (options) => {
  let running = 0
  let most = 0
  let ended = 0
  const job = async () => {
    running++
    most = Math.max(most, running)
    await new Promise((resolve) => setTimeout(resolve, 600))
    running--
    ended++
  }
  const limiter = new Bottleneck({ maxConcurrent: 1 })
  const jobs = Array.from({ length: 4 }, () => limiter.schedule(options, job))
  const kinds = new Set((await Promise.allSettled(jobs)).map((one) => one.status))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  console.log(`${JSON.stringify(options)}: ${[...kinds]}, more than one at once: ${most > 1}, ran to their end: ${ended} of 4`)
}
measure({}).then(() => measure({ expiration: 200 }))
JS
node measure.js > seen
cat > expected <<'TXT'
{}: fulfilled, more than one at once: false, ran to their end: 4 of 4
{"expiration":200}: rejected, more than one at once: true, ran to their end: 4 of 4
TXT
cat seen
diff expected seen
