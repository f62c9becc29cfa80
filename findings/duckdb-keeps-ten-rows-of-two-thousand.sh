#!/usr/bin/env bash
# duckdb 2.0.1 leaves out two thousand rows of a CSV file, and its header, for ten at the end that have one field more.
#
# Guess: a row with a field too many raises, as in pandas 3.1.1, polars 2.1.0 and pyarrow 26.0.1, or the rows that have it are the ones that suffer.
# Seen: the sniffer takes the widest rows for the table and all above them for a preamble to be skipped: of 2,000 answers of 5 ms and ten time-outs of 9 s
#       with a word why, ten rows are left, named column0 to column2, and their mean is 9 s. A log to which a newer version appends a column is one of
#       that version alone. Nothing is said. Where more rows stand before the first wide one than the sniffer reads, it raises. `columns=` given
#       by hand raises, too.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - "$tmp/answers.csv" > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import sys
from collections.abc import Callable

import duckdb
import pandas as pd
import polars as pl
import pyarrow.csv

path = sys.argv[1]
good, late = 2000, 10


def write(good: int) -> None:
    with open(path, "w") as file:
        print("at,ms", file=file)
        for second in range(good):
            print(f"{second},5", file=file)
        for second in range(good, good + late):
            print(f"{second},9000,timeout", file=file)


def tell(reader: str, read: Callable[[], object]) -> None:
    try:
        print(f"{reader}: {read()}")
    except Exception as error:
        print(f"{reader}: raises {type(error).__name__}")


write(good)
tell("duckdb", lambda: (duckdb.read_csv(path).columns, duckdb.sql(f"select count(*), avg(column1) from '{path}'").fetchall()))
tell("duckdb, columns given", lambda: duckdb.sql(f"select count(*) from read_csv('{path}', columns={{'at': 'int', 'ms': 'int'}})").fetchall())
tell("pandas", lambda: len(pd.read_csv(path)))
tell("polars", lambda: len(pl.read_csv(path)))
tell("pyarrow", lambda: len(pyarrow.csv.read_csv(path)))
write(30_000)
tell("duckdb, 30,000 rows before", lambda: duckdb.sql(f"select count(*) from '{path}'").fetchall())
PY
cat > "$tmp/expected" <<'TXT'
duckdb: (['column0', 'column1', 'column2'], [(10, 9000.0)])
duckdb, columns given: raises InvalidInputException
pandas: raises ParserError
polars: raises ComputeError
pyarrow: raises ArrowInvalid
duckdb, 30,000 rows before: raises InvalidInputException
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
