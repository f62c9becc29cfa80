#!/usr/bin/env bash
# limiter 4.1.0 (npm) at ten a second waits a second and lets ten callers through at once, again and again.
#
# Guess: a token bucket that drips ten tokens a second lets ten go, and then one every 100 ms, as the tokens drip.
# Seen: of 35 calls, by one caller in a loop or all together, the first ten go at once, and then ten at once each second. Beside the bucket it counts
#       ten an interval, and by the time the next interval begins the bucket is full again. Only after a pause of most of an interval does
#       one caller in a loop get one every 100 ms, with nineteen in the first second. A limiter that was to smooth a load makes bursts of ten,
#       and their latencies are those of a queue of ten.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit limiter@4.1.0 >/dev/null
cat > measure.mjs <<'JS'
import { RateLimiter } from 'limiter'

const options = { tokensPerInterval: 10, interval: 'second' }
const gaps = (instants) => instants.slice(1).map((instant, i) => instant - instants[i])
const describe = (name, instants) => {
  const after = gaps(instants.slice(10))
  const atOnce = after.filter((gap) => gap < 40).length
  const tenths = after.filter((gap) => gap > 60 && gap < 400).length
  const seconds = after.filter((gap) => gap > 800).length
  console.log(`${name}: first ten within 60 ms: ${instants[9] - instants[0] < 60}; ` +
    `after them gaps below 40 ms: ${atOnce}, of about 100 ms: ${tenths}, of about 1 s: ${seconds}`)
}
for (const pauseMs of [0, 900]) {
  const alone = new RateLimiter(options)
  const instants = []
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
  for (let i = 0; i < 35; i++) {
    await alone.removeTokens(1)
    instants.push(performance.now())
  }
  describe(`one caller, ${pauseMs} ms after the limiter was made`, instants)
}
const shared = new RateLimiter(options)
const together = []
await Promise.all(Array.from({ length: 35 }, () => shared.removeTokens(1).then(() => together.push(performance.now()))))
describe('35 callers', together)
JS
node measure.mjs > seen
cat > expected <<'TXT'
one caller, 0 ms after the limiter was made: first ten within 60 ms: true; after them gaps below 40 ms: 22, of about 100 ms: 0, of about 1 s: 2
one caller, 900 ms after the limiter was made: first ten within 60 ms: true; after them gaps below 40 ms: 0, of about 100 ms: 24, of about 1 s: 0
35 callers: first ten within 60 ms: true; after them gaps below 40 ms: 22, of about 100 ms: 0, of about 1 s: 2
TXT
cat seen
diff expected seen
