#!/usr/bin/env bash
# hdr-histogram-js 3.0.1 lets a counter of 16 bits run over: seventy thousand latencies of 1 s have a p99 of 0.
#
# Guess: a smaller `bitBucketSize` saves memory until a counter is full, and then it grows, stays full or raises.
# Seen: it begins again at zero, while `totalCount` goes on. 65,536 equal latencies vanish from a histogram whose count still
#       says 70,010; the percentiles are 0, and the histogram's own mean raises. With 32 bits all is right.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit hdr-histogram-js@3.0.1 >/dev/null
cat > measure.js <<'JS'
const { build } = require('hdr-histogram-js')
for (const bitBucketSize of [16, 32]) {
  const latencies = build({ bitBucketSize })
  for (let i = 0; i < 70000; i++) latencies.recordValue(1000)
  for (let i = 0; i < 10; i++) latencies.recordValue(9000)
  const [p50, p99] = [50, 99].map(percent => latencies.getValueAtPercentile(percent))
  console.log(`${bitBucketSize} bits: count ${latencies.totalCount}, p50 ${p50}, p99 ${p99}`)
}
JS
node measure.js > seen
cat > expected <<'TXT'
16 bits: count 70010, p50 0, p99 0
32 bits: count 70010, p50 1000, p99 1000
TXT
cat seen
diff expected seen
