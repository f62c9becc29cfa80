#!/usr/bin/env bash
# tdigest 0.5.2.2 and pytdigest 0.1.4 spread one stall over the percentiles below it: 99 answers of 1 ms and one of 1,000 ms
# have a p50 of 11 ms and a p90 of 810 ms.
#
# Guess: a t-digest is accurate to a fraction of a percent, and exact for a hundred values, which it need not compress.
# Seen: equal values become one centroid of weight 99, and a percentile is read off the straight line from that centroid's
#       middle to the next one. Half of the distribution therefore lies between 1 and 1,000. fastdigest 0.12.0, of the
#       same 100 values, has 1 ms for both and begins to rise at p99.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check tdigest==0.5.2.2 pytdigest==0.1.4 fastdigest==0.12.0 \
  numpy==2.3.5 pandas==2.3.3 accumulation-tree==0.6.4 pyudorandom==1.0.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import fastdigest
import numpy as np
import pytdigest
import tdigest

values = [1.0] * 99 + [1000.0]
shares = (0.5, 0.9, 0.98)
one = tdigest.TDigest()
one.batch_update(values)
other = pytdigest.TDigest.compute(np.array(values))
third = fastdigest.TDigest.from_values(values)
print("tdigest:", [round(float(one.percentile(100 * share)), 2) for share in shares])
print("pytdigest:", [round(float(other.inverse_cdf(share)), 2) for share in shares])
print("fastdigest:", [round(float(third.quantile(share)), 2) for share in shares])
PY
cat > "$tmp/expected" <<'TXT'
tdigest: [10.99, 810.19, 970.03]
pytdigest: [10.99, 810.19, 970.03]
fastdigest: [1.0, 1.0, 1.0]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
