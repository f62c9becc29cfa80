#!/usr/bin/env bash
# retry 0.9.2 (Python) adds each jitter to the delay for good: a constant delay of a second grows with every attempt.
#
# Guess: `retry(delay=1, jitter=(0, 1))` waits between one and two seconds before each attempt.
# Seen: the first wait is the delay alone, the same for every client, and each further one is the one before plus a new draw: the twentieth is some ten
#       seconds, and twenty attempts take some 110 s where 30 were meant. A fixed `jitter=1` is 1, 2, 3, ... Where a
#       thousand clients fail together, all of them come back together after exactly one second. With `backoff` the draws are doubled, too.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check retry==0.9.2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import random

import retry.api

waits = []
retry.api.time.sleep = waits.append


def fail():
    raise OSError


def waits_of(**options):
    waits.clear()
    try:
        retry.api.retry_call(fail, logger=None, **options)
    except OSError:
        return list(waits)


print("jitter 1:", waits_of(tries=6, delay=1, jitter=1))
random.seed(1)
thousand = [waits_of(tries=21, delay=1, jitter=(0, 1)) for _ in range(1000)]
print("jitter 0 to 1, first waits of 1,000 clients:", sorted({seen[0] for seen in thousand}))
for i in (1, 9, 19):
    print(f"wait {i + 1}, mean of 1,000: {sum(seen[i] for seen in thousand) / 1000:.1f} s")
print(f"all twenty: {sum(map(sum, thousand)) / 1000:.0f} s")
print("grow only:", all(earlier <= later for seen in thousand for earlier, later in zip(seen, seen[1:])))
PY
cat > "$tmp/expected" <<'TXT'
jitter 1: [1, 2, 3, 4, 5]
jitter 0 to 1, first waits of 1,000 clients: [1]
wait 2, mean of 1,000: 1.5 s
wait 10, mean of 1,000: 5.5 s
wait 20, mean of 1,000: 10.5 s
all twenty: 115 s
grow only: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
