#!/usr/bin/env bash
# duckdb 2.0.1 counts two requests in each minute of a load of one a minute; pandas 3.1.1 and polars 2.1.0 count one.
#
# Guess: a sliding window of a minute holds a minute, whichever library slides it: of one request a minute one.
# Seen: `range between interval 1 minute preceding and current row` has both ends, as SQL has it; pandas' and polars' windows leave out the older one.
#       One a minute is two, one each half minute three, one a second 61. A trace whose instants are whole seconds or minutes, as most
#       published ones are, has a peak that is up to twice too high, and what is planned from it is as well.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import polars as pl

for every_s in (60, 30, 1):
    times = [datetime(2026, 11, 3, 10) + timedelta(seconds=second) for second in range(0, 600, every_s)]
    requests = pl.DataFrame({"sent": times}).with_columns(one=pl.lit(1))
    window = "over (order by sent range between interval 1 minute preceding and current row)"
    in_duckdb = max(row[0] for row in duckdb.sql(f"select count(*) {window} from requests").fetchall())
    in_pandas = int(pd.Series(1, index=pd.DatetimeIndex(times)).rolling("1min").sum().max())
    in_polars = requests.select(pl.col("one").rolling_sum_by("sent", "1m")).to_series().max()
    print(f"one each {every_s} s: busiest minute has {in_duckdb} in duckdb, {in_pandas} in pandas, {in_polars} in polars")
PY
cat > "$tmp/expected" <<'TXT'
one each 60 s: busiest minute has 2 in duckdb, 1 in pandas, 1 in polars
one each 30 s: busiest minute has 3 in duckdb, 2 in pandas, 2 in polars
one each 1 s: busiest minute has 61 in duckdb, 60 in pandas, 60 in polars
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
