#!/usr/bin/env bash
# river 0.23.0 gives the newest value the weight that is called `fading_factor`.
#
# Guess: a fading factor of 0.99 keeps 99 % of what was known at each step, as a decay or forgetting factor does everywhere.
# Seen: it is the share of the new value. After fifty latencies of 100 ms and one of 1,000 the mean is 991 at 0.99, nearly the last value, and 109 at 0.01. `EWVar` has the same factor. A smoother that was tuned to be slow
#       follows each request, and a check against it never finds anything unusual.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check river==0.23.0 typing_extensions==4.15.0
venv/bin/python -W ignore - > seen <<'PY'
from river import stats

for factor in (0.99, 0.01):
    mean = stats.EWMean(fading_factor=factor)
    for latency in [100] * 50 + [1000]:
        mean.update(latency)
    print(f"fading factor {factor}: {mean.get():.0f}")
PY
cat > expected <<'TXT'
fading factor 0.99: 991
fading factor 0.01: 109
TXT
cat seen
diff expected seen
