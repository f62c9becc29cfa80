#!/usr/bin/env bash
# hey 0.1.4 (Debian 12) sends fewer requests than -n says when -c does not divide it.
#
# Guess: `hey -n 100 -c 30` sends 100 requests.
# Seen: the server receives 90: each of 30 workers gets 100 / 30 = 3 in whole numbers. Nothing in the output says so.
set -euo pipefail
tmp=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q hey=0.1.4-2+b4 >/dev/null 2>&1
dpkg -x hey_*.deb root

cat > server.py <<'PY'
import http.server

class Counts(http.server.BaseHTTPRequestHandler):
    n = 0

    def do_GET(self):
        Counts.n += self.path == "/"
        body = str(Counts.n).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counts)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 server.py > port & server=$!
until [ -s port ]; do sleep 0.1; done
root/usr/bin/hey -n 100 -c 30 "http://127.0.0.1:$(cat port)/" > out
received=$(python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:$(cat port)/count').read().decode())")
echo "hey 0.1.4, -n 100 -c 30: the server received $received requests"
[ "$received" = 90 ] && ! grep -qiE "90 requests|rounded" out
