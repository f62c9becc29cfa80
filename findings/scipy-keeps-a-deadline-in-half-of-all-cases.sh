#!/usr/bin/env bash
# scipy 1.17.1's `percentileofscore(latencies, 1.0)` of a thousand latencies of exactly one second is 50.05, not 100.
#
# Guess: it is the share of requests that took no longer than the deadline, what CloudWatch calls PR(:1).
# Seen: values that equal the deadline count half, because the default is the mean of the ranks of the ties. Latencies that are rounded, polled for or capped by
#       a time-out are tied just there: of 900 answers found at the first look, after one second, and 100 at the second, 45 % seem to keep one second. `kind="weak"` is
#       the share wanted.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check scipy==1.17.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from scipy.stats import percentileofscore

same, polled = [1.0] * 1000, [1.0] * 900 + [2.0] * 100
print("all at the deadline:", round(percentileofscore(same, 1.0), 2), "weak", percentileofscore(same, 1.0, kind="weak"))
print("nine of ten at the deadline:", round(percentileofscore(polled, 1.0), 2), "weak", percentileofscore(polled, 1.0, kind="weak"))
print("without ties:", percentileofscore([0.25, 0.5, 0.75, 1.0], 1.0))
PY
cat > "$tmp/expected" <<'TXT'
all at the deadline: 50.05 weak 100.0
nine of ten at the deadline: 45.05 weak 90.0
without ties: 100.0
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
