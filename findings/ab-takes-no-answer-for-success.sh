#!/usr/bin/env bash
# ab 2.4.68 (Debian 12) counts a connection that was closed without an answer as a complete request that did not fail.
#
# Guess: a request that got no answer, or half of one, is a failed request.
# Seen: a server takes ten requests and closes each connection without a byte: "Complete requests: 10, Failed requests: 0". Ten answers
#       that break off after 2 of 100 bytes are the same. What ab compares is the length, with that of its first answer: where only the
#       first was closed, the nine whole answers are the failed ones. With `-l` (answers of any length, as those of a model are)
#       nothing of this fails. A service that dies under load looks fast and sound, in the file of `-g`, too.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q apache2-utils=2.4.68-1~deb12u1 libapr1=1.7.2-3+deb12u1 libaprutil1=1.6.3-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'libapr-1.so*' | head -1)")

cat > server.py <<'PY'
import asyncio

seen = {}

async def serve(reader, writer):
    path = (await reader.readuntil(b"\r\n\r\n")).split()[1].split(b"?")[0]
    seen[path] = seen.get(path, 0) + 1
    if path == b"/torn":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok")
    elif path == b"/whole" or (path.startswith(b"/first") and seen[path] > 1):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
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
measure() {
  root/usr/bin/ab "${@:3}" -q -n 10 -c 1 -g rows.tsv "http://127.0.0.1:$(cat port)/$2" > out 2>&1
  echo "$1: complete $(sed -n 's/^Complete requests: *//p' out), failed $(sed -n 's/^Failed requests: *//p' out)," \
    "rows of -g $(($(wc -l < rows.tsv) - 1))"
}
{
  measure "whole answers" whole
  measure "no answer at all" none
  measure "2 of 100 bytes" torn
  measure "all but the first answered" first
  measure "the same with -l" first-again -l
} > seen
cat > expected <<'TXT'
whole answers: complete 10, failed 0, rows of -g 10
no answer at all: complete 10, failed 0, rows of -g 10
2 of 100 bytes: complete 10, failed 0, rows of -g 10
all but the first answered: complete 10, failed 9, rows of -g 10
the same with -l: complete 10, failed 0, rows of -g 10
TXT
cat seen
diff expected seen
