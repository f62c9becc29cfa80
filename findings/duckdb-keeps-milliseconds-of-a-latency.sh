#!/usr/bin/env bash
# duckdb 2.0.1 writes the difference of two instants into parquet in whole milliseconds: latencies below one become zero.
#
# Guess: `ended - began` in a parquet file is what it was in the table, microseconds and all; DuckDB reads its own file back as written.
# Seen: the difference is an INTERVAL, and parquet's INTERVAL has whole milliseconds: 1.400, 1.900 and 0.400 ms come back as 1, 1 and
#       0 ms, cut off and not rounded. No warning. A negative one (clocks that differ) is refused at that place.
#       pyarrow 26.0.1 reads twelve bytes. `epoch_us(ended - began)`, a plain number, is kept.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1
cd "$tmp"
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
import duckdb
import pyarrow.parquet as pq

connection = duckdb.connect()
connection.execute("create table requests (began timestamp, ended timestamp)")
began = "2026-11-01 10:00:00"
for micros in (1_400, 1_900, 400):
    connection.execute(f"insert into requests values ('{began}', '{began}.{micros:06}')")


def micros(source):
    rows = connection.execute(f"select epoch_us(latency), micros from {source}").fetchall()
    return f"latency {[row[0] for row in rows]} us, as a number {[row[1] for row in rows]}"


latencies = "(select ended - began as latency, epoch_us(ended - began) as micros from requests)"
print("in memory:", micros(latencies))
connection.execute(f"copy {latencies} to 'latencies.parquet'")
print("from the file:", micros("'latencies.parquet'"))
print("type to pyarrow:", pq.read_schema("latencies.parquet").field("latency").type)
try:
    connection.execute("copy (select began - ended as latency from requests) to 'negative.parquet'")
    print("negative: written")
except duckdb.IOException as error:
    print("negative:", error)
PY
cat > expected <<'TXT'
in memory: latency [1400, 1900, 400] us, as a number [1400, 1900, 400]
from the file: latency [1000, 1000, 0] us, as a number [1400, 1900, 400]
type to pyarrow: fixed_size_binary[12]
negative: IO Error: Parquet files do not support negative intervals
TXT
cat seen
diff expected seen
