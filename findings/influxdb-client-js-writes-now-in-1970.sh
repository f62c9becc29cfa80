#!/usr/bin/env bash
# @influxdata/influxdb-client 1.35.0 writes `Date.now()` as an instant of 1970, and `new Date()` as now.
#
# Guess: a number is what JavaScript means by an instant, milliseconds since 1970, as Date takes it; text that is no boolean is refused.
# Seen: a number is taken in the precision of the writer, nanoseconds unless it is set: 1780315200000 is half an hour after 1970 began, beyond each bucket's retention, and a Date of the same instant is right. `booleanField('ok', 'false')`, with
#       text as it comes from a CSV file, is true, `intField` of 1.9 is 1 and of `5ms` 5. Only `NaN` is refused.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @influxdata/influxdb-client@1.35.0 >/dev/null
cat > measure.js <<'JS'
const { InfluxDB, Point } = require('@influxdata/influxdb-client')

const INSTANT = 1780315200000 // 2026-06-01T12:00:00Z
const writer = new InfluxDB({ url: 'http://127.0.0.1:1', token: 'example' }).getWriteApi('example', 'example')
const written = point => point.timestamp(INSTANT).toLineProtocol(writer)
const point = () => new Point('request')

for (const when of [INSTANT, new Date(INSTANT)]) {
  const [, , nanoseconds] = point().floatField('x', 1).timestamp(when).toLineProtocol(writer).split(' ')
  console.log(`${typeof when}: ${new Date(Number(nanoseconds) / 1e6).toISOString()}`)
}
console.log(written(point().booleanField('ok', 'false')).split(' ')[1])
console.log(written(point().intField('latency', 1.9)).split(' ')[1], written(point().intField('latency', '5ms')).split(' ')[1])
JS
node measure.js > seen
cat > expected <<'TXT'
number: 1970-01-01T00:29:40.315Z
object: 2026-06-01T12:00:00.000Z
ok=T
latency=1i latency=5i
TXT
cat seen
diff expected seen
