#!/usr/bin/env bash
# aiohttp 3.14.5 sends a GET, PUT or DELETE again by itself when the server closes a kept connection instead of answering.
#
# Guess: one call is one request; who wants retries asks for them, as with httpx, and botocore's `RetryAttempts` counts them.
# Seen: a server answers the first request of each connection and closes it on the second, which it has read. Four calls are seven
#       requests, all calls succeed, and aiobotocore's 3.10.0 put_object, made without retries, says RetryAttempts 0. httpx 0.28.1 sends four
#       and raises twice; so does aiohttp for POST. The latency of such a call is that of two requests, and a request that
#       the server had carried out is carried out again.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check aiohttp==3.14.5 aiobotocore==3.10.0 httpx==0.28.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import contextlib

import aiohttp
import httpx
from aiobotocore.session import get_session
from botocore.config import Config

n_served = 0


async def serve(reader, writer):
    global n_served
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        for is_second in (False, True):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            if "100-continue" in head:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            lengths = [int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")]
            await reader.readexactly(sum(lengths))
            n_served += 1
            if not is_second:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
    writer.close()


async def four(name, call):
    global n_served
    n_served = 0
    ends = []
    for _ in range(4):
        try:
            ends.append(await call())
        except (aiohttp.ClientError, httpx.HTTPError) as error:
            ends.append(type(error).__name__)
    print(f"{name}: {ends}, server got {n_served}")


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for method in ("GET", "PUT", "POST"):
        async with aiohttp.ClientSession() as session:

            async def call():
                async with session.request(method, url, data=None if method == "GET" else b"x") as answer:
                    return answer.status

            await four(f"aiohttp {method}", call)
    async with httpx.AsyncClient() as client:

        async def get():
            return (await client.get(url)).status_code

        await four("httpx GET", get)
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    once = Config(retries={"total_max_attempts": 1})
    async with get_session().create_client("s3", endpoint_url=url, config=once, **keys) as s3:

        async def put():
            answer = await s3.put_object(Bucket="bucket", Key="key", Body=b"x")
            return answer["ResponseMetadata"]["RetryAttempts"]

        await four("aiobotocore put_object, RetryAttempts", put)


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
aiohttp GET: [200, 200, 200, 200], server got 7
aiohttp PUT: [200, 200, 200, 200], server got 7
aiohttp POST: [200, 'ServerDisconnectedError', 200, 'ServerDisconnectedError'], server got 4
httpx GET: [200, 'RemoteProtocolError', 200, 'RemoteProtocolError'], server got 4
aiobotocore put_object, RetryAttempts: [0, 0, 0, 0], server got 7
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
