#!/usr/bin/env bash
# parquetjs 0.11.2 cuts a value down to what its column can hold: 0.9 is 0, `5ms` is 5, and 2026 is two seconds after 1970 began.
#
# Guess: a value that does not fit the type of its column raises, as 5e9 in INT32 and "timeout" in DOUBLE do.
# Seen: a number with a fraction in INT32 or INT64 loses it: a latency of 0.9 s is 0. Text is read as far as it is a number: "5ms" is 5, and an instant written
#       out, "2026-01-01T00:00:00Z", is 2026 ms in a TIMESTAMP_MILLIS column: two seconds after the beginning of 1970. "false" is true. hyparquet-writer
#       0.17.0 raises for such a value.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit parquetjs@0.11.2 hyparquet@1.33.0 hyparquet-writer@0.17.0 >/dev/null
cat > measure.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import parquet from 'parquetjs'

async function written (type, ...values) {
  const writer = await parquet.ParquetWriter.openFile(new parquet.ParquetSchema({ x: { type } }), 'x.parquet')
  try {
    for (const x of values) await writer.appendRow({ x })
  } catch (error) {
    return 'raises'
  }
  await writer.close()
  const read = await parquetReadObjects({ file: new Uint8Array(readFileSync('x.parquet')).buffer })
  return read.map(({ x }) => x instanceof Date ? x.toISOString() : `${x}`).join(' ')
}

console.log('INT32 of 0.9 and 2.7:', await written('INT32', 0.9, 2.7))
console.log('INT64 of 0.9:', await written('INT64', 0.9))
console.log('INT32 of 5e9:', await written('INT32', 5e9))
console.log('DOUBLE of "5ms":', await written('DOUBLE', '5ms'))
console.log('DOUBLE of "timeout":', await written('DOUBLE', 'timeout'))
console.log('BOOLEAN of "false":', await written('BOOLEAN', 'false'))
console.log('TIMESTAMP_MILLIS of "2026-01-01T00:00:00Z":', await written('TIMESTAMP_MILLIS', '2026-01-01T00:00:00Z'))
try {
  parquetWriteBuffer({ columnData: [{ name: 'x', data: [0.9], type: 'INT32' }] })
} catch (error) {
  console.log('hyparquet-writer, INT32 of 0.9: raises')
}
JS
node measure.mjs > seen 2> warnings
cat > expected <<'TXT'
INT32 of 0.9 and 2.7: 0 2
INT64 of 0.9: 0
INT32 of 5e9: raises
DOUBLE of "5ms": 5
DOUBLE of "timeout": raises
BOOLEAN of "false": true
TIMESTAMP_MILLIS of "2026-01-01T00:00:00Z": 1970-01-01T00:00:02.026Z
hyparquet-writer, INT32 of 0.9: raises
TXT
cat seen
diff expected seen
