#!/usr/bin/env bash
# scipy 1.17.1's `mstats.winsorize` takes NaN for the largest latency and writes a number in its place.
#
# Guess: a request without a latency stays without one, or the result is NaN, and the largest latency is drawn in.
# Seen: of five values with one NaN the upper fifth is the NaN: it becomes 1000, the stall, which now counts twice and was to be drawn in. `nan_policy="omit"` leaves
#       the NaN alone, and yet it takes the place of the largest: the stall is not drawn in, also where a quarter of the four others is one.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check scipy==1.17.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
from scipy.stats import mstats

latencies_ms = np.array([10.0, 11.0, 12.0, 1000.0, np.nan])
drawn = mstats.winsorize(latencies_ms, limits=[0, 0.2])
print("default:", drawn.tolist(), "mean", drawn.mean())
kept = mstats.winsorize(latencies_ms, limits=[0, 0.2], nan_policy="omit")
print("omit, a fifth of four:", kept.tolist())
print("omit, a quarter of four:", mstats.winsorize(latencies_ms, limits=[0, 0.25], nan_policy="omit").tolist())
print("without the NaN:", mstats.winsorize(np.array([10.0, 11.0, 12.0, 13.0, 1000.0]), limits=[0, 0.2]).tolist())
PY
cat > "$tmp/expected" <<'TXT'
default: [10.0, 11.0, 12.0, 1000.0, 1000.0] mean 406.6
omit, a fifth of four: [10.0, 11.0, 12.0, 1000.0, nan]
omit, a quarter of four: [10.0, 11.0, 12.0, 1000.0, nan]
without the NaN: [10.0, 11.0, 12.0, 13.0, 13.0]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
