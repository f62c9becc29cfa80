#!/usr/bin/env bash
# botocore 1.43.117 sends one InvokeEndpointAsync up to five times when its answer is late.
#
# Guess: a POST without an idempotency token is not sent again after a read time-out, because the first may have been accepted.
# Seen: it is sent five times (three with `retry_mode="standard"`), each an inference that the endpoint queues and bills, all
#       with the same InferenceId; the call then fails as if none had been taken. The model marks the operation neither as
#       idempotent nor as one that must not be repeated. Whoever counts calls counts a fifth of the load.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check boto3==1.43.117 botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

taken, over = [], threading.Event()


class Late(BaseHTTPRequestHandler):
    def do_POST(self):
        taken.append(self.headers["X-Amzn-SageMaker-Inference-Id"])
        over.wait()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Late)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
for mode in ("legacy", "standard"):
    taken.clear()
    client = boto3.client(
        "sagemaker-runtime",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(read_timeout=0.3, retries={"mode": mode}),
    )
    try:
        client.invoke_endpoint_async(EndpointName="e", InputLocation="s3://bucket/in", InferenceId="one")
    except ReadTimeoutError as error:
        print(f"{mode}: {type(error).__name__} after {len(taken)} requests of {len(set(taken))} InferenceId")
over.set()
PY
cat > "$tmp/expected" <<'TXT'
legacy: ReadTimeoutError after 5 requests of 1 InferenceId
standard: ReadTimeoutError after 3 requests of 1 InferenceId
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
