#!/usr/bin/env bash
# deepdiff 9.1.0: with `significant_digits=3` a p99 of 0.1 ms and one of 0.4 ms, in seconds, are the same.
#
# Guess: three significant digits are three digits from the first that is not 0, as everywhere; and two results with NaN in the same place are equal.
# Seen: they are decimals behind the point. A fourfold latency is no difference, and 1234.5 against 1234.9, a third of a thousandth, is one. `math_epsilon` is
#       absolute, too. NaN differs from NaN unless `ignore_nan_inequality` is given, so a run compared with its own copy differs.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check deepdiff==9.1.0
cat > measure.py <<'PY'
from math import nan

from deepdiff import DeepDiff

for name, before, after, options in (
    ("0.1 ms and 0.4 ms in seconds", 0.0001, 0.0004, {"significant_digits": 3}),
    ("1234.5 and 1234.9", 1234.5, 1234.9, {"significant_digits": 3}),
    ("nan and nan", nan, float("nan"), {}),
    ("nan and nan, ignored", nan, float("nan"), {"ignore_nan_inequality": True}),
):
    print(f"{name}: {'different' if DeepDiff({'p99': before}, {'p99': after}, **options) else 'equal'}")
PY
venv/bin/python measure.py > seen
cat > expected <<'TXT'
0.1 ms and 0.4 ms in seconds: equal
1234.5 and 1234.9: different
nan and nan: different
nan and nan, ignored: equal
TXT
cat seen
diff expected seen
