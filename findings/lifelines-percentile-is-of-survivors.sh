#!/usr/bin/env bash
# lifelines 0.30.3 takes the share that is left, not the share that has ended: `percentile(0.99)` of latencies is their p1.
#
# Guess: Kaplan-Meier is the way to percentiles of latencies of which some timed out, and `percentile(0.99)` is p99.
# Seen: it is the instant at which 99 % are still there. Of 1 to 100 s, `percentile(0.99)` is 1 s and `percentile(0.01)` is 99 s;
#       where the last tenth timed out, p99 is rightly infinite, and `percentile(0.99)` is 1 s all the same.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check lifelines==0.30.3 pandas==2.3.3 numpy==2.3.5 scipy==1.16.3
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from lifelines import KaplanMeierFitter

latency_s = list(range(1, 101))
whole = KaplanMeierFitter().fit(latency_s)
print("percentile(0.99):", whole.percentile(0.99), "percentile(0.01):", whole.percentile(0.01))
timed_out = KaplanMeierFitter().fit([min(one, 90) for one in latency_s], [one <= 90 for one in latency_s])
print("with ten time-outs, percentile(0.99):", timed_out.percentile(0.99), "percentile(0.01):", timed_out.percentile(0.01))
PY
cat > "$tmp/expected" <<'TXT'
percentile(0.99): 1.0 percentile(0.01): 99.0
with ten time-outs, percentile(0.99): 1.0 percentile(0.01): inf
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
