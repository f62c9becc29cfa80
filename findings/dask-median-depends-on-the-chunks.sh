#!/usr/bin/env bash
# dask 2026.8.0 has a median that is a third too high once an array is in a hundred chunks.
#
# Guess: `da.percentile` is approximate, within a per cent or so and to either side, as a sketch is.
# Seen: each chunk computes only the percentiles that were asked for, and these few points are merged. Ten thousand lognormal latencies in
#       chance order have a median of 0.99 s in one chunk, 1.06 in ten and 1.31 in a hundred, a p99 of 10.1, 12.2 and 13.5 s: more data in
#       more files make it worse, always to the same side. What else is asked for changes a percentile, too.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check dask==2026.8.0 numpy==2.4.6
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import dask.array as da
import numpy as np

latencies_s = np.random.Generator(np.random.PCG64(1)).lognormal(0, 1, 10_000)
asked = [50, 90, 99]


def said(values):
    return ", ".join(f"{value:.2f}" for value in values)


print("numpy:", said(np.percentile(latencies_s, asked)))
for n_chunks in (1, 10, 100):
    array = da.from_array(latencies_s, chunks=10_000 // n_chunks)
    print(f"{n_chunks} chunks:", said(da.percentile(array, asked).compute()), "- p90 alone:", said(da.percentile(array, [90]).compute()))
PY
cat > "$tmp/expected" <<'TXT'
numpy: 0.99, 3.50, 10.13
1 chunks: 0.99, 3.50, 10.13 - p90 alone: 3.50
10 chunks: 1.06, 3.91, 12.24 - p90 alone: 3.91
100 chunks: 1.31, 5.17, 13.49 - p90 alone: 5.26
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
