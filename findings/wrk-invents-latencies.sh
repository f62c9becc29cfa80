#!/usr/bin/env bash
# wrk 4.1.0 (Debian 12) corrects its latency distribution for coordinated omission without saying so.
#
# Guess: wrk reports the latencies that it measured, and wrk2 exists because wrk does not correct.
# Seen: one connection, one server that stalls once for 1.5 s. wrk sent some 290 requests and its distribution has some
#       380 values: after the run it adds latencies that no request had. p90 is then near 0.9 s, although one request in
#       some 290 was slower than 30 ms. Two tools that both say "p90" of the same run differ eightyfold.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q wrk=4.1.0-3+b2 libluajit-5.1-2=2.1.0~beta3+git20220320+dfsg-4.1+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'libluajit*.so*' | head -1)")

cat > server.py <<'PY'
import asyncio, time

async def serve(reader, writer):
    global started, stalled
    while line := await reader.readline():
        if line != b"\r\n":
            continue  # a request ends with an empty line
        started = started or time.monotonic()
        if not stalled and time.monotonic() - started > 1:
            stalled = True
            await asyncio.sleep(1.5)
        await asyncio.sleep(0.01)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)

started = stalled = None
asyncio.run(main())
PY
cat > counts.lua <<'LUA'
done = function(summary, latency, requests)
  local samples = 0
  for i = 1, #latency do local _, n = latency(i); samples = samples + n end
  io.write(string.format("%d %d %d\n", summary.requests, samples, latency:percentile(90)))
end
LUA
python3 server.py > port 2>/dev/null & server=$!
until [ -s port ]; do sleep 0.1; done
root/usr/bin/wrk -t1 -c1 -d5 -s counts.lua "http://127.0.0.1:$(cat port)/" > out
read -r requests samples p90_us < <(tail -1 out)
echo "wrk 4.1.0: $requests requests, $samples latencies, p90 $p90_us us; one request was slower than 30 ms"
[ "$samples" -gt $((requests + 20)) ] && [ "$p90_us" -gt 100000 ]
