#!/usr/bin/env bash
# LLMeter 0.2.0 reports the clock's reading as the latency of a SageMaker endpoint.
#
# Guess: the time to the last token is the time from the request to the end of its answer.
# Seen: `SageMakerEndpoint.process_raw_response` sets it to `time.perf_counter()` and subtracts no start. On Linux that
#       clock counts from when the machine was started, so an answer of 0.2 s on a machine that has run for a day has a
#       latency of a day. The streaming endpoint beside it subtracts its start.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    llmeter==0.2.0 boto3==1.44.8 botocore==1.44.8 s3fs==0.4.2 fsspec==2026.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
from llmeter.endpoints.sagemaker import SageMakerEndpoint


class Model(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.2)
        body = b'{"generated_text": "yes", "details": {"generated_tokens": 1}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()


class Loopback(boto3.Session):
    def client(self, *args, **kwargs):
        return super().client(*args, endpoint_url=f"http://127.0.0.1:{server.server_port}", **kwargs)


session = Loopback(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
endpoint = SageMakerEndpoint("model", "model", boto3_session=session)
began = time.perf_counter()
answer = endpoint.invoke(endpoint.create_payload("Is it so?"))
ended = time.perf_counter()
print("answer:", answer.response_text, "error:", answer.error)
print("a stopwatch beside it shows less than 10 s:", 0.2 <= ended - began < 10)
print("the latency is the clock's reading:", began + 0.2 <= answer.time_to_last_token <= ended)
server.shutdown()
PY
cat > "$tmp/expected" <<'TXT'
answer: yes error: None
a stopwatch beside it shows less than 10 s: True
the latency is the clock's reading: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
