#!/usr/bin/env bash
# polars 2.1.0: of 1, 2, 3 and 4 the median is 2.5, `quantile(0.5)` is 3, and so is the 50 % of `describe`.
#
# Guess: `quantile` lies between two values, as pandas, numpy and scipy have it, and at 0.5 it is the median.
# Seen: it takes the nearest value unless `interpolation="linear"` is given, so one library has two medians. Of 99 answers of 0 to 98 ms and one of a second p99 is 98, where the others
#       say 107: moving an analysis from pandas changes figures without a change of code. A tie goes up: 2 of 1 and 2.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0
cat > measure.py <<'PY'
import polars as pl

for values in ([1, 2], [1, 2, 3, 4]):
    series = pl.Series(values)
    described = dict(series.describe().iter_rows())
    print(f"{values}: median {series.median()}, quantile(0.5) {series.quantile(0.5)}, describe {described['50%']}")
latencies = pl.Series([*range(99), 1000])
print(f"99 quick and one stalled: p99 {latencies.quantile(0.99)}, linear {latencies.quantile(0.99, interpolation='linear'):.2f}")
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
[1, 2]: median 1.5, quantile(0.5) 2.0, describe 2.0
[1, 2, 3, 4]: median 2.5, quantile(0.5) 3.0, describe 3.0
99 quick and one stalled: p99 98.0, linear 107.02
TXT
cat seen
diff expected seen
