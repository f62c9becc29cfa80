#!/usr/bin/env bash
# pyarrow 25.0.1, duckdb 2.0.1 and polars 2.1.0 (with `try_parse_dates`) read a column `elapsed` of `12:30` as half past twelve.
#
# Guess: minutes and seconds, as people and spreadsheets write them, are a duration, or they stay text.
# Seen: they are a time of day, sixty times too long, without a unit that could be checked: twelve minutes and a half are twelve hours and a half. One row of 24
#       minutes or more makes the whole column text in pyarrow, and so does an hour written as `1:00:01`, so the same tool's output has two types by how slow the run was.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==25.0.1 duckdb==2.0.1 pandas==3.1.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import io
import pathlib
import tempfile

import duckdb
import pandas as pd
import polars as pl
from pyarrow import csv

short, long, hours = b"elapsed\n12:30\n03:05\n", b"elapsed\n12:30\n25:05\n", b"elapsed\n0:12:30\n1:00:01\n"
for name, data in (("below 24 minutes", short), ("one of 25 minutes", long), ("h:mm:ss", hours)):
    print(f"pyarrow, {name}:", [str(value) for value in csv.read_csv(io.BytesIO(data))["elapsed"].to_pylist()], csv.read_csv(io.BytesIO(data)).schema.field("elapsed").type)
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "short.csv"
    file.write_bytes(short)
    print("duckdb:", [(str(row[0]), row[1]) for row in duckdb.sql(f"select elapsed, typeof(elapsed) from read_csv('{file}')").fetchall()])
print("polars:", [str(value) for value in pl.read_csv(short, try_parse_dates=True)["elapsed"]], "unasked", pl.read_csv(short)["elapsed"].to_list())
print("pandas:", pd.read_csv(io.BytesIO(short)).elapsed.tolist())
PY
cat > "$tmp/expected" <<'TXT'
pyarrow, below 24 minutes: ['12:30:00', '03:05:00'] time32[s]
pyarrow, one of 25 minutes: ['12:30', '25:05'] string
pyarrow, h:mm:ss: ['0:12:30', '1:00:01'] string
duckdb: [('12:30:00', 'TIME'), ('03:05:00', 'TIME')]
polars: ['12:30:00', '03:05:00'] unasked ['12:30', '03:05']
pandas: ['12:30', '03:05']
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
