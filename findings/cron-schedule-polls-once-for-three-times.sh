#!/usr/bin/env bash
# cron-schedule 6.0.0 leaves out what it does not know of a field: `10/20` is once an hour, `5#3` is every Friday.
#
# Guess: what a reader of cron lines does not know is refused, as croner 11 refuses `10/20` and as cron-schedule itself refuses `L`.
# Seen: the part behind is dropped: `10/20`, the 10th, 30th and 50th minute to cron and cron-parser, is the 10th; `5#3`, the third Friday of a month, is each; `1/2`
#       in the days of the week is Monday only. A poll is three times too rare and a monthly run four times too frequent, with no word.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit cron-schedule@6.0.0 cron-parser@5.10.6 >/dev/null
cat > measure.js <<'JS'
const { CronExpressionParser } = require('cron-parser')
const { parseCronExpression } = require('cron-schedule')

const start = new Date('2026-01-01T00:00:00Z')
const told = times => times.map(one => one.toISOString().slice(5, 16)).join(', ')
for (const line of ['10/20 * * * *', '0 9 * * 5#3', '0 9 * * 1/2']) {
  const other = CronExpressionParser.parse(line, { currentDate: start, tz: 'UTC' })
  console.log(`${line} cron-parser:   ${told([1, 2, 3].map(() => other.next().toDate()))}`)
  console.log(`${line} cron-schedule: ${told(parseCronExpression(line).getNextDates(3, start))}`)
}
try {
  parseCronExpression('0 9 L * *')
} catch (error) {
  console.log('0 9 L * * cron-schedule: raises')
}
JS
TZ=UTC node measure.js > seen
cat > expected <<'TXT'
10/20 * * * * cron-parser:   01-01T00:10, 01-01T00:30, 01-01T00:50
10/20 * * * * cron-schedule: 01-01T00:10, 01-01T01:10, 01-01T02:10
0 9 * * 5#3 cron-parser:   01-16T09:00, 02-20T09:00, 03-20T09:00
0 9 * * 5#3 cron-schedule: 01-02T09:00, 01-09T09:00, 01-16T09:00
0 9 * * 1/2 cron-parser:   01-02T09:00, 01-04T09:00, 01-05T09:00
0 9 * * 1/2 cron-schedule: 01-05T09:00, 01-12T09:00, 01-19T09:00
0 9 L * * cron-schedule: raises
TXT
cat seen
diff expected seen
