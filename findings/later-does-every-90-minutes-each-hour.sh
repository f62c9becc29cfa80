#!/usr/bin/env bash
# @breejs/later 4.2.0 does `every 90 minutes` each hour and `every 25 hours` each day.
#
# Guess: "every 90 minutes" in words is every 90 minutes, or refused, as an interval that a schedule of minutes and hours cannot say.
# Seen: the step is taken within the hour: 0 and then nothing but the next hour's 0. Every 45 seconds is in turn 45 and 15 seconds, every 10 days ends with one day
#       between the 31st and the 1st. No error: `error` is -1, which means none. As cron it reads `0 9 * * 7`, Sunday to every cron, as Saturday.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @breejs/later@4.2.0 >/dev/null
cat > measure.js <<'JS'
const later = require('@breejs/later')

later.date.UTC()
function firings (name, schedule) {
  const times = later.schedule(schedule).next(5, new Date('2026-01-01T00:00:00Z')) // a Thursday
  console.log(`${name}: error ${schedule.error ?? 'none'}; ${times.map(one => one.toISOString().slice(5, 19)).join(', ')}`)
}

for (const text of ['every 90 minutes', 'every 25 hours', 'every 45 seconds', 'every 10 days']) firings(text, later.parse.text(text))
firings('0 9 * * 7', later.parse.cron('0 9 * * 7'))
JS
node measure.js > seen
cat > expected <<'TXT'
every 90 minutes: error -1; 01-01T00:00:00, 01-01T01:00:00, 01-01T02:00:00, 01-01T03:00:00, 01-01T04:00:00
every 25 hours: error -1; 01-01T00:00:00, 01-02T00:00:00, 01-03T00:00:00, 01-04T00:00:00, 01-05T00:00:00
every 45 seconds: error -1; 01-01T00:00:00, 01-01T00:00:45, 01-01T00:01:00, 01-01T00:01:45, 01-01T00:02:00
every 10 days: error -1; 01-01T00:00:00, 01-11T00:00:00, 01-21T00:00:00, 01-31T00:00:00, 02-01T00:00:00
0 9 * * 7: error none; 01-03T09:00:00, 01-10T09:00:00, 01-17T09:00:00, 01-24T09:00:00, 01-31T09:00:00
TXT
cat seen
diff expected seen
