#!/usr/bin/env bash
# mlcommons-loadgen 6.0.17: where 95 of 100 queries take 2 ms and five take 150, the p90 that it submits is 150 ms.
#
# Guess: the 90th percentile of a hundred latencies is one of the 90th or 91st, so at most 2 ms and a little.
# Seen: the figure of a single stream is the "early stopping estimate", an upper bound: of a hundred queries the third largest. The percentile itself stands above it and is 2 ms.
#       The name says nothing of a bound, so a short run of the same service is slower than a long one.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check mlcommons-loadgen==6.0.17
cat > measure.py <<'PY'
import re
import tempfile
import time
from pathlib import Path

import mlperf_loadgen as loadgen

number = iter(range(1000))


def answer(queries: list[loadgen.QuerySample]) -> None:
    for query in queries:
        time.sleep(0.150 if next(number) % 20 == 7 else 0.002)
        loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query.id, 0, 0)])


settings = loadgen.TestSettings()
settings.scenario, settings.mode = loadgen.TestScenario.SingleStream, loadgen.TestMode.PerformanceOnly
settings.min_query_count, settings.max_query_count, settings.min_duration_ms = 100, 100, 0
logs = loadgen.LogSettings()
output = loadgen.LogOutputSettings()
output.outdir = tempfile.mkdtemp(dir=".")
logs.log_output = output
system = loadgen.ConstructSUT(answer, lambda: None)
library = loadgen.ConstructQSL(100, 100, lambda _: None, lambda _: None)
loadgen.StartTestWithLogSettings(system, library, settings, logs)
loadgen.DestroyQSL(library)
loadgen.DestroySUT(system)
summary = Path(output.outdir, "mlperf_log_summary.txt").read_text()
for name, pattern in {
    "90th percentile": r"90\.0th percentile latency \(ns\) : (\d+)",
    "early stopping 90th percentile estimate": r"Early stopping 90\.0th percentile estimate: (\d+)",
}.items():
    latency = int(re.search(pattern, summary)[1]) / 1e6
    print(f"{name}: {'at least 150 ms' if latency >= 150 else 'below 150 ms'}")
print(re.search(r"Would discard .*", summary)[0], "of", re.search(r"Processed at least 64 queries \((\d+)\)", summary)[1])
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
90th percentile: below 150 ms
early stopping 90th percentile estimate: at least 150 ms
Would discard 2 highest latency queries. of 100
TXT
cat seen
diff expected seen
