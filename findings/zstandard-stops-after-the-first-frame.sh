#!/usr/bin/env bash
# zstandard 0.25.0 (Python) unpacks the first of several frames and gives it as the whole, by three of its six ways.
#
# Guess: a file to which a second packed part was added (`zstd -c part >> log.zst`, or a writer that begins a frame an hour) is unpacked
#        whole, as gzip's are, or refused.
# Seen: `decompress`, `decompressobj` and `read_to_iter` give the first part and say nothing of the rest; `stream_reader`, `open` and
#       `copy_stream` of the same library give both. polars 2.1.0, duckdb 2.0.1 and pyarrow 26.0.1 read both. A trace of a day is,
#       to a program that calls `decompress`, one of its first hour.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check zstandard==0.25.0 duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1
cd "$tmp"
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
import io
from pathlib import Path

import duckdb
import polars as pl
import zstandard
from pyarrow import csv

packer, unpacker = zstandard.ZstdCompressor(), zstandard.ZstdDecompressor()
two = packer.compress(b"latency_ms\n1\n2\n") + packer.compress(b"3\n4\n")
Path("two.csv.zst").write_bytes(two)


def copied():
    target = io.BytesIO()
    unpacker.copy_stream(io.BytesIO(two), target)
    return target.getvalue()


ways = {
    "decompress": lambda: unpacker.decompress(two),
    "decompressobj": lambda: unpacker.decompressobj().decompress(two),
    "read_to_iter": lambda: b"".join(unpacker.read_to_iter(two)),
    "stream_reader": lambda: unpacker.stream_reader(io.BytesIO(two)).read(),
    "open": lambda: zstandard.open("two.csv.zst").read(),
    "copy_stream": copied,
}
for name, unpack in ways.items():
    print(f"{name}: {len(unpack().split()) - 1} rows")
print("polars:", pl.read_csv("two.csv.zst").height, "rows")
print("duckdb:", duckdb.sql("select count(*) from 'two.csv.zst'").fetchall()[0][0], "rows")
print("pyarrow:", csv.read_csv("two.csv.zst").num_rows, "rows")
PY
cat > expected <<'TXT'
decompress: 2 rows
decompressobj: 2 rows
read_to_iter: 2 rows
stream_reader: 4 rows
open: 4 rows
copy_stream: 4 rows
polars: 4 rows
duckdb: 4 rows
pyarrow: 4 rows
TXT
cat seen
diff expected seen
