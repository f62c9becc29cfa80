#!/usr/bin/env bash
# h2load 1.52.0 (Debian 12) never sends the rest of a client's requests when the server closes its HTTP/1.1 connection.
#
# Guess: a connection that the server closed between two requests is opened again, and `requests: 10 total` were sent.
# Seen: two clients, ten requests, a server that closes each connection after its first answer. With `Connection: close` in the answer
#       all ten are sent and answered. Without it, as where an idle time-out or a limit of requests a connection is reached, the
#       server gets two to four, and the report says "8 failed, 8 errored": most failures are requests that were never sent.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q nghttp2-client=1.52.0-1+deb12u3 libnghttp2-14=1.52.0-1+deb12u3 libev4=1:4.33-1 libjemalloc2=5.3.0-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'libev.so*' | head -1)")

cat > server.py <<'PY'
import asyncio
import sys

says_so = sys.argv[1] == "says-so"
n_served = 0

async def serve(reader, writer):
    global n_served
    try:
        await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return
    n_served += 1
    print(n_served, file=open("served", "w"), flush=True)
    writer.write(b"HTTP/1.1 200 OK\r\n" + (b"connection: close\r\n" if says_so else b"") + b"content-length: 2\r\n\r\nok")
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
PY
for how in says-so silent; do
  : > port
  python3 server.py "$how" > port 2>/dev/null & server=$!
  until [ -s port ]; do sleep 0.1; done
  root/usr/bin/h2load --h1 -n 10 -c 2 "http://127.0.0.1:$(cat port)/" > out 2>&1
  kill "$server"; wait "$server" 2>/dev/null || true
  served=$(cat served)
  echo "$how: server got $([ "$served" -gt 4 ] && echo "$served" || echo "four at most")," \
    "$(sed -n 's/^requests: \(10 total\),.* \([0-9]* succeeded\), \([0-9]* failed\), \([0-9]* errored\).*/\1, \2, \3, \4/p' out)"
done > seen
cat > expected <<'TXT'
says-so: server got 10, 10 total, 10 succeeded, 0 failed, 0 errored
silent: server got four at most, 10 total, 2 succeeded, 8 failed, 8 errored
TXT
cat seen
diff expected seen
