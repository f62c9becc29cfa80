#!/usr/bin/env bash
# prometheus-client 0.26.0 and prometheus-pushgateway 1.5.1: `pushadd_to_gateway` adds no counts.
#
# Guess: workers that push their counters with `push_to_gateway` overwrite each other, and with `pushadd_to_gateway` they are added up.
# Seen: it replaces each metric of the same name and only leaves those of other names in place. Four workers with 100 requests each leave 100, not 400, and the p99 is of whichever was last. Only a grouping key that differs keeps them apart.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${gateway:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q prometheus-pushgateway=1.5.1-2+b5 >/dev/null 2>&1
dpkg -x prometheus-pushgateway_*.deb root
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check prometheus-client==0.26.0
port=$(python3.11 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
root/usr/bin/prometheus-pushgateway --web.listen-address="127.0.0.1:$port" >gateway.log 2>&1 & gateway=$!
cat > measure.py <<'PY'
import re
import sys
import time
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Counter, pushadd_to_gateway

where = f"127.0.0.1:{sys.argv[1]}"
for _ in range(100):
    try:
        urlopen(f"http://{where}/-/ready").read()
        break
    except OSError:
        time.sleep(0.1)


def push(job, **grouping):
    registry = CollectorRegistry()
    Counter("requests", "Requests sent", registry=registry).inc(100)
    pushadd_to_gateway(where, job=job, registry=registry, grouping_key=grouping)


for worker in range(4):
    push("together")
    push("apart", worker=str(worker))
text = urlopen(f"http://{where}/metrics").read().decode()
for job in ("together", "apart"):
    values = [float(value) for value in re.findall(rf'^requests_total{{[^}}]*job="{job}"[^}}]*}} (\S+)', text, re.MULTILINE)]
    print(f"{job}: {len(values)} series, {sum(values):.0f} requests")
PY
venv/bin/python measure.py "$port" > seen
cat > expected <<'TXT'
together: 1 series, 100 requests
apart: 4 series, 400 requests
TXT
cat seen
diff expected seen
