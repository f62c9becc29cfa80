#!/usr/bin/env bash
# dayjs 1.11.23: a duration of 0.4 ms is `P0D` in ISO 8601, 36 hours are 12:00, and minus a minute and a half is -1:-30.
#
# Guess: what is written as ISO 8601 is read back as it was, to the microsecond at least, and a format that begins with hours holds all hours.
# Seen: what is less than a millisecond is rounded: 0.4 ms are no days, 0.9 ms a whole millisecond, and reading either gives that. `HH:mm` leaves days out without a sign, so a run of a
#       day and a half took twelve hours. A negative lag, which two clocks give, has a sign before each part.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit dayjs@1.11.23 >/dev/null
cat > measure.js <<'JS'
const dayjs = require('dayjs')
dayjs.extend(require('dayjs/plugin/duration'))

for (const ms of [0.4, 0.9, 1500.4]) {
  const text = dayjs.duration(ms).toISOString()
  console.log(`${ms} ms: ${text}, read again ${dayjs.duration(text).asMilliseconds()} ms`)
}
console.log(`36 hours: ${dayjs.duration(36, 'hours').format('HH:mm')}`)
console.log(`-90 seconds: ${dayjs.duration(-90, 'seconds').format('mm:ss')}`)
JS
node measure.js > seen
cat > expected <<'TXT'
0.4 ms: P0D, read again 0 ms
0.9 ms: PT0.001S, read again 1 ms
1500.4 ms: PT1.5S, read again 1500 ms
36 hours: 12:00
-90 seconds: -1:-30
TXT
cat seen
diff expected seen
