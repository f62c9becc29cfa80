#!/usr/bin/env bash
# pyarrow 26.0.1's `seconds_between` and duckdb 2.0.1's `date_diff` count ticks of the clock, and polars 2.1.0 cuts a duration to whole seconds.
#
# Guess: `seconds_between(began, ended)` is the time between the two, in seconds; `total_seconds` of 0.9 s is 0.9, as it is in Python.
# Seen: 200 ms that go over the full second are 1 and 900 ms that do not are 0: which latencies are long is a matter of when they began. The mean
#       comes out about right, so nobody sees it; p50 is 0 and p99 is 1 where all take 200 ms. duckdb's `date_sub` and its `epoch` of a difference measure.
#       polars' `total_seconds` is an integer: every latency below a second is 0, and so is their mean.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1 duckdb==2.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime, timedelta

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

began = [datetime(2026, 11, 1) + timedelta(milliseconds=100 * number) for number in range(10)]
requests = pa.table({"began": began, "ended": [instant + timedelta(milliseconds=200) for instant in began]})
print("pyarrow seconds_between:", pc.seconds_between(requests["began"], requests["ended"]).to_pylist())
for call in ("date_diff('second', began, ended)", "date_sub('second', began, ended)", "epoch(ended - began)"):
    print(f"duckdb {call}:", [row[0] for row in duckdb.sql(f"select {call} from requests order by began").fetchall()])
took = [timedelta(seconds=0.9), timedelta(seconds=1.9)]
print("Python total_seconds:", [each.total_seconds() for each in took])
print("polars total_seconds:", pl.Series(took).dt.total_seconds().to_list())
PY
cat > "$tmp/expected" <<'TXT'
pyarrow seconds_between: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
duckdb date_diff('second', began, ended): [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
duckdb date_sub('second', began, ended): [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
duckdb epoch(ended - began): [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
Python total_seconds: [0.9, 1.9]
polars total_seconds: [0, 1]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
