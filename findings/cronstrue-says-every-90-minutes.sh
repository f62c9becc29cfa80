#!/usr/bin/env bash
# cronstrue 3.39.0 says "Every 90 minutes" of a schedule that fires once an hour.
#
# Guess: the words of a schedule are what it does, or the step is refused: a field of minutes has sixty.
# Seen: a step is put into words as it stands. `*/90 * * * *` fires at each full hour; `*/40 * * * *`, "Every 40 minutes", at :00 and :40, which is 40 and 20 minutes
#       apart; `0 */7 * * *` ends a day with three hours. "On day 13 of the month, and on Friday" is either of them. Whoever checks a schedule of a scaling action by its words
#       is content. The instants are those of cron-parser 5.5.0.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit cronstrue@3.39.0 cron-parser@5.5.0 >/dev/null
cat > measure.mjs <<'JS'
import cronstrue from 'cronstrue'
import { CronExpressionParser } from 'cron-parser'

for (const line of ['*/90 * * * *', '*/40 * * * *', '0 */7 * * *', '0 9 13 * 5']) {
  let fires
  try {
    const schedule = CronExpressionParser.parse(line, { currentDate: '2026-06-01T00:00:00Z', tz: 'UTC' })
    fires = Array.from({ length: 4 }, () => schedule.next().toISOString().slice(8, 16)).join(' ')
  } catch {
    fires = 'refused'
  }
  console.log(`${line}: ${cronstrue.toString(line)}; ${fires}`)
}
JS
node measure.mjs > seen
cat > expected <<'TXT'
*/90 * * * *: Every 90 minutes; 01T01:00 01T02:00 01T03:00 01T04:00
*/40 * * * *: Every 40 minutes; 01T00:40 01T01:00 01T01:40 01T02:00
0 */7 * * *: On the hour, every 7 hours; 01T07:00 01T14:00 01T21:00 02T00:00
0 9 13 * 5: At 09:00 AM, on day 13 of the month, and on Friday; 05T09:00 12T09:00 13T09:00 19T09:00
TXT
cat seen
diff expected seen
