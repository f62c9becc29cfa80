#!/usr/bin/env bash
# luxon 3.7.2 prints 1,050 ms as 1.50 s in the format `s.S`, and says that 90,000 ms have 0 seconds.
#
# Guess: `s.S` is seconds with a fraction, so 1.050 or 1.0; `.seconds` of 90,000 ms is 90 or 30.
# Seen: `S` is the number of milliseconds without leading zeros, behind a point: 1.05 s is 1.50, and 1.005 s is 1.5. `s.SSS` is right. `.seconds` is what was given in seconds, so nothing; `.as('seconds')` is 90.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit luxon@3.7.2 >/dev/null
cat > measure.mjs <<'JS'
import { Duration } from 'luxon'

for (const ms of [1500, 1050, 1005]) {
  const took = Duration.fromMillis(ms)
  console.log(`${ms} ms: s.S ${took.toFormat('s.S')}, s.SSS ${took.toFormat('s.SSS')}`)
}
const minute = Duration.fromMillis(90000)
console.log(`90000 ms: seconds ${minute.seconds}, as('seconds') ${minute.as('seconds')}`)
JS
node measure.mjs > seen
cat > expected <<'TXT'
1500 ms: s.S 1.500, s.SSS 1.500
1050 ms: s.S 1.50, s.SSS 1.050
1005 ms: s.S 1.5, s.SSS 1.005
90000 ms: seconds 0, as('seconds') 90
TXT
cat seen
diff expected seen
