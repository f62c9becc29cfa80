#!/usr/bin/env bash
# quantiphy 2.23 reads `5 min` as 0.005 inches and `1.5 GiB` as 1.5 billion `iB`.
#
# Guess: a reader of quantities with units knows minutes and GiB, or raises where it does not know a unit.
# Seen: the first letter behind the number is a scale wherever it can be one, also after a space: m, G, M and P are taken off, and whatever is left is the unit, which no list
#       holds. `5 min` is 5 thousandths of `in`, `5 mins` of `ins`, `1.5 GiB` is 7 % short, `2 Minutes` are two million. `2 hours` are 2, so a comparison of both is
#       between 0.005 and 2. No error and no warning: the unit alone shows it.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check quantiphy==2.23
cat > measure.py <<'PY'
from quantiphy import Quantity

for text in ("500 ms", "5 min", "2 Minutes", "2 hours", "1.5 GiB", "1.5 GB"):
    read = Quantity(text)
    print(f"{text}: {read.real:g} {read.units}")
PY
venv/bin/python measure.py > seen
cat > expected <<'TXT'
500 ms: 0.5 s
5 min: 0.005 in
2 Minutes: 2e+06 inutes
2 hours: 2 hours
1.5 GiB: 1.5e+09 iB
1.5 GB: 1.5e+09 B
TXT
cat seen
diff expected seen
