#!/usr/bin/env bash
# aws-cron-parser 1.1.12 (npm) fires a schedule of each 31st on the 1st of December and on the 3rd of March.
#
# Guess: `cron(0 9 31 * ? *)`, as EventBridge and scheduled scaling take it, fires in the months that have a 31st.
# Seen: in the others it fires on the day to which JavaScript moves a 31st that there is not: the 31st of November is the 1st of December, the 30th of
#       February the 2nd of March. `L`, the last day, is right. A forecast of when capacity is scheduled, or a replay of it, has five instants a year that
#       AWS does not have. pyawscron 1.0.7 of PyPI raises ValueError at the first of these months instead.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit aws-cron-parser@1.1.12 >/dev/null
cat > measure.js <<'JS'
const { parse, next } = require('aws-cron-parser')

for (const schedule of ['0 9 31 * ? *', '0 9 30 * ? *', '0 9 L * ? *']) {
  const cron = parse(schedule)
  const days = []
  for (let at = new Date('2026-11-03T00:00:00Z'); days.length < 5;) {
    at = next(cron, at)
    days.push(at.toISOString().slice(0, 10))
  }
  console.log(schedule, ...days)
}
JS
TZ=UTC node measure.js > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
0 9 31 * ? * 2026-12-01 2026-12-31 2027-01-31 2027-03-03 2027-03-31
0 9 30 * ? * 2026-11-30 2026-12-30 2027-01-30 2027-03-02 2027-03-30
0 9 L * ? * 2026-11-30 2026-12-31 2027-01-31 2027-02-28 2027-03-31
TXT
cat seen
diff expected seen
