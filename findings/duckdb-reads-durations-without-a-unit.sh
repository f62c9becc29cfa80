#!/usr/bin/env bash
# duckdb 2.0.1 and fastparquet 2026.9.0 read a Duration that polars 2.1.0 or pyarrow 26.0.1 wrote as a number, its unit lost.
#
# Guess: a column of durations in a parquet file is a duration to every reader, or is refused by those that have none.
# Seen: parquet has no such type. The file holds an integer, and what it counts is only said in Arrow's own schema beside it, which duckdb
#       and fastparquet do not read: 1.5 s are 1500, 1500000 or 1500000000. Files of different units in one query are put
#       under each other without a word, so a mean over them is off by up to a millionfold; polars refuses to mix them.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 fastparquet==2026.9.0
cd "$tmp"
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
from datetime import timedelta

import duckdb
import fastparquet
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

took = timedelta(seconds=1.5)
pl.DataFrame({"latency": [took]}, schema={"latency": pl.Duration("ms")}).write_parquet("1-polars.parquet")
pl.DataFrame({"latency": [took]}, schema={"latency": pl.Duration("us")}).write_parquet("2-polars.parquet")
pq.write_table(pa.table({"latency": pa.array([took], pa.duration("ns"))}), "3-pyarrow.parquet")
for file in ("1-polars.parquet", "2-polars.parquet", "3-pyarrow.parquet"):
    value, kind = duckdb.sql(f"select latency, typeof(latency) from '{file}'").fetchall()[0]
    column = fastparquet.ParquetFile(file).to_pandas()["latency"]
    print(f"{file}: duckdb {value} {kind}, fastparquet {column[0]} {column.dtype}, polars {pl.read_parquet(file).item()}")
print("duckdb, all three:", duckdb.sql("select latency from '*.parquet' order by all").fetchall())
try:
    pl.read_parquet("*.parquet")
    print("polars, all three: read")
except pl.exceptions.SchemaError:
    print("polars, all three: SchemaError")
PY
cat > expected <<'TXT'
1-polars.parquet: duckdb 1500 BIGINT, fastparquet 1500 int64, polars 0:00:01.500000
2-polars.parquet: duckdb 1500000 BIGINT, fastparquet 1500000 int64, polars 0:00:01.500000
3-pyarrow.parquet: duckdb 1500000000 BIGINT, fastparquet 1500000000 int64, polars 0:00:01.500000
duckdb, all three: [(1500,), (1500000,), (1500000000,)]
polars, all three: SchemaError
TXT
cat seen
diff expected seen
