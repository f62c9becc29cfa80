#!/usr/bin/env bash
# statsmodels 0.15.0 has an ECDF that never reaches one where a latency is NaN: of 90 answers and ten NaN it ends at 0.9.
#
# Guess: an empirical distribution leaves NaN out, or is NaN, or refuses; at the largest value it is one.
# Seen: NaN is sorted to the end and counted as a latency larger than any other. So 90 answers of 1 ms to 90 ms are a share of 0.9 at
#       90 ms and at any later instant, and half of them are below 50 ms instead of 45. scipy 1.17.1's `ecdf` has one at 90 ms
#       when NaN is removed first.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
from scipy.stats import ecdf
from statsmodels.distributions.empirical_distribution import ECDF

answered_ms = np.arange(1.0, 91.0)
with_nan = ECDF(np.append(answered_ms, [np.nan] * 10))
without = ECDF(answered_ms)
other = ecdf(answered_ms).cdf
for at_ms in (45, 50, 90, 1_000_000):
    print(f"at {at_ms} ms: with NaN {with_nan(at_ms):.3f}, without {without(at_ms):.3f}, scipy without {other.evaluate(at_ms):.3f}")
PY
cat > "$tmp/expected" <<'TXT'
at 45 ms: with NaN 0.450, without 0.500, scipy without 0.500
at 50 ms: with NaN 0.500, without 0.556, scipy without 0.556
at 90 ms: with NaN 0.900, without 1.000, scipy without 1.000
at 1000000 ms: with NaN 0.900, without 1.000, scipy without 1.000
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
