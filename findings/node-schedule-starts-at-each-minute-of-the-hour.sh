#!/usr/bin/env bash
# node-schedule 2.1.1 takes `{ hour: 9 }` for each minute from nine to ten.
#
# Guess: a rule with an hour fires at that hour, once; what is smaller and not said is 0, as the second is.
# Seen: only the second is 0 where it is not said. `{ hour: 9 }` is sixty runs between nine and ten, `{ dayOfWeek: 1 }` is one in each minute of
#       Monday: a benchmark that was meant to be daily or weekly starts an endpoint each minute. `{ minute: 30 }` is once an hour, as one would think.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit node-schedule@2.1.1 >/dev/null
cat > measure.js <<'JS'
const { RecurrenceRule } = require('node-schedule')

function firings (said) {
  const rule = Object.assign(new RecurrenceRule(), { tz: 'Etc/UTC' }, said)
  let now = new Date('2026-03-02T08:15:00Z'), count = 0 // a Monday
  const times = []
  for (;;) {
    now = rule.nextInvocationDate(now)
    if (!now || now >= new Date('2026-03-02T11:15:00Z')) break
    count++
    if (times.length < 3) times.push(now.toISOString().slice(11, 19))
  }
  console.log(`${JSON.stringify(said)}: ${times.join(' ')}, ${count} in three hours of a Monday`)
}

firings({ hour: 9, minute: 0 })
firings({ hour: 9 })
firings({ dayOfWeek: 1 })
firings({ minute: 30 })
JS
node measure.js > seen
cat > expected <<'TXT'
{"hour":9,"minute":0}: 09:00:00, 1 in three hours of a Monday
{"hour":9}: 09:00:00 09:01:00 09:02:00, 60 in three hours of a Monday
{"dayOfWeek":1}: 08:16:00 08:17:00 08:18:00, 179 in three hours of a Monday
{"minute":30}: 08:30:00 09:30:00 10:30:00, 3 in three hours of a Monday
TXT
cat seen
diff expected seen
