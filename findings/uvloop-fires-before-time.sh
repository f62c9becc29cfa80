#!/usr/bin/env bash
# uvloop 0.22.1 keeps time in whole milliseconds and may run a timer before it is due.
#
# Guess: `call_later(0.0004)` is called no earlier than 0.4 ms later, on uvloop as on asyncio, and `loop.time()` is the
#        monotonic clock.
# Seen: the delay is rounded to whole milliseconds, so 0.4 ms is called at once, and `loop.time()` takes some thousand values in
#       a second, where asyncio's takes a new one at every call. A generator that paces by these timers sends requests before
#       they are due, and one that measures with `loop.time()` measures in milliseconds. (asyncio is never early; it waits in
#       whole milliseconds of epoll, so it is up to one late.)
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check uvloop==0.22.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import time

import uvloop

DELAY_S = 0.0004


async def seen(name):
    loop = asyncio.get_running_loop()
    times, end = set(), time.perf_counter() + 0.1
    while time.perf_counter() < end:
        times.add(loop.time())
        await asyncio.sleep(0)
    took = []
    for _ in range(200):
        fired, began = asyncio.Event(), time.perf_counter()
        loop.call_later(DELAY_S, fired.set)
        await fired.wait()
        took.append(time.perf_counter() - began)
    whole = all(abs(at * 1000 - round(at * 1000)) < 1e-6 for at in times)
    print(f"{name}: times in whole milliseconds: {whole}; a timer before its time: {min(took) < DELAY_S}")


asyncio.run(seen("asyncio"))
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(seen("uvloop"))
PY
cat > "$tmp/expected" <<'TXT'
asyncio: times in whole milliseconds: False; a timer before its time: False
uvloop: times in whole milliseconds: True; a timer before its time: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
