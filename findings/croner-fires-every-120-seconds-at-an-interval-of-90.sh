#!/usr/bin/env bash
# croner 11.0.1 with `interval: 90` and a pattern of minutes fires every 120 seconds.
#
# Guess: an interval of 90 seconds fires every 90 seconds, or on the minutes between which 90 seconds pass on average.
# Seen: the interval is a least distance, and the next minute of the pattern after it is taken: every second minute, a quarter fewer polls than planned. With a pattern of seconds it is 90.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit croner@11.0.1 >/dev/null
cat > measure.mjs <<'JS'
import { Cron } from 'croner'

for (const pattern of ['* * * * *', '* * * * * *']) {
  const runs = new Cron(pattern, { timezone: 'UTC', interval: 90, paused: true }).nextRuns(5, '2026-01-01T00:00:30Z')
  console.log(`${pattern} at an interval of 90 s: ${runs.slice(1).map((run, at) => (run - runs[at]) / 1000)}`)
}
JS
node measure.mjs > seen
cat > expected <<'TXT'
* * * * * at an interval of 90 s: 120,120,120,120
* * * * * * at an interval of 90 s: 90,90,90,90
TXT
cat seen
diff expected seen
