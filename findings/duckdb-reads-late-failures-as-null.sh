#!/usr/bin/env bash
# duckdb 2.0.1 reads an error that comes after 20,480 lines of JSON as NULL, and a latency of 0.4 ms as 0.
#
# Guess: the type of a column is guessed from a sample, and a later value that does not fit it raises, or makes it a wider one.
# Seen: `"error": null` in each line of the sample has no type that a text contradicts: ten time-outs at the end of the file are ten times NULL, and
#       `count(error)` is 0. Whole milliseconds in the sample make a column of integers, in which 0.4 is 0 and 1.6 is 2. Only a text among
#       numbers raises. `sample_size=-1` reads all right; so do pandas 3.1.1 and pyarrow 26.0.1, and polars 2.1.0 raises. A service that begins to
#       fail when the load has grown has no failure in its log.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1 pyarrow==26.0.1 polars==2.1.0 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - "$tmp/answers.ndjson" > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import json
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow.json

path = sys.argv[1]
with open(path, "w") as file:
    for _ in range(21_000):
        print(json.dumps({"ms": 5, "error": None}), file=file)
    for _ in range(10):
        print(json.dumps({"ms": 0.4, "error": "timeout"}), file=file)

for how in ("", ", sample_size=-1"):
    errors, fastest = duckdb.sql(f"select count(error), min(ms) from read_json('{path}'{how})").fetchall()[0]
    print(f"duckdb read_json(path{how}): {errors} errors, fastest {fastest} ms")
frame = pd.read_json(path, lines=True)
print(f"pandas: {frame['error'].count()} errors, fastest {frame['ms'].min()} ms")
table = pyarrow.json.read_json(path).to_pylist()
print(f"pyarrow: {sum(row['error'] is not None for row in table)} errors, fastest {min(row['ms'] for row in table)} ms")
try:
    pl.read_ndjson(path)
except pl.exceptions.ComputeError:
    print("polars: raises")
PY
cat > "$tmp/expected" <<'TXT'
duckdb read_json(path): 0 errors, fastest 0 ms
duckdb read_json(path, sample_size=-1): 10 errors, fastest 0.4 ms
pandas: 10 errors, fastest 0.4 ms
pyarrow: 10 errors, fastest 0.4 ms
polars: raises
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
