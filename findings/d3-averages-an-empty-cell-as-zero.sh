#!/usr/bin/env bash
# d3-array 3.2.5 counts an empty cell that d3-dsv 3.0.2 read as a latency of 0, and the greatest of its texts is "95".
#
# Guess: a missing cell is left out of a mean and a median, as null and NaN are, and numbers in text are compared as numbers by all functions or by none.
# Seen: `csvParse` gives texts, and `mean`, `median` and `quantile` make numbers of them: the empty text is 0, so two time-outs of five take the mean from 465 to 279 ms. `max`, `min` and `extent`
#       compare them as texts, so the maximum of 95, 300 and 1000 ms is 95. Each figure looks right beside the other. A cell with a word is left out by the mean
#       and is the maximum. `autoType` gives null and numbers.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit d3-array@3.2.5 d3-dsv@3.0.2 >/dev/null
cat > measure.mjs <<'JS'
import { max, mean, median } from 'd3-array'
import { autoType, csvParse } from 'd3-dsv'

const text = 'latency\n95\n300\n""\n1000\n""\n'
for (const [name, convert] of [['as it is', row => row], ['autoType', autoType]]) {
  const latencies = csvParse(text, convert).map(row => row.latency)
  console.log(`${name}: mean ${mean(latencies)}, median ${median(latencies)}, max ${max(latencies)}`)
}
console.log(`with a word: mean ${mean(['95', 'timeout', '300'])}, max ${max(['95', 'timeout', '300'])}`)
JS
node measure.mjs > seen
cat > expected <<'TXT'
as it is: mean 279, median 95, max 95
autoType: mean 465, median 300, max 1000
with a word: mean 197.5, max timeout
TXT
cat seen
diff expected seen
