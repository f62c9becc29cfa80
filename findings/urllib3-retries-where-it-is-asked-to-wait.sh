#!/usr/bin/env bash
# urllib3 2.8.0: `Retry(3)` leaves a 503 alone, and sends three more where it has a Retry-After.
#
# Guess: without a `status_forcelist` no status is sent again, so `retries=3` is for connections; what waits is bounded by the time-out.
# Seen: 413, 429 and 503 with Retry-After are retried after the time the server names, whatever the list: four requests and three seconds at whatever time-out. The same 503
#       without the header is one request. A load test against a service that throttles waits inside its latencies. requests 2.34.2 with `max_retries=3` does the
#       same; its default does not. A POST is sent once.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check urllib3==2.8.0 requests==2.34.2
cat > measure.py <<'PY'
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import urllib3
from requests.adapters import HTTPAdapter

received = []


class Throttled(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        received.append(1)
        self.send_response(503)
        if self.path == "/wait":
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Throttled)
threading.Thread(target=server.serve_forever, daemon=True).start()
pool = urllib3.PoolManager(retries=urllib3.Retry(3), timeout=5)
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=3))
for name, send in {
    "urllib3 GET": lambda url: pool.request("GET", url).status,
    "urllib3 POST": lambda url: pool.request("POST", url).status,
    "requests GET, max_retries 3": lambda url: session.get(url, timeout=5).status_code,
    "requests GET": lambda url: requests.get(url, timeout=5).status_code,
}.items():
    seen = []
    for path in ("plain", "wait"):
        received.clear()
        began = time.monotonic()
        status = send(f"http://127.0.0.1:{server.server_port}/{path}")
        waited = ", three seconds or more" if time.monotonic() - began >= 3 else ""
        seen.append(f"{path} {status} after {len(received)}{waited}")
    print(f"{name}: {'; '.join(seen)}")
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
urllib3 GET: plain 503 after 1; wait 503 after 4, three seconds or more
urllib3 POST: plain 503 after 1; wait 503 after 1
requests GET, max_retries 3: plain 503 after 1; wait 503 after 4, three seconds or more
requests GET: plain 503 after 1; wait 503 after 1
TXT
cat seen
diff expected seen
