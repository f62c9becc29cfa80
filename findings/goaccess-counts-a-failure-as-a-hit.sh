#!/usr/bin/env bash
# GoAccess 1.7 (Debian 12): `failed_requests` are lines that it could not read; a request without a time counts as one of 0 s.
#
# Guess: failed_requests are those that were answered by 4xx or 5xx, and an average time is over the requests that have one.
# Seen: of five requests one was answered by 500, one by 503 and one by 404, and failed_requests is 0. The request panel has four of the five, without the 404. The one whose
#       time is `-` is among those the average is divided by: 0.1, 0.3 and 0.002 s are 0.1005 s each instead of 0.134.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q goaccess=1:1.7-1 libmaxminddb0=1.7.1-1 >/dev/null 2>&1
for deb in *.deb; do dpkg -x "$deb" root; done
line() { echo "10.0.0.$1 - - [01/Jun/2026:10:00:0$1 +0000] \"POST /invocations HTTP/1.1\" $2 12 $3"; }
{ line 1 200 0.100; line 2 500 0.300; line 3 503 0.002; line 4 404 0.001; line 5 200 -; } > access.log
LD_LIBRARY_PATH=$(echo "$tmp"/root/usr/lib/*/) root/usr/bin/goaccess access.log --no-global-config --log-format='%h %^[%d:%t %^] "%r" %s %b %T' \
  --date-format='%d/%b/%Y' --time-format='%T' -o report.json >/dev/null 2>&1
python3 - > seen <<'PY'
import json

report = json.load(open("report.json"))
general = report["general"]
print(f"total {general['total_requests']}, failed {general['failed_requests']}")
for row in report["requests"]["data"]:
    print(f"{row['method']} {row['data']}: {row['hits']['count']} hits, average {row['avgts']} us")
PY
cat > expected <<'TXT'
total 5, failed 0
POST /invocations: 4 hits, average 100500 us
TXT
cat seen
diff expected seen
