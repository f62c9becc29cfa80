#!/usr/bin/env bash
# duckdb 2.0.1: `(ms / 1000)::int` of 1,500 ms is 2, of 2,500 ms 2, of 3,500 ms 4: seconds have 1,001 or 999 milliseconds and begin at their half.
#
# Guess: a cast to integer cuts off what is behind the point, as in Python, pandas, polars and C, so it says in which second an arrival falls.
# Seen: it rounds, halves to the even side if the number is a double, and up if it is a decimal, which a literal with a point is. A rate by second is shifted by half
#       a second against the same query elsewhere, and the same value falls in two seconds by how it was written. `//` and `floor` cut.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1 polars==2.1.0 pandas==3.1.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import duckdb
import pandas as pd
import polars as pl

half = [500, 1500, 2500, 3500]
print("duckdb, int / int:", [row[0] for row in duckdb.sql("select (unnest([500, 1500, 2500, 3500]) / 1000)::int").fetchall()])
print("duckdb, literals:", duckdb.sql("select [0.5::int, 1.5::int, 2.5::int, 3.5::int]").fetchall()[0][0])
print("duckdb, //:", [row[0] for row in duckdb.sql("select unnest([500, 1500, 2500, 3500]) // 1000").fetchall()])
print("polars", (pl.Series(half) / 1000).cast(pl.Int64).to_list(), "pandas", (pd.Series(half) / 1000).astype(int).tolist())
counted = duckdb.sql("select second, count(*) from (select (range / 1000)::int as second from range(4000)) group by 1 order by 1").fetchall()
print("arrivals a second at 1,000 a second:", counted)
PY
cat > "$tmp/expected" <<'TXT'
duckdb, int / int: [0, 2, 2, 4]
duckdb, literals: [1, 2, 3, 4]
duckdb, //: [0, 1, 2, 3]
polars [0, 1, 2, 3] pandas [0, 1, 2, 3]
arrivals a second at 1,000 a second: [(0, 501), (1, 999), (2, 1001), (3, 999), (4, 500)]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
