#!/usr/bin/env bash
# date-fns 4.4.0 converts to a larger unit by cutting: 119 minutes are one hour.
#
# Guess: `minutesToHours(119)` is 1.98, as `hoursToMinutes(1.5)` is 90.
# Seen: towards the larger unit each conversion gives whole numbers, always the one below: 1,999 ms are 1 s, 0.9 s is 0 s, 119 minutes of an instance are billed
#       as one hour, at half the price. Towards the smaller unit fractions are kept, so there and back is another number. `intervalToDuration` has no
#       milliseconds: a request of 900 ms lasted nothing, and `formatDuration` of it is empty.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit date-fns@4.4.0 >/dev/null
cat > measure.js <<'JS'
const { formatDuration, hoursToMinutes, intervalToDuration, millisecondsToSeconds, minutesToHours, secondsToMilliseconds } = require('date-fns')

console.log('119 minutes in hours:', minutesToHours(119))
console.log('1.5 hours in minutes:', hoursToMinutes(1.5), 'and back:', minutesToHours(hoursToMinutes(1.5)))
console.log('1999 ms in seconds:', millisecondsToSeconds(1999))
console.log('0.9 s in ms:', secondsToMilliseconds(0.9), 'and back:', millisecondsToSeconds(secondsToMilliseconds(0.9)))
console.log('900 ms:', JSON.stringify(formatDuration(intervalToDuration({ start: 0, end: 900 }))))
JS
node measure.js > seen
cat > expected <<'TXT'
119 minutes in hours: 1
1.5 hours in minutes: 90 and back: 1
1999 ms in seconds: 1
0.9 s in ms: 900 and back: 0
900 ms: ""
TXT
cat seen
diff expected seen
