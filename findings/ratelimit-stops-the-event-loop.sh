#!/usr/bin/env bash
# ratelimit 2.2.1 puts the whole event loop to sleep when an async function is over its limit.
#
# Guess: `@sleep_and_retry @limits(...)` on an async function is refused, or lets that call wait and all others go on.
# Seen: it counts the calls, and waits with `time.sleep` where the coroutine is made: of six calls at two in half a second, a task that should run every
#       10 ms stands still for a second. No answer is read in that time, so latencies of requests under way grow by up to a second, and the
#       service behind is blamed. (Its window is fixed besides: some nineteen calls fit into one half second at ten a half second.)
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check ratelimit==2.2.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import time

from ratelimit import limits, sleep_and_retry


@sleep_and_retry
@limits(calls=2, period=0.5)
async def call():
    pass


async def main():
    beats = []

    async def beat():
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    await asyncio.gather(*[call() for _ in range(6)])
    await asyncio.sleep(0.05)
    beating.cancel()
    longest = max(later - earlier for earlier, later in zip(beats, beats[1:]))
    print("longest time without a turn of the loop:", "more than 0.8 s" if longest > 0.8 else f"{longest:.2f} s")


asyncio.run(main())

instants = []
again = sleep_and_retry(limits(calls=10, period=0.5)(lambda: instants.append(time.monotonic())))
again()
time.sleep(0.45)
for _ in range(25):
    again()
most = max(sum(first <= instant < first + 0.5 for instant in instants) for first in instants)
print("ten a half second, most in any half second:", "more than 15" if most > 15 else most)
PY
cat > "$tmp/expected" <<'TXT'
longest time without a turn of the loop: more than 0.8 s
ten a half second, most in any half second: more than 15
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
