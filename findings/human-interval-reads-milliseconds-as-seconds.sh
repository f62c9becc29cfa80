#!/usr/bin/env bash
# human-interval 2.0.1, by which agenda and bree read their intervals, takes `500 milliseconds` for 500 seconds.
#
# Guess: a reader of times in words reads milliseconds, and what it cannot read is NaN, as `500ms` is.
# Seen: the word is found by its end: "milliseconds" are seconds, so a poll every 500 milliseconds comes every eight minutes. "a minute", "half an hour" and "every 5
#       minutes" are 0: a timer that is always due. "1 hour and a half" is an hour, "1,5 seconds" one second. None raises and none is NaN.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit human-interval@2.0.1 >/dev/null
cat > measure.js <<'JS'
const humanInterval = require('human-interval')

for (const text of ['1.5 seconds', '3 minutes and 30 seconds', '500ms', '500 milliseconds', 'a minute', 'half an hour', 'every 5 minutes', '1 hour and a half', '1,5 seconds']) {
  console.log(`${text}: ${humanInterval(text)}`)
}
JS
node measure.js > seen
cat > expected <<'TXT'
1.5 seconds: 1500
3 minutes and 30 seconds: 210000
500ms: NaN
500 milliseconds: 500000
a minute: 0
half an hour: 0
every 5 minutes: 0
1 hour and a half: 3600000
1,5 seconds: 1000
TXT
cat seen
diff expected seen
