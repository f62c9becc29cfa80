#!/usr/bin/env bash
# backoff 2.2.1 takes a constant interval for the most that it waits: polling every ten seconds is polling every five.
#
# Guess: `on_predicate(backoff.constant, interval=10)` waits ten seconds between two looks; jitter is for waits that grow.
# Seen: every wait is drawn anew between nothing and the interval, for constants, too, unless `jitter=None` is said. A thousand waits of
#       ten seconds take some 5,000 s, one in ten is shorter than a second, and a limit of twenty tries is reached in half the time: what
#       is polled for is given up, and is asked for twice as often. (The waits are taken from the handler `on_backoff`, not slept.)
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check backoff==2.2.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import random
import time

import backoff

time.sleep = lambda seconds: None


def waits_s(**how):
    random.seed(1)
    seen = []

    @backoff.on_predicate(backoff.constant, interval=10, max_tries=1001, on_backoff=lambda on: seen.append(on["wait"]), **how)
    def is_there():
        return False

    is_there()
    return seen


for name, waited in (("as it comes", waits_s()), ("jitter=None", waits_s(jitter=None))):
    short = sum(1 for wait in waited if wait < 1)
    print(f"{name}: {len(waited)} waits take {sum(waited) / 100:.0f}00 s, {short} shorter than 1 s, the longest {max(waited):.1f} s")
PY
cat > "$tmp/expected" <<'TXT'
as it comes: 1000 waits take 5100 s, 95 shorter than 1 s, the longest 10.0 s
jitter=None: 1000 waits take 10000 s, 0 shorter than 1 s, the longest 10.0 s
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
