#!/usr/bin/env bash
# apache-arrow 21.2.0 gives a missing value as 0 where a column becomes an array.
#
# Guess: `column.toArray()` has null, or NaN, where the column has null, as iterating over it does.
# Seen: it is the buffer below the column, and there a null is 0. Of the latencies 100, null (timed out) and 300 the mean is 133 in place of 200, and the
#       smallest is 0; an Int64 column has 0n. `toJSON()`, `[...column]` and the rows of the table have null. Text and booleans keep it, so a test with labels
#       shows nothing. The more requests time out, the shorter the latencies become.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit apache-arrow@21.2.0 >/dev/null
cat > measure.js <<'JS'
const { Int64, Utf8, tableFromIPC, tableFromJSON, tableToIPC, vectorFromArray } = require('apache-arrow')

const mean = values => values.reduce((sum, one) => sum + one, 0) / values.length
const rows = [{ latency: 100 }, { latency: null }, { latency: 300 }]
const column = tableFromIPC(tableToIPC(tableFromJSON(rows))).getChild('latency') // written and read again
console.log('values:', JSON.stringify([...column]), 'missing:', column.nullCount)
console.log('toArray():', [...column.toArray()].join(' '), 'mean:', mean([...column.toArray()]).toFixed(1))
console.log('toArray() of Int64:', [...vectorFromArray([5n, null], new Int64()).toArray()].join(' '))
console.log('toArray() of Utf8:', JSON.stringify([...vectorFromArray(['done', null], new Utf8()).toArray()]))
JS
node measure.js > seen
cat > expected <<'TXT'
values: [100,null,300] missing: 1
toArray(): 100 0 300 mean: 133.3
toArray() of Int64: 5 0
toArray() of Utf8: ["done",null]
TXT
cat seen
diff expected seen
