#!/usr/bin/env bash
# fastparquet 2026.9.0 writes a duration as a time of day: a wait of a day and a second is one second to pyarrow.
#
# Guess: a column of durations is read as durations, or as an integer of nanoseconds, as parquet has no type for durations.
# Seen: the column's type is TIME in microseconds. fastparquet itself reads its file back well. Of 86,401 s pyarrow 26.0.1 makes 00:00:01,
#       polars 2.1.0 makes null, and duckdb 2.0.1 refuses the file; pandas 3.1.1 with its default engine raises. Below a day all
#       of them agree, so a test with short waits passes.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check fastparquet==2026.9.0 pandas==3.1.1 pyarrow==26.0.1 polars==2.1.0 \
  duckdb==2.0.1 numpy==2.4.6
cd "$tmp"
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow.parquet as pq


def tell(name, read):
    try:
        print(f"{name}:", ", ".join(str(value) for value in read()))
    except Exception as error:
        print(f"{name}: {type(error).__name__}")


for waits_s in ([0.5, 3600], [0.5, 86_401]):
    fastparquet.write("waits.parquet", pd.DataFrame({"wait": pd.to_timedelta(waits_s, unit="s")}))
    print(f"waits of {waits_s} s, written as {pq.read_schema('waits.parquet').field('wait').type}")
    tell("fastparquet", lambda: fastparquet.ParquetFile("waits.parquet").to_pandas().wait)
    tell("pyarrow", lambda: pq.read_table("waits.parquet")["wait"].to_pylist())
    tell("polars", lambda: pl.read_parquet("waits.parquet")["wait"].to_list())
    tell("duckdb", lambda: [row[0] for row in duckdb.sql("select wait from 'waits.parquet'").fetchall()])
    tell("pandas", lambda: pd.read_parquet("waits.parquet", engine="pyarrow").wait)
PY
cat > "$tmp/expected" <<'TXT'
waits of [0.5, 3600] s, written as time64[us]
fastparquet: 0 days 00:00:00.500000, 0 days 01:00:00
pyarrow: 00:00:00.500000, 01:00:00
polars: 00:00:00.500000, 01:00:00
duckdb: 00:00:00.500000, 01:00:00
pandas: 00:00:00.500000, 01:00:00
waits of [0.5, 86401] s, written as time64[us]
fastparquet: 0 days 00:00:00.500000, 1 days 00:00:01
pyarrow: 00:00:00.500000, 00:00:01
polars: 00:00:00.500000, None
duckdb: InvalidInputException
pandas: ValueError
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
