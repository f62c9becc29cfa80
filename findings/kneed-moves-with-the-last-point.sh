#!/usr/bin/env bash
# kneed 0.9.0 finds the knee of one curve at 56 %, 69 %, 78 % or 90 % load, by how far it was measured.
#
# Guess: the knee of a curve of latency against load is a property of the system; measuring a little further adds points and leaves it
#        where it is.
# Seen: both axes are first stretched to the range that was measured. Of 1 / (1 - load), the mean response time of an M/M/1 queue, the knee is at
#       0.56 when the last point is at 0.8, at 0.69 for 0.9, 0.78 for 0.95 and 0.90 for 0.99. With its default shape (`concave`) it is the
#       first point. Two benchmarks of one service agree on its capacity only if both stop at the same load.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check kneed==0.9.0 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy
from kneed import KneeLocator

for last in (0.8, 0.9, 0.95, 0.99):
    load = numpy.linspace(0.05, last, 200)
    latency = 1 / (1 - load)
    convex = KneeLocator(load, latency, curve="convex", direction="increasing").knee
    print(f"measured up to {last}: knee at {convex:.2f}, by default at {KneeLocator(load, latency).knee:.2f}")
PY
cat > "$tmp/expected" <<'TXT'
measured up to 0.8: knee at 0.56, by default at 0.05
measured up to 0.9: knee at 0.69, by default at 0.05
measured up to 0.95: knee at 0.78, by default at 0.05
measured up to 0.99: knee at 0.90, by default at 0.05
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
