#!/usr/bin/env bash
# har-to-k6 0.14.16 makes a minute of browsing one second long.
#
# Guess: a recording that is turned into a load script is sent as it was recorded: pauses as sleeps, what was parallel in parallel.
# Seen: `startedDateTime` is not used. Three requests that began within 60 s, two of them together, are three calls, one after the other, and one `sleep(1)` at the end. A user of the script sends as many
#       requests as thirty of the recorded ones, and is never in two requests at once: the load is higher and its bursts are gone.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit har-to-k6@0.14.16 >/dev/null
python3.11 - > recording.har <<'PY'
import json

QUIET = {"cookies": [], "headers": [], "headersSize": -1, "bodySize": -1, "httpVersion": "HTTP/2"}


def entry(path, began):
    return {
        "startedDateTime": f"2026-06-01T12:{began}Z",
        "time": 500,
        "request": QUIET | {"method": "GET", "url": f"http://service.example/{path}", "queryString": []},
        "response": QUIET | {"status": 200, "statusText": "OK", "content": {"size": 2, "mimeType": "text/plain"}, "redirectURL": ""},
        "cache": {},
        "timings": {"send": 0, "wait": 500, "receive": 0},
    }


entries = [entry("a", "00:00.000"), entry("b", "00:00.100"), entry("c", "01:00.000")]
print(json.dumps({"log": {"version": "1.2", "creator": {"name": "example", "version": "1"}, "entries": entries}}))
PY
npx har-to-k6 recording.har -o load.js >/dev/null
grep -oE 'http\.(get|batch)|sleep\([0-9.]+\)' load.js > seen
cat > expected <<'TXT'
http.get
http.get
http.get
sleep(1)
TXT
cat seen
diff expected seen
