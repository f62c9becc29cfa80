#!/usr/bin/env bash
# pybreaker 1.4.1 on an async function never opens, and retrying 1.4.2 tries one once.
#
# Guess: a decorator works on a coroutine, or refuses it as it is put on.
# Seen: both see the call that makes the coroutine, which always succeeds; what is raised at `await` passes them by. After ten failures at a limit of three the breaker is closed,
#       its counter 0, and each of its calls counts as a success, which would close a half-open one. Ten requests go to a service that is down, and three attempts
#       are one. The same breaker around a plain function opens at the third failure.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check pybreaker==1.4.1 retrying==1.4.2
cat > measure.py <<'PY'
import asyncio

import pybreaker
from retrying import retry

sent = []


def send() -> None:
    sent.append(1)
    raise ConnectionError


async def send_later() -> None:
    send()


def shown(name: str, breaker: pybreaker.CircuitBreaker) -> None:
    print(f"pybreaker, {name}: {len(sent)} of 10 sent, {breaker.current_state}, {breaker.fail_counter} failures")
    sent.clear()


breaker = pybreaker.CircuitBreaker(fail_max=3)
for _ in range(10):
    try:
        breaker(send)()
    except (ConnectionError, pybreaker.CircuitBreakerError):
        pass
shown("a function", breaker)
breaker = pybreaker.CircuitBreaker(fail_max=3)
for _ in range(10):
    try:
        asyncio.run(breaker(send_later)())
    except (ConnectionError, pybreaker.CircuitBreakerError):
        pass
shown("a coroutine", breaker)
attempts = retry(stop_max_attempt_number=3)
for name, call in {"a function": attempts(send), "a coroutine": lambda: asyncio.run(attempts(send_later)())}.items():
    try:
        call()
    except ConnectionError:
        print(f"retrying, {name}: {len(sent)} of 3 attempts")
    sent.clear()
PY
venv/bin/python measure.py > seen
cat > expected <<'TXT'
pybreaker, a function: 3 of 10 sent, open, 3 failures
pybreaker, a coroutine: 10 of 10 sent, closed, 0 failures
retrying, a function: 3 of 3 attempts
retrying, a coroutine: 1 of 3 attempts
TXT
cat seen
diff expected seen
