#!/usr/bin/env bash
# siege 4.0.7 (Debian 12) reports 100 % availability for a service that answers every request with 429.
#
# Guess: a refused request is a failed one, or at least no available one; "successful" and "failed" are together all of them.
# Seen: ten answers of 429 (or 400, 404) are ten transactions, none successful, none failed, availability 100 %. Ten of 503 are no
#       transaction at all. A redirect and what it leads to are two: ten requests to a moved page are twenty transactions. A
#       throttled endpoint, which throttling makes quick to answer, looks like the best one.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q siege=4.0.7-1+b1 >/dev/null 2>&1
dpkg -x siege_*.deb root

cat > server.py <<'PY'
import asyncio

async def serve(reader, writer):
    status = (await reader.readuntil(b"\r\n\r\n")).split()[1].strip(b"/")
    where = b"location: /200\r\n" if status == b"302" else b""
    writer.write(b"HTTP/1.1 " + status + b" As asked\r\nconnection: close\r\n" + where + b"content-length: 2\r\n\r\nok")
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
PY
python3 server.py > port 2>/dev/null & server=$!
until [ -s port ]; do sleep 0.1; done
printf 'verbose = false\nlogging = false\nshow-logfile = false\n' > rc
for status in 200 429 404 503 302; do
  HOME=$tmp root/usr/bin/siege -R rc -b -c 2 -r 5 "http://127.0.0.1:$(cat port)/$status" > out 2>&1
  figure() { sed -n "s/^$1: *\t*//p" out | grep -oE '[0-9.]+'; }
  echo "ten of $status: transactions $(figure Transactions), availability $(figure Availability) %," \
    "successful $(figure 'Successful transactions'), failed $(figure 'Failed transactions')"
done > seen
cat > expected <<'TXT'
ten of 200: transactions 10, availability 100.00 %, successful 10, failed 0
ten of 429: transactions 10, availability 100.00 %, successful 0, failed 0
ten of 404: transactions 10, availability 100.00 %, successful 0, failed 0
ten of 503: transactions 0, availability 0.00 %, successful 0, failed 10
ten of 302: transactions 20, availability 100.00 %, successful 20, failed 0
TXT
cat seen
diff expected seen
