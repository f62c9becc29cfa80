#!/usr/bin/env bash
# botocore 1.40.61, mode `adaptive`: one throttle among the first requests slows a client a hundredfold, for seconds.
#
# Guess: after a throttle the client goes on at 70 % of its rate, as its cubic controller does later on.
# Seen: the rate it takes 70 % of is measured over half seconds, and before the first is over it is zero: the client then goes on at its
#       least, one request in two seconds, and comes back along a cubic curve. Of a client that calls as fast as answers come, the third
#       request is throttled: in the next three seconds it sends fewer than twenty, without the throttle hundreds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check boto3==1.40.61 botocore==1.40.61
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import http.server
import os
import threading
import time

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from botocore.config import Config

seen, throttled = [], 0


class Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        seen.append(time.monotonic())
        is_throttled = len(seen) == throttled
        body = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}' if is_throttled else b"ok"
        self.send_response(400 if is_throttled else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
for throttled, name in ((0, "no throttle"), (3, "the third request throttled")):
    seen.clear()
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        config=Config(retries={"mode": "adaptive", "total_max_attempts": 3}),
    )
    until = time.monotonic() + 3
    while time.monotonic() < until:
        runtime.invoke_endpoint(EndpointName="endpoint", Body=b"x")
    n = sum(at < until for at in seen)
    print(f"{name}: requests in three seconds:", "fewer than 20" if n < 20 else "more than 100" if n > 100 else n)
server.shutdown()
PY
cat > "$tmp/expected" <<'TXT'
no throttle: requests in three seconds: more than 100
the third request throttled: requests in three seconds: fewer than 20
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
