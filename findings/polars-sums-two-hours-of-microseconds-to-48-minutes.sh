#!/usr/bin/env bash
# polars 2.1.0 sums a column of UInt32 in 32 bits: two services of an hour in microseconds are 48 minutes and 25 s, without a word.
#
# Guess: a sum of integers is widened, as it is for 8 and 16 bits here and for every integer in pyarrow, duckdb and pandas, or it raises.
# Seen: UInt32 and Int32 keep their width and begin again at zero, or below it. The mean of the same column is right, so `sum / len` and `mean` disagree.
#       Parquet files whose latencies, bytes or tokens were written in 32 bits to save room are read as such, and group sums and running sums wrap alike.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==25.0.1 duckdb==2.0.1 pandas==3.1.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import duckdb
import polars as pl
import pyarrow.compute as pc

HOUR_US = 3_600_000_000
frame = pl.DataFrame({"endpoint": ["a", "a"], "busy_us": pl.Series([HOUR_US, HOUR_US], dtype=pl.UInt32)})
written = frame.to_arrow()
column = frame["busy_us"]
print("polars: sum", column.sum(), "in s", column.sum() / 1e6, "mean", column.mean())
print("polars: by group", frame.group_by("endpoint").agg(pl.sum("busy_us")).item(0, "busy_us"), "running", column.cum_sum().to_list())
print("polars: Int32", pl.Series([2_000_000_000] * 2, dtype=pl.Int32).sum(), "Int16", pl.Series([30_000] * 2, dtype=pl.Int16).sum())
print("pyarrow", pc.sum(written["busy_us"]).as_py(), "duckdb", duckdb.sql("select sum(busy_us) from written").fetchall()[0][0], "pandas", int(written.to_pandas().busy_us.sum()))
PY
cat > "$tmp/expected" <<'TXT'
polars: sum 2905032704 in s 2905.032704 mean 3600000000.0
polars: by group 2905032704 running [3600000000, 2905032704]
polars: Int32 -294967296 Int16 60000
pyarrow 7200000000 duckdb 7200000000 pandas 7200000000
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
