#!/usr/bin/env bash
# pyarrow 26.0.1's `join_asof` takes a positive tolerance for the future: the reading joined to a request was made after it.
#
# Guess: `join_asof(..., tolerance=5)` means what it means to polars, and `merge_asof` to pandas: the last reading, at most 5 s old.
# Seen: a positive tolerance looks ahead and takes the next reading, a negative one looks back. The backlog that a request met
#       is the backlog that came after it, which the request itself has raised. A request without a later reading has none, the others look well.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import polars as pl
import pyarrow as pa

requests = {"second": [100, 110]}
readings = {"second": [97, 99, 102, 104, 108], "backlog": [5, 7, 900, 950, 40]}

print("polars, tolerance 5:", pl.DataFrame(requests).join_asof(pl.DataFrame(readings), on="second", tolerance=5)["backlog"].to_list())
for tolerance in (5, -5):
    joined = pa.table(requests).join_asof(pa.table(readings), on="second", by=[], tolerance=tolerance)
    print(f"pyarrow, tolerance {tolerance}:", joined["backlog"].to_pylist())
PY
cat > "$tmp/expected" <<'TXT'
polars, tolerance 5: [7, 40]
pyarrow, tolerance 5: [900, None]
pyarrow, tolerance -5: [7, 40]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
