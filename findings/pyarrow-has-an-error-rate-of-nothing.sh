#!/usr/bin/env bash
# pyarrow 25.0.1's `divide` of 999 failures by 1,000 requests is 0, and so is 100 times that.
#
# Guess: `divide` is `/`, which gives 0.999 in polars, duckdb and pandas.
# Seen: integers are divided as in C, towards zero, also for negative ones: -1,500 ms are -1 s, where polars and Python have -2 for `//`. A threshold
#       on an error rate from two counts is kept as long as one request succeeds; rates of requests a second lose their fraction. A cast to float comes first.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check polars==2.1.0 pyarrow==25.0.1 duckdb==2.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

failed, sent = pa.array([999]), pa.array([1000])
print("pyarrow: share", pc.divide(failed, sent).to_pylist(), "in per cent", pc.multiply(pc.divide(failed, sent), 100).to_pylist())
print("pyarrow, cast:", pc.divide(failed.cast(pa.float64()), sent).to_pylist())
print("polars:", (pl.Series([999]) / pl.Series([1000])).to_list(), "duckdb:", duckdb.sql("select 999 / 1000").fetchall()[0][0])
print("-1,500 ms in s: pyarrow", pc.divide(pa.array([-1500]), pa.array([1000])).to_pylist(), "polars //", (pl.Series([-1500]) // 1000).to_list())
PY
cat > "$tmp/expected" <<'TXT'
pyarrow: share [0] in per cent [0]
pyarrow, cast: [0.999]
polars: [0.999] duckdb: 0.999
-1,500 ms in s: pyarrow [-1] polars // [-2]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
