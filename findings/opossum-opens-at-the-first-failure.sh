#!/usr/bin/env bash
# opossum 9.0.0 (npm), a circuit breaker that opens at 50 % errors, opens at the first one, also after thousands of successes if it was idle since.
#
# Guess: 50 % of the requests must fail, out of enough requests to speak of a share, as with Hystrix (20); what went well before counts.
# Seen: the share is taken of what the last ten seconds saw, however little that was (`volumeThreshold` is 0). One failure as the first request is
#       100 %, and four more are not sent. So is one failure after a thousand successes, once those are older than the window (here of
#       0.5 s). A client with a request a minute, or a poller, loses its service for 30 s after each single error.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit opossum@9.0.0 >/dev/null
cat > measure.js <<'JS'
const Breaker = require('opossum')
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const measure = async (name, options, successes, pauseMs) => {
  let failures = 0
  const breaker = new Breaker(async (isGood) => { if (!isGood) { failures++; throw new Error('failed') } }, options)
  for (let i = 0; i < successes; i++) await breaker.fire(true)
  await pause(pauseMs)
  for (let i = 0; i < 5; i++) await breaker.fire(false).catch(() => {})
  console.log(`${name}: ${failures} of five sent, opened ${breaker.opened}`)
  breaker.shutdown()
}
const main = async () => {
  await measure('as it comes, new', {}, 0, 0)
  await measure('a thousand successes before', {}, 1000, 0)
  await measure('a thousand successes, then idle', { rollingCountTimeout: 500 }, 1000, 1500)
  await measure('volumeThreshold 20, new', { volumeThreshold: 20 }, 0, 0)
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
as it comes, new: 1 of five sent, opened true
a thousand successes before: 5 of five sent, opened false
a thousand successes, then idle: 1 of five sent, opened true
volumeThreshold 20, new: 5 of five sent, opened false
TXT
cat seen
diff expected seen
