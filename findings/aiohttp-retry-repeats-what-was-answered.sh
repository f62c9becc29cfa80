#!/usr/bin/env bash
# aiohttp-retry 2.9.1 sends a POST that was answered by 503 again, and one that reached nobody never.
#
# Guess: as with the Retry of urllib3: a refused connection is tried again, since nothing was sent; a POST that was
#        answered by 5xx is not, unless asked for. Its comment on `exceptions` says "by default on all".
# Seen: the other way round. `exceptions` is empty by default, and a refused connection, a reset one and a time-out raise at the first
#       attempt; an answer of 5xx is asked for again, whatever the method. With `exceptions={OSError}` the refused one is tried three
#       times.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check aiohttp-retry==2.9.1 aiohttp==3.14.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import socket

import aiohttp
from aiohttp_retry import ExponentialRetry, RetryClient

n_attempts = 0


async def count(session, context, params):
    global n_attempts
    n_attempts += 1


async def post(name, url, **options):
    global n_attempts
    n_attempts = 0
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(count)
    retries = ExponentialRetry(attempts=3, start_timeout=0.01, **options)
    timeout = aiohttp.ClientTimeout(total=0.3)
    async with RetryClient(retry_options=retries, trace_configs=[trace], timeout=timeout) as client:
        try:
            async with client.post(url, data=b"x") as answer:
                end = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            end = type(error).__name__
    print(f"{name}: {end} after {n_attempts} attempts")


async def unavailable(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


async def silent(reader, writer):
    await reader.read()
    writer.close()


async def main():
    for name, answer in (("503", unavailable), ("no answer", silent)):
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        await post(name, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        server.close()
    with socket.socket() as bound:  # nobody listens there, and nobody else can while it is bound
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        await post("refused", url)
        await post("refused, exceptions={OSError}", url, exceptions={OSError})


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
503: 503 after 3 attempts
no answer: TimeoutError after 1 attempts
refused: ClientConnectorError after 1 attempts
refused, exceptions={OSError}: ClientConnectorError after 3 attempts
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
