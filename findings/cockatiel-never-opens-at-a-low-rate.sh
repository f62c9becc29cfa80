#!/usr/bin/env bash
# cockatiel 3.2.1 (npm): a SamplingBreaker at 50 % does not open for a service that fails every call, below ten calls a second.
#
# Guess: where every call of the last two seconds failed, a breaker with `threshold: 0.5, duration: 2000` opens; `minimumRps: 0` makes it open at
#        whatever rate.
# Seen: without a `minimumRps` it needs 5 / threshold calls a second, over the whole duration: here ten a second. Of thirty calls, seven a second,
#       that all fail, all thirty are sent. 0 counts as not given: the same. With `minimumRps: 1` two are sent. A poller of a slow
#       endpoint, or a client of asynchronous inferences, has a breaker that never opens. The clock is our own here.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit cockatiel@3.2.1 >/dev/null
cat > measure.cjs <<'JS'
let nowMs = 1e12
Date.now = () => nowMs
const { SamplingBreaker, circuitBreaker, handleAll } = require('cockatiel')
const measure = async (callsPerSecond, extra) => {
  let sent = 0
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 2000, ...extra })
  const policy = circuitBreaker(handleAll, { halfOpenAfter: 3600e3, breaker })
  for (let i = 0; i < 30; i++) {
    nowMs += 1000 / callsPerSecond
    await policy.execute(() => { sent++; throw new Error('down') }).catch(() => {})
  }
  console.log(`${callsPerSecond} a second, ${JSON.stringify(extra)}: of 30 calls ${sent} sent`)
}
const main = async () => {
  await measure(5, {})
  await measure(7, {})
  await measure(20, {})
  await measure(5, { minimumRps: 0 })
  await measure(5, { minimumRps: 1 })
}
main()
JS
node measure.cjs > seen
cat > expected <<'TXT'
5 a second, {}: of 30 calls 30 sent
7 a second, {}: of 30 calls 30 sent
20 a second, {}: of 30 calls 20 sent
5 a second, {"minimumRps":0}: of 30 calls 30 sent
5 a second, {"minimumRps":1}: of 30 calls 2 sent
TXT
cat seen
diff expected seen
