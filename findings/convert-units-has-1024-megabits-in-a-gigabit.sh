#!/usr/bin/env bash
# convert-units 2.3.4 has 1,024 megabits in a gigabit and 1,000 meters in a kilometer; js-quantities and mathjs have 1,000 of each.
#
# Guess: libraries of units follow the SI, or differ at GB at most, where tradition does; a gigabit a second is a thousand megabits to everyone.
# Seen: convert-units makes bits and bytes of 1,024, in `Gb`, `GB` and `TB`. A terabyte that S3 bills as 1,000 GB is 1,024, and a link of 10 Gb is 1,280 MB a second instead
#       of 1,250. It has no GiB to say so with. js-quantities 1.8.0 and mathjs 15.2.0 have both, and agree.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit convert-units@2.3.4 js-quantities@1.8.0 mathjs@15.2.0 >/dev/null
cat > measure.js <<'JS'
const convertUnits = require('convert-units')
const quantities = require('js-quantities')
const { unit } = require('mathjs')
const convert = convertUnits.default ?? convertUnits
const quantity = quantities.default ?? quantities
for (const [many, from, to] of [[1, 'Gb', 'Mb'], [10, 'Gb', 'MB'], [1, 'TB', 'GB'], [1, 'km', 'm']]) {
  const others = [quantity(`${many} ${from}`).to(to).scalar, unit(many, from).toNumber(to)].map(value => Number(value.toFixed(6)))
  console.log(`${many} ${from} in ${to}: convert-units ${convert(many).from(from).to(to)}, js-quantities ${others[0]}, mathjs ${others[1]}`)
}
console.log(`GiB: convert-units ${convert().possibilities('digital').includes('GiB')}, js-quantities ${quantity('1 GiB').to('B').scalar}`)
JS
node measure.js > seen
cat > expected <<'TXT'
1 Gb in Mb: convert-units 1024, js-quantities 1000, mathjs 1000
10 Gb in MB: convert-units 1280, js-quantities 1250, mathjs 1250
1 TB in GB: convert-units 1024, js-quantities 1000, mathjs 1000
1 km in m: convert-units 1000, js-quantities 1000, mathjs 1000
GiB: convert-units false, js-quantities 1073741824
TXT
cat seen
diff expected seen
