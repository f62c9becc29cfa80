#!/usr/bin/env bash
# Taurus (bzt 1.17.2) cuts latencies to whole milliseconds for its percentiles and not for its mean: ten answers of 0.9 ms have a p99 of 0.
#
# Guess: p50, p99 and the maximum of a load test are those of the latencies, to three significant digits.
# Seen: they come from a histogram of whole milliseconds, into which a value falls cut and from which the lower end of its class is read. Of 0.9 ms
#       p99 and p100 are 0, of 1.9 ms 1 ms, and the mean beside them is right, so the maximum lies below the mean. Of 3,000 s, as an asynchronous
#       inference may take, p99 and p100 are 2,998.272. A threshold `p99>1ms` is not reached by 1.9 ms, and one of fifty minutes never by fifty minutes.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check bzt==1.17.2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from bzt.modules.aggregator import KPISet

for latency_s in (0.0009, 0.0019, 0.25, 3000.0):
    kpis = KPISet([50.0, 99.0, 100.0])
    for _ in range(10):
        kpis.add_sample((1, latency_s, 0, 0, 200, None, "", 0))
    kpis.recalculate()
    percentiles = {name: round(value, 6) for name, value in kpis[KPISet.PERCENTILES].items()}
    print(f"ten of {latency_s} s: mean {kpis[KPISet.AVG_RESP_TIME]:.4f}, percentiles {percentiles}")
PY
cat > "$tmp/expected" <<'TXT'
ten of 0.0009 s: mean 0.0009, percentiles {'50.0': 0.0, '99.0': 0.0, '100.0': 0.0}
ten of 0.0019 s: mean 0.0019, percentiles {'50.0': 0.001, '99.0': 0.001, '100.0': 0.001}
ten of 0.25 s: mean 0.2500, percentiles {'50.0': 0.25, '99.0': 0.25, '100.0': 0.25}
ten of 3000.0 s: mean 3000.0000, percentiles {'50.0': 2998.272, '99.0': 2998.272, '100.0': 2998.272}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
