#!/usr/bin/env bash
# botocore 1.43.117 in retry mode `standard` makes 100 retries against an endpoint that throttles everything, then no more.
#
# Guess: with three attempts each call is sent up to three times, in either mode: an overloaded endpoint gets three times the load.
# Seen: of 400 InvokeEndpoint calls that are all throttled, `legacy` makes 1,200 requests and `standard` 500. A client has 500
#       tokens for retries, each costs 5 (10 after a time-out), and only successes give some back. So how much load retries add,
#       and how many throttles a caller sees, depends on how many calls one client makes, and a benchmark with a client for each
#       of its users adds more than the same load from one.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

taken = []


class Busy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        taken.append(self.path)
        body = b'{"message":"Rate exceeded"}'
        self.send_response(400)
        self.send_header("x-amzn-errortype", "ThrottlingException")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size, daemon_threads = 256, True


server = Server(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("botocore", botocore.__version__)
for mode in ("legacy", "standard"):
    taken.clear()
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "example")
    client = session.create_client(
        "sagemaker-runtime",
        "us-east-1",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        config=Config(retries={"mode": mode, "total_max_attempts": 3}, max_pool_connections=100),
    )

    def call(_number):
        try:
            client.invoke_endpoint(EndpointName="e", Body=b"x")
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(100) as pool:
        ends = list(pool.map(call, range(400)))
    print(f"{mode}: {ends.count('ThrottlingException')} calls throttled, {len(taken)} requests")
PY
cat > "$tmp/expected" <<'TXT'
botocore 1.43.117
legacy: 400 calls throttled, 1200 requests
standard: 400 calls throttled, 500 requests
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
