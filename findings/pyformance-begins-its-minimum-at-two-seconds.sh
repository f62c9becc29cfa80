#!/usr/bin/env bash
# pyformance 0.4 has 2.147 s for the minimum of 3 s and 4 s in nanoseconds.
#
# Guess: a histogram of Python's integers has the smallest value that was added as its minimum, whatever the unit.
# Seen: the minimum begins at 2,147,483,647, the largest integer of 32 bits, and no latency above it moves it. The mean and
#       the maximum are right, and so is the minimum in milliseconds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pyformance==0.4 six==1.17.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from pyformance import MetricsRegistry

registry = MetricsRegistry()
for unit, second in (("ms", 1_000), ("ns", 1_000_000_000)):
    histogram = registry.histogram(f"latency_{unit}")
    for latency_s in (3, 4):
        histogram.add(latency_s * second)
    seen = histogram.get_min(), histogram.get_mean(), histogram.get_max()
    print(f"{unit}: minimum, mean and maximum in seconds:", ", ".join(f"{value / second:.3f}" for value in seen))
PY
cat > "$tmp/expected" <<'TXT'
ms: minimum, mean and maximum in seconds: 3.000, 3.500, 4.000
ns: minimum, mean and maximum in seconds: 2.147, 3.500, 4.000
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
