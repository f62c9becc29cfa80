#!/usr/bin/env bash
# pandas 3.1.1 makes 250000000, 250000 or 250 of a latency of 250 ms, by the file that it came from.
#
# Guess: an instant or a duration as an integer (`astype("int64")`) is in nanoseconds, as it always was, so `/ 1e6` gives milliseconds.
# Seen: it is in the unit of the column, and that comes from the source: microseconds from text, whether of whole seconds or of milliseconds, but
#       nanoseconds as soon as one row of it has nine digits, nanoseconds from floats of seconds, milliseconds from an Arrow or parquet column of
#       milliseconds. The same line says 250, 0.25 or 0.00025 ms. `/ pd.Timedelta(milliseconds=1)` is right for all.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import pandas as pd
import pyarrow as pa


def tell(source: str, times: pd.Series) -> None:
    took = times.diff().iloc[1:]
    print(f"{source}: {int(took.astype('int64').iloc[0])}, or {(took / pd.Timedelta(milliseconds=1)).iloc[0]:g} ms")


tell("text", pd.to_datetime(pd.Series(["2026-11-03T10:00:00.000", "2026-11-03T10:00:00.250"])))
tell("text, one row with nine digits", pd.to_datetime(pd.Series(["2026-11-03T10:00:00.000000000", "2026-11-03T10:00:00.250"]), format="ISO8601"))
tell("integers of milliseconds", pd.to_datetime(pd.Series([1793700000000, 1793700000250]), unit="ms"))
tell("floats of seconds", pd.to_datetime(pd.Series([1793700000.0, 1793700000.25]), unit="s"))
for unit in ("ms", "us", "ns"):
    factor = {"ms": 1, "us": 1000, "ns": 1_000_000}[unit]
    column = pa.array([1793700000000 * factor, 1793700000250 * factor], pa.timestamp(unit))
    tell(f"Arrow, {unit}", pa.table({"at": column}).to_pandas()["at"])
PY
cat > "$tmp/expected" <<'TXT'
text: 250000, or 250 ms
text, one row with nine digits: 250000000, or 250 ms
integers of milliseconds: 250000, or 250 ms
floats of seconds: 250000000, or 250 ms
Arrow, ms: 250, or 250 ms
Arrow, us: 250000, or 250 ms
Arrow, ns: 250000000, or 250 ms
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
