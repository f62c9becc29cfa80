#!/usr/bin/env bash
# texttable 1.7.2 prints a latency of 0.4 ms as 0.000, the commit 12e4567 as inf and an instant in milliseconds as 1.700e+12.
#
# Guess: a table shows a number as Python prints it, or with as many digits as it needs, and a text as it is.
# Seen: each cell that `float` reads is a number, also one that is text: a short commit of digits and an e is infinity, and 007 is 7. Three decimals are all there are:
#       latencies in seconds are 0.000, and two that differ by a third look equal. Whole numbers above 100 million are rounded to four digits. `set_cols_dtype` with
#       "t" leaves cells alone.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check texttable==1.7.2
cat > measure.py <<'PY'
from texttable import Texttable

rows = [["commit", "p50 in s", "began in ms"], ["12e4567", 0.0003, 1700000000123], ["007", 0.0004, 1700000999456]]
for name, kinds in {"by itself": None, "as text": ["t", "t", "t"]}.items():
    table = Texttable(max_width=0)
    table.set_deco(0)
    if kinds:
        table.set_cols_dtype(kinds)
    table.add_rows(rows)
    print(name)
    print("\n".join(" | ".join(line.split()) for line in table.draw().splitlines()[1:]))
PY
venv/bin/python measure.py > seen
cat > expected <<'TXT'
by itself
inf | 0.000 | 1.700e+12
7 | 0.000 | 1.700e+12
as text
12e4567 | 0.0003 | 1700000000123
007 | 0.0004 | 1700000999456
TXT
cat seen
diff expected seen
