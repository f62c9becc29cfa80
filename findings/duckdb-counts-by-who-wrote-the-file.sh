#!/usr/bin/env bash
# duckdb 2.0.1 counts other rows in the same column, depending on which library wrote the parquet file.
#
# Guess: where a row is NaN (a latency that is not known), `count(*) where x > 100` has the same answer for the same rows, whatever
#        wrote them; statistics make a query fast and nothing else.
# Seen: to duckdb NaN is larger than every number, so one row of 0, 1, 2, NaN is above 100, and in a file of its own it says so. In a
#       file of pyarrow 26.0.1 or polars 2.1.0 it counts none: their statistics leave NaN out (0 to 2), and duckdb skips the row
#       group. polars, to which NaN is larger too, reads one row from all three; pyarrow's dataset and its table differ
#       over "not at most 100".
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1
cd "$tmp"
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

values = [0.0, 1.0, 2.0, float("nan")]
table = pa.table({"x": values})
pq.write_table(table, "pyarrow.parquet")
pl.DataFrame({"x": values}).write_parquet("polars.parquet")
connection = duckdb.connect()
connection.register("rows", table)
connection.execute("copy (select x from rows) to 'duckdb.parquet'")
print("duckdb, rows in memory:", connection.execute("select count(*) from rows where x > 100").fetchall()[0][0])
for writer in ("duckdb", "pyarrow", "polars"):
    file = f"{writer}.parquet"
    counted = connection.execute(f"select count(*) from '{file}' where x > 100").fetchall()[0][0]
    scanned = pl.scan_parquet(file).filter(pl.col("x") > 100).collect().height
    not_at_most = ~(pc.field("x") <= 100)
    print(
        f"{writer} wrote: duckdb {counted}, polars {scanned}, pyarrow's dataset {ds.dataset(file).count_rows(filter=not_at_most)}"
        f" and table {pq.read_table(file).filter(not_at_most).num_rows}"
    )
PY
cat > expected <<'TXT'
duckdb, rows in memory: 1
duckdb wrote: duckdb 1, polars 1, pyarrow's dataset 1 and table 1
pyarrow wrote: duckdb 0, polars 1, pyarrow's dataset 0 and table 1
polars wrote: duckdb 0, polars 1, pyarrow's dataset 0 and table 1
TXT
cat seen
diff expected seen
