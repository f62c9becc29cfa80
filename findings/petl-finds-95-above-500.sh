#!/usr/bin/env bash
# petl 1.7.30: of latencies read from a CSV file `limits` gives 1200.1 as the smallest and 998.5 as the largest, and all four are above 500; `stats` knows better.
#
# Guess: functions of one library agree on what a column holds: numbers, or text that has no mean.
# Seen: all cells of a CSV file are text. `stats` makes numbers of them; `limits` and `sort` compare text, so the slowest request comes first, and `selectgt` with a number
#       takes every row, 95 ms too, as petl puts any text above any number. A list of violations of 500 ms is the whole run. `convertnumbers` has to come first.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check petl==1.7.30
cat > measure.py <<'PY'
from pathlib import Path

import petl

Path("run.csv").write_text("latency\n998.5\n1200.1\n95\n300\n")
text = petl.fromcsv("run.csv")
for name, table in {"as read": text, "convertnumbers": petl.convertnumbers(text)}.items():
    stats = petl.stats(table, "latency")
    print(f"{name}: stats {stats.min} to {stats.max}, limits {petl.limits(table, 'latency')}")
    print(f"  above 500: {list(petl.values(petl.selectgt(table, 'latency', 500), 'latency'))}, sorted: {list(petl.values(petl.sort(table, 'latency'), 'latency'))}")
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
as read: stats 95.0 to 1200.1, limits ('1200.1', '998.5')
  above 500: ['998.5', '1200.1', '95', '300'], sorted: ['1200.1', '300', '95', '998.5']
convertnumbers: stats 95.0 to 1200.1, limits (95, 1200.1)
  above 500: [998.5, 1200.1], sorted: [95, 300, 998.5, 1200.1]
TXT
cat seen
diff expected seen
