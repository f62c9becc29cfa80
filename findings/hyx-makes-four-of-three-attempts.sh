#!/usr/bin/env bash
# hyx 0.0.2 makes four calls of `attempts=3`, and two of `attempts=1`.
#
# Guess: an attempt is a call, so three attempts are at most three calls and one attempt means no retry, as with tenacity 9.2.1, stamina 26.1.0
#        and botocore's `max_attempts`.
# Seen: it counts the calls after the first. Whoever sets one attempt to send an inference once, as it is billed, sends it twice under failure, and the
#       load that retries add is a third more than what was planned. What is raised is MaxAttemptsExceeded, after 0.5 s between each two calls.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check hyx==0.0.2 tenacity==9.2.1 stamina==26.1.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
from collections.abc import Callable

import stamina
import tenacity
from hyx.retry import retry

WAYS = {
    "hyx": lambda attempts: retry(attempts=attempts, backoff=0),
    "tenacity": lambda attempts: tenacity.retry(stop=tenacity.stop_after_attempt(attempts)),
    "stamina": lambda attempts: stamina.retry(on=ConnectionError, attempts=attempts, wait_initial=0, wait_max=0, wait_jitter=0),
}


def calls(decorate: Callable) -> int:
    made = []

    @decorate
    async def invoke() -> None:
        made.append(None)
        raise ConnectionError

    try:
        asyncio.run(invoke())
    except Exception:
        return len(made)
    raise AssertionError


for name, way in WAYS.items():
    print(f"{name}: " + ", ".join(f"{attempts} attempts are {calls(way(attempts))} calls" for attempts in (1, 3)))
PY
cat > "$tmp/expected" <<'TXT'
hyx: 1 attempts are 2 calls, 3 attempts are 4 calls
tenacity: 1 attempts are 1 calls, 3 attempts are 3 calls
stamina: 1 attempts are 1 calls, 3 attempts are 3 calls
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
