#!/usr/bin/env bash
# pandas 3.1.1, polars 2.1.0, duckdb 2.0.1 and pyarrow 26.0.1 begin windows of seven minutes at four different instants.
#
# Guess: windows of one width have one grid, so the busiest seven minutes hold as many requests whatever counts them.
# Seen: pandas' `resample` begins at midnight of the first row's day, its `floor`, polars and pyarrow in 1970, duckdb's `time_bucket` on a Monday of
#       2000, pyarrow's calendar-based origin at the full hour. Widths that divide a day agree by chance. A burst of seven minutes at
#       ten a minute is a peak of 40, 50, 60 or 70, and so is a rate, a backlog or a p99 by window; in pandas it changes with the day of the first row.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from collections import Counter
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

BURST = datetime(2026, 11, 3, 10, 4)
sent = [BURST + timedelta(minutes=minute) for minute in range(7) for _ in range(10)]
table = pa.table({"sent": sent})


def tell(name: str, windows: list) -> None:
    counts = Counter(windows)
    print(f"{name}: first window {min(counts):%H:%M}, peak {max(counts.values())}")


def tell_counts(name: str, counts: pd.Series) -> None:
    print(f"{name}: first window {counts.index[0]:%H:%M}, peak {counts.max()}")


tell_counts("pandas resample", pd.Series(1, index=pd.DatetimeIndex(sent)).resample("7min").sum())
before = pd.Series(0, index=pd.DatetimeIndex([BURST - timedelta(days=1)]))
later = pd.concat([before, pd.Series(1, index=pd.DatetimeIndex(sent))]).resample("7min").sum()
tell_counts("pandas resample, one row the day before", later[later > 0])
tell("pandas floor", pd.Series(sent).dt.floor("7min").tolist())
tell("polars truncate", pl.DataFrame({"sent": sent})["sent"].dt.truncate("7m").to_list())
tell("duckdb time_bucket", [row[0] for row in duckdb.sql("select time_bucket(interval 7 minutes, sent) from \"table\"").fetchall()])
tell("pyarrow floor_temporal", pc.floor_temporal(table["sent"], 7, "minute").to_pylist())
tell("pyarrow, calendar-based origin", pc.floor_temporal(table["sent"], 7, "minute", calendar_based_origin=True).to_pylist())
PY
cat > "$tmp/expected" <<'TXT'
pandas resample: first window 10:02, peak 50
pandas resample, one row the day before: first window 10:04, peak 70
pandas floor: first window 09:58, peak 60
polars truncate: first window 09:58, peak 60
duckdb time_bucket: first window 10:04, peak 70
pyarrow floor_temporal: first window 09:58, peak 60
pyarrow, calendar-based origin: first window 10:00, peak 40
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
