#!/usr/bin/env bash
# avsc 5.7.9 infers the type float, of seven digits, for JavaScript's numbers with a fraction.
#
# Guess: a number with a fraction is a double, as it is in JavaScript, so a record written by its inferred type is read back as it was.
# Seen: it is a float of 32 bits: an instant in seconds since 1970 moves by 41 s, and two instants 20 ms apart are one.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit avsc@5.7.9 >/dev/null
cat > measure.mjs <<'JS'
import avsc from 'avsc'

const rows = [{ at: 1764554409.123 }, { at: 1764554409.143 }]
const type = avsc.Type.forValue(rows[0])
console.log(JSON.stringify(type.schema().fields))
for (const row of rows) console.log(`${row.at} is read as ${type.fromBuffer(type.toBuffer(row)).at}`)
JS
node measure.mjs > seen
cat > expected <<'TXT'
[{"name":"at","type":"float"}]
1764554409.123 is read as 1764554368
1764554409.143 is read as 1764554368
TXT
cat seen
diff expected seen
