#!/usr/bin/env bash
# scipy 1.17.1 gives a p99 of a hundred latencies an interval whose upper end is NaN, and a threshold is then never missed.
#
# Guess: where so few values cannot bound a p99 from above, `quantile_test(...).confidence_interval()` says infinity or refuses.
# Seen: the upper end is NaN. `high > limit` is false, so a gate that fails a run whose p99 may be above its limit passes it,
#       and so is `high <= limit`. 367 values are too few and 368 enough: 0.99**368 is the first below 0.025.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check scipy==1.17.1 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
from scipy.stats import quantile_test

for n in (100, 367, 368):
    found = quantile_test(np.arange(1.0, n + 1), p=0.99).confidence_interval(0.95)
    print(f"{n} values: p99 from {found.low:g} to {found.high:g}; above 1,000: {found.high > 1000}, at most: {found.high <= 1000}")
PY
cat > "$tmp/expected" <<'TXT'
100 values: p99 from 97 to nan; above 1,000: False, at most: False
367 values: p99 from 359 to nan; above 1,000: False, at most: False
368 values: p99 from 360 to 368; above 1,000: False, at most: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
