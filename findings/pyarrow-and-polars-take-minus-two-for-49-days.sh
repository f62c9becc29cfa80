#!/usr/bin/env bash
# pyarrow 25.0.1 and polars 2.1.0: 3 ms minus 5 ms of unsigned columns are 4,294,967,294 ms, which is 49 days and 17 hours.
#
# Guess: where two clocks disagree and an end is before its beginning, the latency is negative, or the subtraction raises, as duckdb's does.
# Seen: both wrap round without a word, so one request among thousands makes the maximum and the mean. In polars `diff()` of the same values is -2;
#       pyarrow has `subtract_checked`, which raises. Columns of unsigned integers come from Rust and C++ writers of parquet, and from `duckdb`'s UINTEGER.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==25.0.1 duckdb==2.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

began, ended = pa.array([5, 10, 20], pa.uint32()), pa.array([3, 110, 120], pa.uint32())
arrow = pc.subtract(ended, began)
print("pyarrow:", arrow.to_pylist(), "days", round(pc.max(arrow).as_py() / 86_400_000, 1))
frame = pl.DataFrame({"began": began, "ended": ended})
polars = frame.select(latency=pl.col("ended") - pl.col("began"))["latency"]
print("polars:", polars.to_list(), "mean", round(polars.mean()), "diff", pl.Series([5, 3], dtype=pl.UInt32).diff().to_list())
written = pa.table({"began": began, "ended": ended})
try:
    print("duckdb:", duckdb.sql("select ended - began from written").fetchall())
except duckdb.OutOfRangeException:
    print("duckdb: raises")
try:
    print("pyarrow, checked:", pc.subtract_checked(ended, began))
except pa.ArrowInvalid:
    print("pyarrow, checked: raises")
PY
cat > "$tmp/expected" <<'TXT'
pyarrow: [4294967294, 100, 100] days 49.7
polars: [4294967294, 100, 100] mean 1431655831 diff [None, -2]
duckdb: raises
pyarrow, checked: raises
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
