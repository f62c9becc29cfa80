#!/usr/bin/env bash
# fitter 1.8.1 lets one slow request of two thousand decide which distribution all of them have.
#
# Guess: the best of several distributions is the likeliest one, and one value in two thousand does not change it.
# Seen: "best" is the smallest squared difference from a histogram of 100 bins between the smallest and the largest value. A
#       single value far out makes the bins so wide that nearly everything is in the first two. 2,000 lognormal service times are
#       found lognormal; with one of 200 s among them they are called exponential, which misses its own data's distribution by
#       0.19 where the lognormal misses it by 0.02, and its AIC, in the same table, is worse by 1,200.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check fitter==1.8.1 scipy==1.17.1 numpy==2.3.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import logging

logging.disable(logging.CRITICAL)
import numpy as np
from fitter import Fitter

service_s = np.random.default_rng(1).lognormal(0, 0.5, 2_000)
for name, seen in (("2,000 lognormal times", service_s), ("and one of 200 s", np.append(service_s, 200.0))):
    fitted = Fitter(seen, distributions=["lognorm", "expon", "norm"], timeout=600)
    fitted.fit(progress=False)
    table = fitted.summary(plot=False)
    (best,) = fitted.get_best()
    print(f"{name}: best {best}, smallest AIC {table['aic'].idxmin()}, smallest KS {table['ks_statistic'].idxmin()}")
PY
cat > "$tmp/expected" <<'TXT'
2,000 lognormal times: best lognorm, smallest AIC lognorm, smallest KS lognorm
and one of 200 s: best expon, smallest AIC lognorm, smallest KS lognorm
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
