#!/usr/bin/env bash
# httperf 0.9.0 (Debian 12): a test of two seconds has a reply rate of 0.0, whatever was answered.
#
# Guess: the reply rate is replies by the time the test took.
# Seen: it is the mean over whole stretches of five seconds; where there was none, min, avg and max are 0.0 over 0 samples, while twenty of twenty requests were answered. Of a test of
#       nine seconds the first five are the rate: what happened after is not in it. The reader of a script that searches for the lowest rate finds every short test overloaded.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"; kill "${server:-}" 2>/dev/null || true' EXIT
cd "$tmp"
apt-get download -q httperf=0.9.0-9+b2 >/dev/null 2>&1
dpkg -x httperf_*.deb root
cat > server.py <<'PY'
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 server.py > port &
server=$!
until [ -s port ]; do sleep 0.1; done
for number in 20 90; do
  root/usr/bin/httperf --server 127.0.0.1 --port "$(cat port)" --num-conns $number --rate 10 --timeout 10 > out 2>/dev/null
  echo "$number requests at 10 a second: $(grep -o 'replies [0-9]*' out), reply rate $(sed -n 's/^Reply rate.*\(avg [0-9]*\).*(\(.*\))$/\1, \2/p' out)"
done > seen
cat > expected <<'TXT'
20 requests at 10 a second: replies 20, reply rate avg 0, 0 samples
90 requests at 10 a second: replies 90, reply rate avg 10, 1 samples
TXT
cat seen
diff expected seen
