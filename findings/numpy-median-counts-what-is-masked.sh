#!/usr/bin/env bash
# numpy 2.4.6 leaves masked values out of the mean and counts them in the median.
#
# Guess: numpy's functions on a masked array leave the masked values out, as `np.mean`, `np.min` and `np.std` do.
# Seen: `np.median`, `np.percentile` and `np.quantile` count them, without a word. Of ten requests three were refused within 1 ms and are masked,
#       seven took 100 to 160 ms: the mean is 130 ms, the median 115 instead of 130. A percentile that falls on a masked value is `--` in a
#       list, and alone it raises "output array is read-only". `np.ma.median` is right; there is no `np.ma.percentile`: `.compressed()` first.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check numpy==2.4.6
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np

latencies_ms = np.ma.array([1.0] * 3 + [100.0 + 10 * i for i in range(7)], mask=[True] * 3 + [False] * 7)
for name, figure in {
    "np.mean": lambda: np.mean(latencies_ms),
    "np.min": lambda: np.min(latencies_ms),
    "np.median": lambda: np.median(latencies_ms),
    "np.percentile 50": lambda: np.percentile(latencies_ms, 50),
    "np.quantile 0.5, inverted_cdf": lambda: np.quantile(latencies_ms, 0.5, method="inverted_cdf"),
    "np.percentile [5, 90]": lambda: np.percentile(latencies_ms, [5, 90]),
    "np.percentile 5": lambda: np.percentile(latencies_ms, 5),
    "np.ma.median": lambda: np.ma.median(latencies_ms),
    "np.percentile 50 of compressed": lambda: np.percentile(latencies_ms.compressed(), 50),
}.items():
    try:
        print(f"{name}: {figure()}")
    except ValueError as error:
        print(f"{name}: {error}")
PY
cat > "$tmp/expected" <<'TXT'
np.mean: 130.0
np.min: 100.0
np.median: 115.0
np.percentile 50: 115.0
np.quantile 0.5, inverted_cdf: 110.0
np.percentile [5, 90]: [-- 151.0]
np.percentile 5: output array is read-only
np.ma.median: 130.0
np.percentile 50 of compressed: 130.0
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
