#!/usr/bin/env bash
# arch 8.0.0 says of a hundred positive latencies that their p99 lies between -101 and 35 s.
#
# Guess: a bootstrap's interval of a percentile lies within the data, of which every resample is made.
# Seen: `conf_int` turns the resamples' percentiles around the estimate (method "basic", its default): how far they lie above it becomes how
#       far the interval goes below. With a p99 of 22.6 s and a maximum of 146 s the interval is -100.9 to 34.9; of fifty others whose
#       maximum is 11.6 s it ends at 18.3. `method="percentile"` and scipy 1.17.1's default stay within the data. A longer tail
#       only lowers the lower end: a gate on the upper one does not see it.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check arch==8.0.0 scipy==1.17.1 numpy==2.4.6
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
from arch.bootstrap import IIDBootstrap
from scipy import stats


def p99(values, axis=-1):
    return np.percentile(values, 99, axis=axis)


for seed, n in ((3, 100), (5, 50)):
    latency_s = np.random.default_rng(seed).lognormal(0, 1.5, n)
    print(f"{n} latencies, {latency_s.min():.1f} to {latency_s.max():.1f} s, p99 {p99(latency_s):.1f}")
    for how in ({}, {"method": "percentile"}):
        low, high = IIDBootstrap(latency_s, seed=1).conf_int(p99, **how).ravel()
        print(f"  arch, {how or 'as it comes'}: {low:.1f} to {high:.1f}")
    low, high = stats.bootstrap((latency_s,), p99, n_resamples=1000, rng=1).confidence_interval
    print(f"  scipy: {low:.1f} to {high:.1f}")
PY
cat > "$tmp/expected" <<'TXT'
100 latencies, 0.0 to 146.1 s, p99 22.6
  arch, as it comes: -100.9 to 34.9
  arch, {'method': 'percentile'}: 10.3 to 146.1
  scipy: 12.5 to 146.1
50 latencies, 0.0 to 11.6 s, p99 11.3
  arch, as it comes: 11.0 to 18.3
  arch, {'method': 'percentile'}: 4.3 to 11.6
  scipy: 5.8 to 11.6
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
