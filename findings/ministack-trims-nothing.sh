#!/usr/bin/env bash
# ministack 1.5.33 (an emulator of AWS) answers each statistic of CloudWatch that it does not know with the mean.
#
# Guess: a trimmed mean, `TM(10%:90%)`, is computed or refused.
# Seen: it is the plain mean, with the status Complete: of 99 answers of 1 ms and one of 1 s the trimmed mean and the interquartile mean are 10.99, where AWS has 1. `PR(:100)`, the share of answers up to 100 ms, is 10.99, too, and so is
#       a word that is no statistic at all. p99 is computed.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${emulator:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check ministack==1.5.33 botocore==1.43.106
port=$(python3.11 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
GATEWAY_PORT=$port HOME=$tmp venv/bin/ministack > emulator.log 2>&1 & emulator=$!
cat > measure.py <<'PY'
import sys
import time
from datetime import datetime, timedelta, timezone
from urllib.request import urlopen

from botocore.session import Session

where = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(300):
    try:
        urlopen(where).read()
    except OSError as error:
        if hasattr(error, "code"):
            break  # it answers
        time.sleep(0.1)
    else:
        break
session = Session()
session.set_credentials("AKIDEXAMPLE", "example")


def client(service):
    return session.create_client(service, region_name="us-east-1", endpoint_url=where)

metrics = client("cloudwatch")
minute = (datetime.now(timezone.utc) - timedelta(minutes=30)).replace(second=0, microsecond=0)
metrics.put_metric_data(Namespace="n", MetricData=[{"MetricName": "latency", "Timestamp": minute, "Values": [1, 1000], "Counts": [99, 1]}])
for statistic in ("Average", "p50", "TM(10%:90%)", "IQM", "PR(:100)", "Mode"):
    query = {"Id": "q", "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "latency"}, "Period": 60, "Stat": statistic}}
    [result] = metrics.get_metric_data(MetricDataQueries=[query], StartTime=minute, EndTime=minute + timedelta(minutes=1))["MetricDataResults"]
    print(statistic, result["Values"], result["StatusCode"])
PY
venv/bin/python -W ignore measure.py "$port" > seen || { tail -5 emulator.log; exit 1; }
cat > expected <<'TXT'
Average [10.99] Complete
p50 [1.0] Complete
TM(10%:90%) [10.99] Complete
IQM [10.99] Complete
PR(:100) [10.99] Complete
Mode [10.99] Complete
TXT
cat seen
diff expected seen
