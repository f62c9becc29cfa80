#!/usr/bin/env bash
# tinybench 6.2.5 reports a mean throughput of 950 a second for calls of which 168 fit into a second.
#
# Guess: `throughput.mean` is calls per second: how many there were, divided by the time that they took.
# Seen: it is the mean of 1 / latency over the calls, in which a slow call counts next to nothing. Nineteen calls of 1 ms and one of 100 ms take 119
#       ms together: 168 calls a second. `throughput.mean` is 950.5, and its margin of error is said to be 1 %. One over the mean
#       latency is right. The clock is our own here, so the figures are exact.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit tinybench@6.2.5 >/dev/null
cat > measure.mjs <<'JS'
import { Bench } from 'tinybench'
let nowMs = 0
let calls = 0
const bench = new Bench({ now: () => nowMs, time: 0, iterations: 2000, warmup: false })
bench.add('one in twenty is slow', () => { calls++; nowMs += calls % 20 === 0 ? 100 : 1 })
await bench.run()
const { latency, throughput } = bench.tasks[0].result
console.log(`calls ${latency.samplesCount}, latency mean ${latency.mean.toFixed(2)} ms, max ${latency.max} ms`)
console.log(`calls divided by their time: ${(1000 / latency.mean).toFixed(1)} a second`)
console.log(`throughput.mean: ${throughput.mean.toFixed(1)} a second, margin of error ${throughput.rme.toFixed(1)} %`)
JS
node measure.mjs > seen
cat > expected <<'TXT'
calls 2000, latency mean 5.95 ms, max 100 ms
calls divided by their time: 168.1 a second
throughput.mean: 950.5 a second, margin of error 1.0 %
TXT
cat seen
diff expected seen
