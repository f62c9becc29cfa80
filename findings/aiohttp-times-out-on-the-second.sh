#!/usr/bin/env bash
# aiohttp 3.13.2 rounds a total time-out of more than five seconds up to a whole second of the loop's clock.
#
# Guess: `ClientTimeout(total=5.2)` ends a request 5.2 s after it began.
# Seen: it ends 5.2 to 6.2 s after, with all others that began within the same second: four requests that began 0.2 s apart end
#       in the same instant, and those of 4.2 s end one by one. `sock_read` is not rounded. The latencies of time-outs are
#       therefore up to a second too long, and a load generator's clients come back in step.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check aiohttp==3.13.2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio

import aiohttp


async def request(port, begin, **timeout):
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begin - loop.time())
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(**timeout)) as session:
            await session.get(f"http://127.0.0.1:{port}/")
    except asyncio.TimeoutError:
        return loop.time()


async def main():
    held = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    second = int(asyncio.get_running_loop().time()) + 2
    kinds = {"total 4.2 s": {"total": 4.2}, "total 5.2 s": {"total": 5.2}, "sock_read 5.2 s": {"sock_read": 5.2}}
    begins = [second + 0.05 + 0.2 * k for k in range(4)]
    ends = await asyncio.gather(*(request(port, begin, **kind) for kind in kinds.values() for begin in begins))
    for k, name in enumerate(kinds):
        own = ends[4 * k : 4 * k + 4]
        print(f"{name}: the four end {'together' if max(own) - min(own) < 0.3 else 'one by one'}")
    for writer in held:
        writer.close()
    server.close()


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
total 4.2 s: the four end one by one
total 5.2 s: the four end together
sock_read 5.2 s: the four end one by one
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
