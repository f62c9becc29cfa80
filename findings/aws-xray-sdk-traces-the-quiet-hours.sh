#!/usr/bin/env bash
# aws-xray-sdk 2.15.0 samples "one a second and 5 %": the percentiles of its traces are those of the quiet hours.
#
# Guess: a sample is smaller and otherwise like the whole: the median of the traced latencies is about the median of all.
# Seen: while one request a second comes each is traced, under load one in some twenty. Of 1,000 requests of 10 ms in 1,000 quiet seconds and
#       12,000 of 2 s in one busy minute 92 % are slow; of the traces two in five. The median is 2 s, that of the traces 10 ms, and nothing
#       in a trace says how many it stands for. The other way round, a slow quiet night makes a fast day look slow.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check aws-xray-sdk==2.15.0 boto3==1.44.8
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from random import Random
from statistics import median
from unittest.mock import patch

from aws_xray_sdk.core.sampling.local.sampler import LocalSampler

requests = [(float(second), 0.01) for second in range(1000)]
requests += [(1000 + number / 200, 2.0) for number in range(12_000)]

sampler = LocalSampler()
sampler._random = Random(7)  # so that two runs are the same
traced = []
for at_s, latency_s in requests:
    with patch("time.time", return_value=at_s):
        if sampler.should_trace():
            traced.append(latency_s)
everything = [latency_s for _, latency_s in requests]
for name, latencies in (("requests", everything), ("traces", traced)):
    slow = sum(latency_s > 1 for latency_s in latencies) / len(latencies)
    print(f"{name}: median {median(latencies)} s, mean {sum(latencies) / len(latencies):.1f} s, slow {slow:.0%}")
PY
cat > "$tmp/expected" <<'TXT'
requests: median 2.0 s, mean 1.8 s, slow 92%
traces: median 0.01 s, mean 0.8 s, slow 40%
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
