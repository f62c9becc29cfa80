#!/usr/bin/env bash
# aws-log-parser 3.0.2 gives a request that no target answered the processing time -1.0, where its status is None.
#
# Guess: a load balancer writes `-1` for a time that there was not and `-` for a status that there was not; a parser into dataclasses makes
#        None of both.
# Seen: the status is None, the three times are floats of -1.0. Of ten requests of 200 ms one that the target never answered takes the mean
#       from 0.2 to 0.08 s: each time-out improves it, the minimum is negative, and low percentiles are those of the failures.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check aws-log-parser==3.0.2 boto3==1.44.8
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from statistics import mean

from aws_log_parser import AwsLogParser, LogType

ANSWERED = ("192.0.2.20:8080", "0.001 0.200 0.000", "200 200")
TIMED_OUT = ("192.0.2.20:8080", "-1 -1 -1", "504 -")


def line(target: str, times: str, statuses: str) -> str:
    return (
        f"http 2026-11-01T10:00:00.000000Z app/balancer/50dc6c495c0c9188 192.0.2.1:2817 {target} {times} {statuses}"
        ' 34 366 "POST http://example.com:80/invocations HTTP/1.1" "client" - -'
        " arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/73e2d6bc24d8a067"
        ' "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-11-01T10:00:00.000000Z "forward" "-" "-" "-" "-" "-" "-"'
    )


parser = AwsLogParser(log_type=LogType.LoadBalancer)
entries = list(parser.parse([line(*ANSWERED)] * 9 + [line(*TIMED_OUT)]))
last = entries[-1]
print(f"status {last.elb_status_code}, target's status {last.target_status_code}")
print("times", last.request_processing_time, last.target_processing_time, last.response_processing_time)
times = [entry.target_processing_time for entry in entries]
print(f"mean of ten {mean(times):.2f} s, of those answered {mean(times[:9]):.2f} s, minimum {min(times)} s")
PY
cat > "$tmp/expected" <<'TXT'
status 504, target's status None
times -1.0 -1.0 -1.0
mean of ten 0.08 s, of those answered 0.20 s, minimum -1.0 s
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
