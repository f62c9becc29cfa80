#!/usr/bin/env bash
# botocore 1.43.117 has more connections open than its `max_pool_connections`; aiobotocore 3.10.0 never has.
#
# Guess: the setting means the same to both, and a call that waits for a connection is held to `connect_timeout`.
# Seen: with ten, and forty calls at once, botocore sends more than ten at once: its pool says only how many connections are kept for
#       later. aiobotocore sends ten and lets the others wait, without an end: with time-outs of one second none of forty calls fails,
#       though the last is answered after some two. A load generator that moves from threads to asyncio becomes a closed loop
#       of ten by default, and the wait inside it is part of the latency.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check botocore==1.43.117 aiobotocore==3.10.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import aiobotocore
import botocore
import botocore.session
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config

CALLS, POOL = 40, 10
TIMEOUTS = {"max_pool_connections": POOL, "connect_timeout": 1, "read_timeout": 1, "retries": {"total_max_attempts": 1}}
PATIENT = TIMEOUTS | {"read_timeout": 20}
held = most = 0


async def serve(reader, writer):
    """Answers each request half a second after it came; nothing here depends on how fast the machine is."""
    global held, most
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            held += 1
            most = max(most, held)
            await asyncio.sleep(0.5)
            held -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


def session_of(kind):
    session = kind()
    session.set_credentials("AKIDEXAMPLE", "example")
    return session


async def main():
    global most
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=256)
    where = {"region_name": "us-east-1", "endpoint_url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    client = session_of(botocore.session.Session).create_client("sagemaker-runtime", config=Config(**PATIENT), **where)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(CALLS) as pool:
        threads = [loop.run_in_executor(pool, lambda: client.invoke_endpoint(EndpointName="e", Body=b"x")) for _ in range(CALLS)]
        await asyncio.gather(*threads)
    print(f"botocore {botocore.__version__}: more than {POOL} at once: {most > POOL}")
    most = 0
    async with session_of(get_session).create_client("sagemaker-runtime", config=AioConfig(**TIMEOUTS), **where) as client:
        began = time.monotonic()
        calls = [client.invoke_endpoint(EndpointName="e", Body=b"x") for _ in range(CALLS)]
        ends = await asyncio.gather(*calls, return_exceptions=True)
    failed = sum(isinstance(end, Exception) for end in ends)
    slow = time.monotonic() - began > 1.9
    print(f"aiobotocore {aiobotocore.__version__}: {most} at once, {failed} failed, the last after two seconds: {slow}")
    server.close()


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
botocore 1.43.117: more than 10 at once: True
aiobotocore 3.10.0: 10 at once, 0 failed, the last after two seconds: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
