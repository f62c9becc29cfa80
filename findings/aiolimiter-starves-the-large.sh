#!/usr/bin/env bash
# aiolimiter 1.3.0 serves who asks for least, not who came first: a large request waits as long as small ones come.
#
# Guess: those who wait for a limiter get in line, as at asyncio's own locks and semaphores; a batch of eight is through
#        before what came after it.
# Seen: the waiting ones are a heap, the smallest amount on top. A batch of eight asks first; fifteen single requests that ask after it, of
#       which the last came when the first was already through, are all served before it. As long as single requests take the
#       whole rate, the batch never gets its turn, and its latency says nothing about the service behind the limiter.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check aiolimiter==1.3.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio

from aiolimiter import AsyncLimiter


async def main():
    limiter = AsyncLimiter(max_rate=10, time_period=0.5)
    await limiter.acquire(10)  # it is full: from here on all wait
    served = []

    async def ask(name, amount):
        await limiter.acquire(amount)
        served.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask("eight", 8))
        for i in range(15):
            await asyncio.sleep(0.01)
            tasks.create_task(ask(f"one {i}", 1))
    print("asked first, served as number", served.index("eight") + 1, "of", len(served))
    print("those of one in the order in which they came:", [name for name in served if name != "eight"] == [f"one {i}" for i in range(15)])


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
asked first, served as number 16 of 16
those of one in the order in which they came: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
