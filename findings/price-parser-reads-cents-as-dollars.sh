#!/usr/bin/env bash
# price-parser 0.5.1 takes a price with three decimals, as AWS writes them, for thousands.
#
# Guess: "$1.408 per hour" is 1.408 dollars; at least "$0.115 per GB-month" cannot be read otherwise.
# Seen: a point before exactly three digits separates thousands, even after a zero: 1408 dollars an hour, 115 dollars a gigabyte.
#       Two decimals, four, or the ten of AWS's price list are read as they are, so one table mixes instances a thousand times
#       too dear with others that are right. `decimal_separator="."` ends it.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check price-parser==0.5.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from price_parser import Price

for text in ("$1.408 per hour", "$37.688 per hour", "$0.115 per GB-month", "$0.23 per hour", "$0.7364 per hour", "$1.4080000000 per hour"):
    print(f"{text}: {Price.fromstring(text).amount}, told the separator {Price.fromstring(text, decimal_separator='.').amount}")
PY
cat > "$tmp/expected" <<'TXT'
$1.408 per hour: 1408, told the separator 1.408
$37.688 per hour: 37688, told the separator 37.688
$0.115 per GB-month: 115, told the separator 0.115
$0.23 per hour: 0.23, told the separator 0.23
$0.7364 per hour: 0.7364, told the separator 0.7364
$1.4080000000 per hour: 1.4080000000, told the separator 1.4080000000
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
