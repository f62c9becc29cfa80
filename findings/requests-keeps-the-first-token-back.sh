#!/usr/bin/env bash
# sseclient-py 1.9.0 and requests 2.34.2 give the first event of a stream when its end has come, unless the answer is chunked.
#
# Guess: `requests.get(url, stream=True)` and an SSE client over it give each event when its bytes are there, so the time to the first token is right.
# Seen: `iter_lines` asks for 512 bytes, and a stream that ends where the connection does (HTTP/1.0's way, still that of small servers and of some
#       proxies) gives none before it has 512, or its end: the first token has the latency of the last, and the time between tokens is nothing. With
#       `chunk_size=None`, meant for data as it arrives, it is kept back, too. The very same bytes as chunks come at once; aiohttp 3.14.5 and
#       httpx 0.28.1 give both at once. The server here sends the second event when the client has seen the first, or after ten seconds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check sseclient-py==1.9.0 requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 \
  httpx-sse==0.4.3 aiohttp==3.14.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import socket
import threading
from collections.abc import Callable

import aiohttp
import httpx
import httpx_sse
import requests
import sseclient

FIRST, SECOND = b"data: first\n\n", b"data: second\n\n"


def in_time(read: Callable[[str, Callable[[], None]], None], *, chunked: bool) -> bool:
    """Whether the client saw the first event before the second was sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen, seen_in_time = threading.Event(), []

    def serve() -> None:
        connection, _ = listener.accept()
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(4096)
        length = b"Transfer-Encoding: chunked" if chunked else b"Connection: close"
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + length + b"\r\n\r\n")
        for event in (FIRST, SECOND):
            connection.sendall(b"%x\r\n%s\r\n" % (len(event), event) if chunked else event)
            if event is FIRST:
                seen_in_time.append(seen.wait(10))
        connection.sendall(b"0\r\n\r\n" if chunked else b"")
        connection.close()

    server = threading.Thread(target=serve)
    server.start()
    read(f"http://127.0.0.1:{listener.getsockname()[1]}", seen.set)
    server.join()
    listener.close()
    return seen_in_time[0]


def by_sseclient(url: str, seen: Callable[[], None]) -> None:
    for _ in sseclient.SSEClient(requests.get(url, stream=True)).events():
        seen()


def by_lines(url: str, seen: Callable[[], None]) -> None:
    for line in requests.get(url, stream=True).iter_lines():
        if line:
            seen()


def by_lines_as_they_come(url: str, seen: Callable[[], None]) -> None:
    for line in requests.get(url, stream=True).iter_lines(chunk_size=None):
        if line:
            seen()


def by_httpx(url: str, seen: Callable[[], None]) -> None:
    with httpx.Client(trust_env=False) as client, httpx_sse.connect_sse(client, "GET", url) as source:
        for _ in source.iter_sse():
            seen()


def by_aiohttp(url: str, seen: Callable[[], None]) -> None:
    async def read() -> None:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            async for line in answer.content:
                seen()

    asyncio.run(read())


ways = {"sseclient-py": by_sseclient, "requests iter_lines": by_lines, "requests iter_lines, chunk_size=None": by_lines_as_they_come,
        "httpx-sse": by_httpx, "aiohttp": by_aiohttp}
for name, read in ways.items():
    for chunked in (True, False):
        print(f"{name}, {'chunked' if chunked else 'until the connection ends'}: the first event comes",
              "at once" if in_time(read, chunked=chunked) else "at the end")
PY
cat > "$tmp/expected" <<'TXT'
sseclient-py, chunked: the first event comes at once
sseclient-py, until the connection ends: the first event comes at the end
requests iter_lines, chunked: the first event comes at once
requests iter_lines, until the connection ends: the first event comes at the end
requests iter_lines, chunk_size=None, chunked: the first event comes at once
requests iter_lines, chunk_size=None, until the connection ends: the first event comes at the end
httpx-sse, chunked: the first event comes at once
httpx-sse, until the connection ends: the first event comes at once
aiohttp, chunked: the first event comes at once
aiohttp, until the connection ends: the first event comes at once
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
