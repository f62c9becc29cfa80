#!/usr/bin/env bash
# mitata 1.0.34 leaves the two slowest and the two fastest calls out: of forty, two of which take two seconds, the maximum is a few milliseconds.
#
# Guess: `max` and `p99` are of all calls that were measured; a benchmark that throws outliers away says so, or has an option.
# Seen: from thirteen samples on the two at either end are cut off before anything is computed, also from `samples`. Two stalls in
#       forty calls leave p99, maximum and mean like those of the others. With twelve calls they are there.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit mitata@1.0.34 >/dev/null
cat > measure.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises'
import { measure } from 'mitata'

for (const calls of [12, 40]) {
  const took = []
  const seen = await measure(async () => {
    const began = performance.now()
    await sleep(took.length === 4 || took.length === 8 ? 2000 : 2)
    took.push(performance.now() - began)
  }, { min_samples: calls, max_samples: calls, min_cpu_time: 0, warmup_samples: 0, batch_samples: 1 })
  const stalls = list => list.filter(ms => ms > 1500).length
  console.log(`${calls} samples: ${stalls(took)} calls of two seconds, ${stalls(seen.samples.map(ns => ns / 1e6))} of them among the samples,`,
    `max ${seen.max > 1.5e9 ? 'two seconds' : 'that of the others'}`)
}
JS
node measure.mjs > seen
cat > expected <<'TXT'
12 samples: 2 calls of two seconds, 2 of them among the samples, max two seconds
40 samples: 2 calls of two seconds, 0 of them among the samples, max that of the others
TXT
cat seen
diff expected seen
