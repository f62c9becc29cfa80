#!/usr/bin/env bash
# tabulate 0.10.0 prints 1234567.8 as 1.23457e+06, and the whole numbers of its column with it.
#
# Guess: numbers are printed as Python prints them, or with all digits before the point.
# Seen: a column that has one number with a point is printed with six digits, its whole numbers, too: latencies in microseconds and instants lose their end, and 1,234,567.8
#       and 1,234,571 are equal. A column of whole numbers keeps all digits, so a table changes with the first half. `floatfmt` and `disable_numparse` help.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check tabulate==0.10.0
cat > measure.py <<'PY'
from tabulate import tabulate

for name, rows in {
    "with a point": [["run-1", 1234567.8], ["run-2", 1234571]],
    "whole": [["run-1", 1234567], ["run-2", 1234571]],
}.items():
    print(name)
    print("\n".join(" ".join(line.split()) for line in tabulate(rows, tablefmt="plain").splitlines()))
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
with a point
run-1 1.23457e+06
run-2 1.23457e+06
whole
run-1 1234567
run-2 1234571
TXT
cat seen
diff expected seen
