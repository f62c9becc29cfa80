#!/usr/bin/env bash
# LLMeter 0.2.0 reports a p99 above the largest value it was given.
#
# Guess: a percentile lies between the smallest and the largest value.
# Seen: it takes percentiles from `statistics.quantiles`, whose default method is for samples of a wider population and
#       extrapolates beyond the data. Nine latencies of 1 s and one of 10 s have a p90 of 9.1 s and a p99 of 18.01 s; five
#       latencies up to 5 s have a p90 of 6.88 s. With fewer than 99 requests its p99 can exceed its maximum.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    llmeter==0.2.0 boto3==1.44.8 botocore==1.44.8 s3fs==0.4.2 fsspec==2026.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from llmeter.utils import summary_stats_from_list

print(summary_stats_from_list([1.0] * 9 + [10.0]))
print(summary_stats_from_list([0.2, 0.3, 0.25, 0.22, 5.0]))
PY
cat > "$tmp/expected" <<'TXT'
{'average': 1.9, 'p50': 1.0, 'p90': 9.1, 'p99': 18.01}
{'average': 1.194, 'p50': 0.25, 'p90': 6.88, 'p99': 9.418}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
