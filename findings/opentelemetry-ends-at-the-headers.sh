#!/usr/bin/env bash
# opentelemetry-instrumentation 0.66b1 measures to the headers with aiohttp and httpx, to the end of the body with requests; `elapsed` is the other way round.
#
# Guess: `http.client.duration` of one service is the same from every client, and is the request's; `elapsed` means in httpx what it means in
#        requests, after which it is named.
# Seen: an answer whose headers come at once and whose body takes half a second lasts some milliseconds from aiohttp and httpx and half a second
#       from requests. `elapsed` of requests 2.34.2 ends at the headers, that of httpx 0.28.1 with the body. For a streamed inference the
#       metric is time to the first byte, and moving a service from requests to aiohttp makes it faster on every dashboard.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check aiohttp==3.14.5 httpx==0.28.1 requests==2.34.2 \
  opentelemetry-sdk==1.45.1 opentelemetry-instrumentation-aiohttp-client==0.66b1 opentelemetry-instrumentation-httpx==0.66b1 \
  opentelemetry-instrumentation-requests==0.66b1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aiohttp
import httpx
import requests
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

BODY_S = 0.5


class SlowBody(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        time.sleep(BODY_S)
        self.wfile.write(b"done")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), SlowBody)
Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"


def by_aiohttp():
    async def get():
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            await answer.read()

    asyncio.run(get())


def by_httpx():
    return httpx.get(url).elapsed


def by_requests():
    return requests.get(url).elapsed


def said(duration_s):
    return "with the body" if duration_s >= BODY_S else "without the body"


for name, instrumentor, get in (
    ("aiohttp", AioHttpClientInstrumentor, by_aiohttp),
    ("httpx", HTTPXClientInstrumentor, by_httpx),
    ("requests", RequestsInstrumentor, by_requests),
):
    get()  # what is slow the first time only
    reader = InMemoryMetricReader()
    instrumentor().instrument(meter_provider=MeterProvider([reader]))
    began = time.monotonic()
    elapsed = get()
    took_s = time.monotonic() - began
    (metric,) = [one for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics for one in scope.metrics
                 if one.name == "http.client.duration"]
    instrumentor().uninstrument()
    duration_s = metric.data.data_points[0].sum / 1000
    print(f"{name}: took {said(took_s)}, http.client.duration {said(duration_s)}, elapsed {said(elapsed.total_seconds()) if elapsed else 'none'}")
server.shutdown()
PY
cat > "$tmp/expected" <<'TXT'
aiohttp: took with the body, http.client.duration without the body, elapsed none
httpx: took with the body, http.client.duration without the body, elapsed with the body
requests: took with the body, http.client.duration with the body, elapsed without the body
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
