#!/usr/bin/env bash
# csv-parse 7.0.3 with `cast_date: true` makes dates of labels: `endpoint-3` is the first of March 2001.
#
# Guess: a cell that is a date becomes one, any other stays what it is.
# Seen: whatever JavaScript's own lenient reader accepts is a date, and that is any word with a number from 1 to 12, or with a larger one as a year: `run 1` is
#       January 2001, `us-east-1` too, `HTTP 503` and `error 503` are the same day of the year 503. The labels of three endpoints are dates and that of the
#       thirteenth is text; two labels that end alike are one group. `p99`, `5ms` and `ml.g5.xlarge` stay text.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit csv-parse@7.0.3 >/dev/null
cat > measure.js <<'JS'
const { parse } = require('csv-parse/sync')

const labels = ['2026-01-01T00:00:00Z', 'run 1', 'endpoint-3', 'endpoint-13', 'batch 3', 'us-east-1', 'HTTP 503', 'error 503', 'p99', '5ms', 'ml.g5.xlarge']
const rows = parse(['label', ...labels].join('\n'), { columns: true, cast: true, cast_date: true })
rows.forEach(({ label }, row) => console.log(`${labels[row]}: ${label instanceof Date ? label.toISOString() : 'text'}`))
JS
TZ=UTC node measure.js > seen
cat > expected <<'TXT'
2026-01-01T00:00:00Z: 2026-01-01T00:00:00.000Z
run 1: 2001-01-01T00:00:00.000Z
endpoint-3: 2001-03-01T00:00:00.000Z
endpoint-13: text
batch 3: 2001-03-01T00:00:00.000Z
us-east-1: 2001-01-01T00:00:00.000Z
HTTP 503: 0503-01-01T00:00:00.000Z
error 503: 0503-01-01T00:00:00.000Z
p99: text
5ms: text
ml.g5.xlarge: text
TXT
cat seen
diff expected seen
