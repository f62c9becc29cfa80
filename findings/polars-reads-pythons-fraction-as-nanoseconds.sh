#!/usr/bin/env bash
# polars 2.1.0 reads the fraction of a second in another unit when it is given Python's own format.
#
# Guess: "%Y-%m-%d %H:%M:%S.%f" means to polars what it means to Python.
# Seen: the arrival times of the public Azure LLM traces have seven digits. With that format polars takes `.9799600` for
#       9,799,600 nanoseconds, 9.7996 ms instead of 979.96 ms, and only warns; `%S%.f` (the dot inside) and no format at all are
#       right. Of two arrivals 52 ms apart it makes arrivals 990.52 ms apart.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check polars==2.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import polars as pl

arrivals = pl.Series(["2023-11-16 18:17:03.9799600", "2023-11-16 18:17:04.0319600"])
for form in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%.f", None):
    instants = arrivals.str.to_datetime(form, time_unit="ns")
    print(form, instants.dt.nanosecond()[0], "ns;", (instants[1] - instants[0]).total_seconds() * 1000, "ms apart")
PY
cat > "$tmp/expected" <<'TXT'
%Y-%m-%d %H:%M:%S.%f 9799600 ns; 990.52 ms apart
%Y-%m-%d %H:%M:%S%.f 979960000 ns; 52.0 ms apart
None 979960000 ns; 52.0 ms apart
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
