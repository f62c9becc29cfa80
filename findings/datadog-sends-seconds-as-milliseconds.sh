#!/usr/bin/env bash
# datadog 0.56.0's `timed` sends seconds under the type of milliseconds: 200 ms arrive as 0.2 ms.
#
# Guess: a timer of the StatsD protocol, whose type is `ms`, carries milliseconds, as `timing` of the same client and statsd's `timer` do.
# Seen: what `@statsd.timed("latency")` and `with statsd.timed(...)` send for 200 ms is `latency:0.2...|ms`. A StatsD server other than
#       Datadog's, or a dashboard beside one metric of statsd 4.0.1 (`200.1...|ms`), shows it a thousand times too fast. `use_ms=True` sends
#       200, in whole milliseconds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check datadog==0.56.0 statsd==4.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import socket
import time

import statsd
from datadog.dogstatsd import DogStatsd

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
server.settimeout(5)
port = server.getsockname()[1]
datadog = DogStatsd(host="127.0.0.1", port=port, disable_telemetry=True)


def says(name, timer):
    with timer:
        time.sleep(0.2)
    value, kind = server.recv(1000).decode().strip().split(":")[1].split("|")[:2]
    size = "0.2 to 1" if 0.2 <= float(value) < 1 else "200 to 1000" if 200 <= float(value) < 1000 else value
    print(f"{name}: {size}, type {kind}, {'a whole number' if float(value).is_integer() else 'a fraction'}")


says("datadog, timed", datadog.timed("latency"))
says("datadog, timed with use_ms", datadog.timed("latency", use_ms=True))
says("datadog, distributed", datadog.distributed("latency"))
says("statsd, timer", statsd.StatsClient("127.0.0.1", port).timer("latency"))
PY
cat > "$tmp/expected" <<'TXT'
datadog, timed: 0.2 to 1, type ms, a fraction
datadog, timed with use_ms: 200 to 1000, type ms, a whole number
datadog, distributed: 0.2 to 1, type d, a fraction
statsd, timer: 200 to 1000, type ms, a fraction
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
