#!/usr/bin/env bash
# polars 2.1.0 leaves out a key that first comes after a hundred rows, and cuts a latency of 1.6 ms among whole ones to 1.
#
# Guess: a value that does not fit what the first rows were raises, as it does in `read_csv`, or has a column of its own.
# Seen: a key that the first 100 rows do not have is left out without a word: of `read_ndjson`, `scan_ndjson`, `DataFrame` and `from_dicts` none has a
#       column `error` where the first error is in row 101. `DataFrame` and `from_dicts` make 1 of 1.6 where the first hundred latencies are
#       whole; `read_ndjson` raises there. `infer_schema_length=None` helps. pyarrow's `Table.from_pylist` (26.0.1) goes by the first row alone. A run
#       whose failures begin late is a run without failures.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import io
import json

import polars as pl
import pyarrow as pa

rows = [{"ms": 5}] * 100 + [{"ms": 5, "error": "timeout"}] * 10
lines = "\n".join(json.dumps(row) for row in rows).encode()
print("read_ndjson:", pl.read_ndjson(io.BytesIO(lines)).columns)
print("scan_ndjson:", pl.scan_ndjson(io.BytesIO(lines)).collect().columns)
print("DataFrame:", pl.DataFrame(rows).columns)
print("from_dicts:", pl.from_dicts(rows).columns)
print("from_dicts, infer_schema_length=None:", pl.from_dicts(rows, infer_schema_length=None).columns)
print("pyarrow Table.from_pylist:", pa.Table.from_pylist(rows).column_names)

latencies = [{"ms": 5}] * 100 + [{"ms": 1.6}]
print("DataFrame: fastest", pl.DataFrame(latencies)["ms"].min())
print("from_dicts: fastest", pl.from_dicts(latencies)["ms"].min())
print("from_dicts, infer_schema_length=None: fastest", pl.from_dicts(latencies, infer_schema_length=None)["ms"].min())
try:
    pl.read_ndjson(io.BytesIO("\n".join(json.dumps(row) for row in latencies).encode()))
except pl.exceptions.ComputeError:
    print("read_ndjson: raises")
PY
cat > "$tmp/expected" <<'TXT'
read_ndjson: ['ms']
scan_ndjson: ['ms']
DataFrame: ['ms']
from_dicts: ['ms']
from_dicts, infer_schema_length=None: ['ms', 'error']
pyarrow Table.from_pylist: ['ms']
DataFrame: fastest 1
from_dicts: fastest 1
from_dicts, infer_schema_length=None: fastest 1.6
read_ndjson: raises
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
