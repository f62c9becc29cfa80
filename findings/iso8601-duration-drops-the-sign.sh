#!/usr/bin/env bash
# iso8601-duration 2.1.4 reads `-PT5S` as five seconds, and luxon 3.7.2 as minus five.
#
# Guess: a duration is read with its sign and all of its digits, or refused; `PT-5S` is refused.
# Seen: the sign is left out, so a clock that is five seconds behind is five ahead, and a request that was sent early was late. `toSeconds` goes by way of dates: 0.4 ms is 0, although the parsed object has 0.0004. What follows the last
#       unit is left out, too: `PT1H30` is an hour.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit iso8601-duration@2.1.4 luxon@3.7.2 >/dev/null
cat > measure.js <<'JS'
const { parse, toSeconds } = require('iso8601-duration')
const { Duration } = require('luxon')

for (const text of ['-PT5S', 'PT0.0004S', 'PT1H30', 'PT1H30M']) {
  const other = Duration.fromISO(text)
  console.log(`${text}: iso8601-duration ${toSeconds(parse(text))}, luxon ${other.isValid ? other.as('seconds') : 'invalid'}`)
}
JS
node measure.js > seen
cat > expected <<'TXT'
-PT5S: iso8601-duration 5, luxon -5
PT0.0004S: iso8601-duration 0, luxon 0
PT1H30: iso8601-duration 3600, luxon invalid
PT1H30M: iso8601-duration 5400, luxon 5400
TXT
cat seen
diff expected seen
