#!/usr/bin/env bash
# pandas 3.1.1 writes durations and instants to JSON in whole milliseconds: a latency of 0.9 ms is 0.
#
# Guess: `to_json` writes a duration as ISO text or as a number that keeps its digits; floats keep ten.
# Seen: durations become whole milliseconds, cut and not rounded: 0.9 ms is 0, 1.9 ms is 1, and nothing in the file says which unit it is.
#       Instants are cut as well, so two requests 0.9 ms apart may come at the same one, and what took 0.9 ms ends when it began. In the same table
#       a float of 0.0009 s is whole. `date_unit="us"` keeps the digits. polars 2.1.0 writes PT0.0009S.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pandas==3.1.1 numpy==2.3.5 polars==2.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import pandas as pd
import polars as pl

began = pd.to_datetime(["2026-11-03 10:00:00.000100", "2026-11-03 10:00:00.001000"])
took = pd.to_timedelta([900, 1900], unit="us")
frame = pd.DataFrame({"began": began, "ended": began + took, "took": took, "took_s": took.total_seconds()})
print(frame.to_json(orient="records", lines=True), end="")
print(frame.to_json(orient="records", lines=True, date_unit="us"), end="")
print(pl.DataFrame({"took": [value.to_pytimedelta() for value in took]}).write_ndjson(), end="")
PY
cat > "$tmp/expected" <<'TXT'
{"began":1793700000000,"ended":1793700000001,"took":0,"took_s":0.0009}
{"began":1793700000001,"ended":1793700000002,"took":1,"took_s":0.0019}
{"began":1793700000000100,"ended":1793700000001000,"took":900,"took_s":0.0009}
{"began":1793700000001000,"ended":1793700000002900,"took":1900,"took_s":0.0019}
{"took":"PT0.0009S"}
{"took":"PT0.0019S"}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
