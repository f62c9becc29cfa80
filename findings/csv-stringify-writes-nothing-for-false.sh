#!/usr/bin/env bash
# csv-stringify 6.9.0 writes `false` as an empty cell, and leaves a column out that the first row does not have.
#
# Guess: a boolean is written as `true` or `false`, and a column that any row has is a column.
# Seen: `true` is 1 and `false` is nothing: a file of requests says 1 where one succeeded and does not say where one failed. A reader that leaves empty cells out,
#       as most do, has an error rate of 0. The header is the first row's keys: an `error` that only a later row has is not in the file at all. Dates are
#       milliseconds since 1970.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit csv-stringify@6.9.0 >/dev/null
cat > measure.js <<'JS'
const { stringify } = require('csv-stringify/sync')

console.log(stringify([
  { latency: 0.12, success: true, ended: new Date('2026-01-01T00:00:00.123Z') },
  { latency: 5, success: false, ended: new Date('2026-01-01T00:00:05Z') },
], { header: true }).trim())
console.log(stringify([{ latency: 0.12 }, { latency: 5, error: 'timed out' }], { header: true }).trim())
JS
node measure.js > seen
cat > expected <<'TXT'
latency,success,ended
0.12,1,1767225600123
5,,1767225605000
latency
0.12
5
TXT
cat seen
diff expected seen
