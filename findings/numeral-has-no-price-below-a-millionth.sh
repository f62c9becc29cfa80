#!/usr/bin/env bash
# numeral 2.0.6 prints $0.0000002, the price of a request, as `$NaN`, and ten million times that as $0.00.
#
# Guess: a library that formats currency prints a small price as $0.00, or with as many decimals as the format has; `multiply` is there to be exact.
# Seen: below a millionth a number's text has an exponent, and the format makes NaN of it, whatever decimals it has: `$NaN` for a price by the request and for 0.5 us in seconds.
#       `multiply` makes 0 of it: ten million requests at that price are $2.00 and it says $0.00. From a millionth on all is right, so a table of prices of several services
#       is wrong in one row.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit numeral@2.0.6 >/dev/null
cat > measure.js <<'JS'
const numeral = require('numeral')

for (const price of [0.0000002, 0.0000005, 0.000001, 0.0012]) {
  console.log(`${price}: ${numeral(price).format('$0.00')} ${numeral(price).format('0.0000000')}`)
}
console.log(`ten million of the first: ${numeral(0.0000002).multiply(10000000).format('$0.00')}`)
JS
node measure.js > seen
cat > expected <<'TXT'
2e-7: $NaN NaN
5e-7: $NaN NaN
0.000001: $0.00 0.0000010
0.0012: $0.00 0.0012000
ten million of the first: $0.00
TXT
cat seen
diff expected seen
