#!/usr/bin/env bash
# aiobreaker 1.2.0 lets every waiting call through when a half-open circuit was to try one; around a coroutine pybreaker 1.4.1 never opens.
#
# Guess: after its time-out a circuit breaker lets one call through, and the others only when it succeeded; a decorated async function counts
#        its failures or is refused.
# Seen: with aiobreaker all of ten calls that come while the first is under way are sent, to a service that is still down: nothing keeps the
#       second out before the first has ended. `@breaker` of pybreaker ends when the coroutine has been made: each call is a success, five
#       failures in a row leave the circuit closed and its counter at 0.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check aiobreaker==1.2.0 pybreaker==1.4.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import contextlib
from datetime import timedelta

import aiobreaker
import pybreaker

n_sent = 0


async def invoke():
    global n_sent
    n_sent += 1
    await asyncio.sleep(0.1)
    raise OSError


async def main():
    global n_sent
    breaker = aiobreaker.CircuitBreaker(fail_max=2, timeout_duration=timedelta(seconds=0.3))
    for wait_s in (0, 0.5):
        await asyncio.sleep(wait_s)
        n_sent = 0
        for _ in range(2 if wait_s == 0 else 0):
            with contextlib.suppress(OSError, aiobreaker.CircuitBreakerError):
                await breaker.call_async(invoke)
        before, state = n_sent, breaker.current_state.name
        await asyncio.gather(*[breaker.call_async(invoke) for _ in range(10)], return_exceptions=True)
        print(f"aiobreaker, {'two failures' if wait_s == 0 else 'after its time-out'}: {state}, of ten calls at once sent {n_sent - before}")

    other = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=60)
    decorated = other(invoke)
    for _ in range(5):
        with contextlib.suppress(OSError):
            await decorated()
    print(f"pybreaker, five failures of a coroutine: {other.current_state}, counter {other.fail_counter}")


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
aiobreaker, two failures: OPEN, of ten calls at once sent 0
aiobreaker, after its time-out: OPEN, of ten calls at once sent 10
pybreaker, five failures of a coroutine: closed, counter 0
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
