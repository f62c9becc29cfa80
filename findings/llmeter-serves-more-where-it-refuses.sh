#!/usr/bin/env bash
# llmeter 0.2.0: an endpoint that refuses nine of ten requests at once has ten times the `requests_per_minute` of one that serves them all.
#
# Guess: `requests_per_minute`, beside the tokens per minute, is what was served.
# Seen: it is all requests by the length of the run, those that failed among them, and nothing in its name or its table says so. A run of a fixed number of requests ends
#       sooner where most are refused, so throttling looks like throughput: 600 a minute instead of 60, of which 60 were answered. Percentiles stay as good as ever.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check llmeter==0.2.0 boto3==1.44.8 botocore==1.44.8 s3fs==0.4.2 fsspec==2026.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from llmeter.endpoints.base import InvocationResponse
from llmeter.results import Result


def run(n_failed: int, seconds: float) -> dict:
    served = [InvocationResponse(id=str(n), response_text="x", time_to_last_token=1.0, num_tokens_input=10, num_tokens_output=10) for n in range(100 - n_failed)]
    failed = [InvocationResponse.error_output(id=f"f{n}", error="ThrottlingException") for n in range(n_failed)]
    return Result(responses=served + failed, total_requests=100, clients=1, n_requests=100, total_test_time=seconds).stats


for name, stats in (("all served in 100 s", run(0, 100.0)), ("ten served, 90 refused in 10 s", run(90, 10.0))):
    print(f"{name}:", "a minute", stats["requests_per_minute"], "failed", stats["failed_requests_rate"], "p99", stats["time_to_last_token-p99"])
PY
cat > "$tmp/expected" <<'TXT'
all served in 100 s: a minute 60.0 failed 0.0 p99 1.0
ten served, 90 refused in 10 s: a minute 600.0 failed 0.9 p99 1.0
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
