#!/usr/bin/env bash
# httpx 0.28.1 over HTTP/2: who waits for a free stream waits beyond every time-out.
#
# Guess: a client with a time-out of one second answers or raises within about a second, and a place in a full pool is held to the `pool` time-out.
# Seen: a server that allows two streams at once and takes half a second is asked by twelve. All twelve are answered, the last after three seconds: the wait for a stream is no connect, no pool and no read. A
#       load generator becomes a closed loop of two on one connection, and the wait inside it is in `elapsed`, too, as if the service were slow.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check httpx==0.28.1 httpcore==1.0.9 h2==4.3.0 hypercorn==0.18.0
cat > measure.py <<'PY'
import asyncio
import socket
import time

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config


async def service(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
    config = Config()
    config.bind, config.h2_max_concurrent_streams, config.loglevel = [where], 2, "ERROR"
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(service, config, shutdown_trigger=stop.wait))
    await asyncio.sleep(1)
    async with httpx.AsyncClient(http1=False, http2=True, timeout=1.0) as client:
        await client.get(f"http://{where}/")
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get(f"http://{where}/") for _ in range(12)), return_exceptions=True)
        took = time.monotonic() - began
    whole = [answer for answer in answers if not isinstance(answer, Exception)]
    print(f"httpx {httpx.__version__}: {len(whole)} of 12 answered, over {whole[0].http_version}, the last after 2.9 s or more: {took >= 2.9}")
    print(f"elapsed of the slowest at least 2.9 s: {max(answer.elapsed.total_seconds() for answer in whole) >= 2.9}")
    stop.set()
    await serving


asyncio.run(main())
PY
venv/bin/python -W ignore measure.py > seen
cat > expected <<'TXT'
httpx 0.28.1: 12 of 12 answered, over HTTP/2, the last after 2.9 s or more: True
elapsed of the slowest at least 2.9 s: True
TXT
cat seen
diff expected seen
