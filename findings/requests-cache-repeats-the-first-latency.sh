#!/usr/bin/env bash
# requests-cache 1.3.3 gives each cached answer the latency of the first one: a hundred requests that nobody sent have a p99.
#
# Guess: `elapsed` of an answer from the cache is how long the cache took, nothing, or None.
# Seen: it is stored with the answer and given again to the microsecond: one request of 300 ms and nine from the cache are ten latencies of 300 ms. A client
#       that has the cache installed (`install_cache` patches every session of the process) reports a service under a load that it never got,
#       and the same figures after the service has gone. Only `from_cache` says so.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check requests-cache==1.3.3 requests==2.34.2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
import requests_cache

SERVICE_S = 0.3
received = []


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        received.append(self.path)
        time.sleep(SERVICE_S)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
requests_cache.install_cache(backend="memory")
answers = [requests.get(f"http://127.0.0.1:{server.server_port}/ping") for _ in range(10)]
server.shutdown()
server.server_close()
answers.append(requests.get(f"http://127.0.0.1:{server.server_port}/ping"))
latencies = {answer.elapsed for answer in answers}
print(f"{len(answers)} answers, {len(received)} request received, {len(latencies)} latency, at least {SERVICE_S} s:", min(latencies).total_seconds() >= SERVICE_S)
print("from the cache:", sum(answer.from_cache for answer in answers), "and the last one after the service had gone")
PY
cat > "$tmp/expected" <<'TXT'
11 answers, 1 request received, 1 latency, at least 0.3 s: True
from the cache: 10 and the last one after the service had gone
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
