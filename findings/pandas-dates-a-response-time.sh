#!/usr/bin/env bash
# pandas 3.1.1's read_json makes a column of latencies into dates, by its name and its smallest value.
#
# Guess: integers in JSON lines are integers; dates are made of text that looks like a date, if at all.
# Seen: a column whose name ends with `_time` (or `_at`, or is `date` or `modified`, or begins with `timestamp`) is taken for instants when every
#       value is above 31,536,000. `response_time` of 250 and 1,200 ms in nanoseconds are days in 1977 and 2008. With one answer of
#       31 ms among them all are integers, and a column `latency` of the same numbers always is. So a script that works on one run
#       fails on the next, where no request was fast. `convert_dates=False` reads what is there.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pandas==3.1.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import io

import pandas as pd


def read(name, values, **how):
    lines = "".join(f'{{"{name}": {value}}}\n' for value in values)
    column = pd.read_json(io.StringIO(lines), lines=True, **how)[name]
    print(f"{name}, {how or 'as it comes'}: {column.dtype} {[str(value) for value in column]}")


read("response_time", [250_000_000, 1_200_000_000])
read("response_time", [250_000_000, 1_200_000_000, 31_000_000])
read("latency", [250_000_000, 1_200_000_000])
read("response_time", [250_000_000, 1_200_000_000], convert_dates=False)
PY
cat > "$tmp/expected" <<'TXT'
response_time, as it comes: datetime64[us] ['1977-12-03 12:26:40', '2008-01-10 21:20:00']
response_time, as it comes: int64 ['250000000', '1200000000', '31000000']
latency, as it comes: int64 ['250000000', '1200000000']
response_time, {'convert_dates': False}: int64 ['250000000', '1200000000']
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
