#!/usr/bin/env bash
# pytimeparse 1.1.10 knows no milliseconds and answers None, which is no time-out at all; parse-duration 2.1.9 and timestring 7.0.0 (npm)
# read `1:30` and `1,5s` as other times.
#
# Guess: a reader of durations reads `500ms` or raises; what it cannot read is an error wherever it is.
# Seen: pytimeparse gives None for `500ms`, for `90` and for `1s 500ms`. `asyncio.timeout(None)`, `Queue.get(timeout=None)` and sockets
#       wait for ever: a time-out of half a second in a configuration is none. parse-duration makes 1.03 ms of `1:30`, so
#       every request times out; both make 15 s of `1,5s`, and timestring turns `-1m` round.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pytimeparse==1.1.10
cd "$tmp"
npm install --silent --no-fund --no-audit parse-duration@2.1.9 timestring@7.0.0 >/dev/null
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
import asyncio

from pytimeparse import parse


async def deadline(text: str) -> str:
    async with asyncio.timeout(parse(text)) as timeout:
        return "never" if timeout.when() is None else "set"


for text in ("1.5s", "0.5s", "500ms", "90", "1s 500ms", "1:30"):
    print(f"pytimeparse {text}: {parse(text)}, deadline {asyncio.run(deadline(text))}")
PY
cat > read.mjs <<'JS'
import parseDuration from 'parse-duration'
import timestring from 'timestring'
const read = (reader, text) => { try { return `${reader(text)} ms` } catch { return 'refused' } }
for (const text of ['1.5s', '500ms', '1:30', '1,5s', '-1m']) {
  console.log(`${text}: parse-duration ${read(parseDuration, text)}, timestring ${read((t) => timestring(t, 'ms'), text)}`)
}
JS
node read.mjs >> seen
cat > expected <<'TXT'
pytimeparse 1.5s: 1.5, deadline set
pytimeparse 0.5s: 0.5, deadline set
pytimeparse 500ms: None, deadline never
pytimeparse 90: None, deadline never
pytimeparse 1s 500ms: None, deadline never
pytimeparse 1:30: 90, deadline set
1.5s: parse-duration 1500 ms, timestring 1500 ms
500ms: parse-duration 500 ms, timestring 500 ms
1:30: parse-duration 1.03 ms, timestring refused
1,5s: parse-duration 15000 ms, timestring 15000 ms
-1m: parse-duration -60000 ms, timestring 60000 ms
TXT
cat seen
diff expected seen
