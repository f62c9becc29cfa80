#!/usr/bin/env bash
# time-machine 3.6.0 moves time.time() by a minute with `shift` and leaves time.monotonic() and asyncio's clock where they are.
#
# Guess: in a test that travels in time, a minute later is a minute later for each clock of the process.
# Seen: `time.time()` and `datetime.now()` move by 60 s; `time.monotonic()`, `time.perf_counter()` and an event loop's `time()` do not. A
#       circuit breaker that is open for 30 s on the monotonic clock is still open, and a latency measured around the
#       shift is zero.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check time-machine==3.6.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import datetime
import time

import time_machine

loop = asyncio.new_event_loop()
clocks = {
    "time.time": time.time,
    "time.time_ns": lambda: time.time_ns() / 1e9,
    "datetime.now": lambda: datetime.datetime.now().timestamp(),
    "time.monotonic": time.monotonic,
    "time.perf_counter": time.perf_counter,
    "asyncio's loop.time": loop.time,
}
with time_machine.travel(datetime.datetime(2026, 12, 1, tzinfo=datetime.timezone.utc), tick=False) as clock:
    for name, read in clocks.items():
        before_s = read()
        clock.shift(60)
        print(f"{name}: moved by a minute: {read() - before_s >= 60}")
loop.close()
PY
cat > "$tmp/expected" <<'TXT'
time.time: moved by a minute: True
time.time_ns: moved by a minute: True
datetime.now: moved by a minute: True
time.monotonic: moved by a minute: False
time.perf_counter: moved by a minute: False
asyncio's loop.time: moved by a minute: False
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
