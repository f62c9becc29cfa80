#!/usr/bin/env bash
# aiodns 4.0.4 with a time-out of one second gives up after five: the time-out is the first of three, each longer than the one before.
#
# Guess: `DNSResolver(timeout=1)`, which aiohttp's AsyncResolver takes as well, ends a query that nobody answers after one second.
# Seen: the name server is asked at 0, about 1 and about 2.3 s, and the query fails some 5 s after it began; with two name servers that
#       are silent each of them is asked three times. With `tries=1` it ends after one second. A limit on connecting of 2 s that is built
#       from the time-out alone is none.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check aiodns==4.0.4 pycares==5.2.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import socket
import time

import aiodns


async def silent(n_servers, **options):
    """One query to name servers that never answer: how often they were asked, and for how long."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(n_servers)]
    n_asked, loop = 0, asyncio.get_running_loop()

    def asked(server):
        nonlocal n_asked
        server.recv(512)
        n_asked += 1

    for server in sockets:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        loop.add_reader(server, asked, server)
    names = [f"127.0.0.1:{server.getsockname()[1]}" for server in sockets]
    began = time.monotonic()
    try:
        await aiodns.DNSResolver(nameservers=names, timeout=1, **options).query_dns("runtime.example", "A")
    except aiodns.error.DNSError as error:
        took_s = time.monotonic() - began
        print(f"{n_servers} silent, {options}: asked {n_asked} times,", "longer than 4 s:", took_s > 4, "-", error.args[1])
    for server in sockets:
        loop.remove_reader(server)
        server.close()


async def main():
    await silent(1)
    await silent(2)
    await silent(1, tries=1)


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
1 silent, {}: asked 3 times, longer than 4 s: True - Timeout while contacting DNS servers
2 silent, {}: asked 6 times, longer than 4 s: True - Timeout while contacting DNS servers
1 silent, {'tries': 1}: asked 1 times, longer than 4 s: False - Timeout while contacting DNS servers
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
