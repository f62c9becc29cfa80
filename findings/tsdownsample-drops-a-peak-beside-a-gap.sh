#!/usr/bin/env bash
# tsdownsample 0.1.5.1 drops the highest peak of a series where NaN is beside it, also in the classes that are made for NaN.
#
# Guess: thinning for a plot keeps each peak; where values are missing, the classes whose name begins with NaN are the safe ones.
# Seen: of ten thousand latencies of 1 ms with one of 100 ms after a gap, MinMax, M4 and MinMaxLTTB keep the peak; LTTB drops it. NaNMinMax, NaNM4 and
#       NaNMinMaxLTTB keep the gap and drop the peak: a bin with a NaN in it has the NaN for its smallest and its largest value. A request that
#       timed out is so a reason not to see the slow one beside it. Without the gap all seven keep the peak.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check tsdownsample==0.1.5.1 numpy==2.4.6
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
import tsdownsample

whole = np.ones(10_000)
whole[5005] = 100.0
gap = whole.copy()
gap[5004] = np.nan
for name in ("MinMax", "M4", "LTTB", "MinMaxLTTB", "NaNMinMax", "NaNM4", "NaNMinMaxLTTB"):
    thin = getattr(tsdownsample, f"{name}Downsampler")()
    peaks = [np.nanmax(series[thin.downsample(series, n_out=1000)]) for series in (whole, gap)]
    print(f"{name}: the peak is {peaks[0]:.0f}, with a gap beside it {peaks[1]:.0f}")
PY
cat > "$tmp/expected" <<'TXT'
MinMax: the peak is 100, with a gap beside it 100
M4: the peak is 100, with a gap beside it 100
LTTB: the peak is 100, with a gap beside it 1
MinMaxLTTB: the peak is 100, with a gap beside it 100
NaNMinMax: the peak is 100, with a gap beside it 1
NaNM4: the peak is 100, with a gap beside it 1
NaNMinMaxLTTB: the peak is 100, with a gap beside it 1
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
