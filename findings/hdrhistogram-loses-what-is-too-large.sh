#!/usr/bin/env bash
# hdrhistogram 0.10.8 (Python) drops a value above its range and reports a maximum that nobody recorded.
#
# Guess: a value beyond the highest trackable one raises, or counts as the largest.
# Seen: `record_value` returns False and the value is counted nowhere, so a stall longer than the range lowers every
#       percentile instead of raising it; and `get_max_value` is the upper edge of a bucket: 123,457 is reported as 123,519.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check hdrhistogram==0.10.8
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from hdrh.histogram import HdrHistogram

latencies_ms = HdrHistogram(1, 60_000, 3)
for _ in range(99):
    latencies_ms.record_value(100)
print("recorded:", latencies_ms.record_value(90_000), "count:", latencies_ms.get_total_count())
print("p100:", latencies_ms.get_value_at_percentile(100), "max:", latencies_ms.get_max_value())
exact = HdrHistogram(1, 10**9, 3)
exact.record_value(123_457)
print("max of 123457:", exact.get_max_value())
PY
cat > "$tmp/expected" <<'TXT'
recorded: False count: 99
p100: 100 max: 100
max of 123457: 123519
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
