#!/usr/bin/env bash
# sseclient 0.0.27 sends the request again when the answer is complete.
#
# Guess: `for event in SSEClient(url)` ends where the stream ends, as it does with sseclient-py and httpx-sse.
# Seen: a stream that ends is one that broke, so it is asked for again, for ever: nine tokens are three answers of three, from three requests. There is no end to a count, each generation is paid for again, and no
#       event says where one answer stops.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check sseclient==0.0.27 requests==2.34.2
cat > measure.py <<'PY'
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Thread

from sseclient import SSEClient

requests = 0


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        global requests
        requests += 1
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: one\n\ndata: two\n\ndata: three\n\n")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
Thread(target=server.serve_forever, daemon=True).start()
events = SSEClient(f"http://127.0.0.1:{server.server_port}/", retry=200)
print("sseclient 0.0.27:", *(event.data for event in islice(events, 9)))
print(requests, "requests")
PY
venv/bin/python measure.py | grep . > seen  # the library prints empty lines of its own
cat > expected <<'TXT'
sseclient 0.0.27: one two three one two three one two three
3 requests
TXT
cat seen
diff expected seen
