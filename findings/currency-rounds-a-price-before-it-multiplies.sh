#!/usr/bin/env bash
# currency.js 2.0.4 rounds every number to cents when it comes in, so a price by the hour, the request or the second is not AWS's.
#
# Guess: a library "for working with currency values" that ends the errors of floating point keeps what it is given and rounds when it prints.
# Seen: $1.408 an hour is $1.41, and a month of 730 hours is $1.46 too dear; $0.115 by 1,000 GB is $120 instead of $115. A request at $0.0000002 and a
#       second at $0.00002 cost nothing, ten million of them as well: of a serverless bill only zeros are left. Adding up a thousand shares
#       of 0.4 cents gives 0. The first number decides for the rest: a price with ten digits, added to a plain 0, is 0 again.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit currency.js@2.0.4 >/dev/null
cat > measure.js <<'JS'
const currency = require('currency.js')
const bills = [['an instance, 730 h', 1.408, 730], ['1,000 GB', 0.115, 1000], ['10 million requests', 0.0000002, 1e7], ['a million seconds', 0.00002, 1e6]]
for (const [what, price, amount] of bills) {
  const [cents, exact] = [2, 10].map(precision => currency(price, { precision }).multiply(amount).value)
  console.log(`${what} at ${price.toFixed(7)}: ${cents}, with a precision of ten digits ${exact}`)
}
let sum = currency(0)
for (let share = 0; share < 1000; share++) sum = sum.add(0.004)
console.log(`a thousand shares of 0.004: ${sum.value}`)
const fine = amount => currency(amount, { precision: 10 })
console.log(`0 with ten digits plus 0.004: ${fine(0).add(0.004).value}, 0 plus 0.004 with ten digits: ${currency(0).add(fine(0.004)).value}`)
JS
node measure.js > seen
cat > expected <<'TXT'
an instance, 730 h at 1.4080000: 1029.3, with a precision of ten digits 1027.84
1,000 GB at 0.1150000: 120, with a precision of ten digits 115
10 million requests at 0.0000002: 0, with a precision of ten digits 2
a million seconds at 0.0000200: 0, with a precision of ten digits 20
a thousand shares of 0.004: 0
0 with ten digits plus 0.004: 0.004, 0 plus 0.004 with ten digits: 0
TXT
cat seen
diff expected seen
