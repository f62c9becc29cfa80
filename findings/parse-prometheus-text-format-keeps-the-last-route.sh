#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 keeps one histogram of all that a metric has: the last one's buckets, without labels, sum and count.
#
# Guess: a histogram with a label has an entry for each of its values, as a counter and a gauge have.
# Seen: it has one entry, without a label, with the buckets of whichever came last; `sum` and `count` are gone, too. Of two routes, one with all requests below
#       100 ms and one with none, the page says nothing of the second or of the first, by their order. A histogram without labels is read well, so is a
#       counter with labels.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit parse-prometheus-text-format@1.1.1 >/dev/null
cat > measure.js <<'JS'
const parse = require('parse-prometheus-text-format')

const series = (labels, fast, all, sum) => {
  const inner = labels ? `${labels},` : '', own = labels ? `{${labels}}` : ''
  return `latency_bucket{${inner}le="0.1"} ${fast}\nlatency_bucket{${inner}le="+Inf"} ${all}\nlatency_sum${own} ${sum}\nlatency_count${own} ${all}\n`
}
const read = (name, text) => console.log(`${name}: ${JSON.stringify(parse(text)[0].metrics)}`)

read('no label', '# TYPE latency histogram\n' + series('', 3, 10, 5))
read('two routes', '# TYPE latency histogram\n' + series('route="fast"', 100, 100, 5) + series('route="slow"', 0, 40, 80))
read('a counter of two routes', '# TYPE requests counter\nrequests{route="fast"} 100\nrequests{route="slow"} 40\n')
JS
node measure.js > seen
cat > expected <<'TXT'
no label: [{"buckets":{"0.1":"3","+Inf":"10"},"count":"10","sum":"5"}]
two routes: [{"buckets":{"0.1":"0","+Inf":"40"}}]
a counter of two routes: [{"value":"100","labels":{"route":"fast"}},{"value":"40","labels":{"route":"slow"}}]
TXT
cat seen
diff expected seen
