#!/usr/bin/env bash
# limits 5.8.0 and throttled-py 3.5.0 let eighteen calls through in a second at ten a second, with a window that slides.
#
# Guess: a sliding window is there so that no second, wherever it begins, has more than ten; only fixed windows have bursts at their edges.
# Seen: both keep two counters, of this whole second and of the one before, and take the calls of the last one as spread evenly. After a pause, ten calls
#       late in a second leave eight to ten in the second after the first of them. The service's own limit, which looks at the calls, refuses what its client
#       thinks is within it. `MovingWindowRateLimiter` of limits keeps the instants and lets ten through.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check limits==5.8.0 throttled-py==3.5.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import time

from limits import RateLimitItemPerSecond, storage, strategies
from throttled import Throttled, per_sec


def most_in_a_second(name, allowed):
    time.sleep(1.8 - time.time() % 1)  # the first burst is late in a whole second
    began = time.monotonic()
    instants = []
    while time.monotonic() - began < 1.5:
        if allowed():
            instants.append(time.monotonic())
        time.sleep(0.002)
    most = max(sum(first <= instant < first + 1 for instant in instants) for first in instants)
    print(f"{name}: {'17 to 20' if 17 <= most <= 20 else '10' if most == 10 else most}")


ten = RateLimitItemPerSecond(10)
for kind in (strategies.SlidingWindowCounterRateLimiter, strategies.MovingWindowRateLimiter):
    limiter = kind(storage.MemoryStorage())
    most_in_a_second(kind.__name__, lambda: limiter.hit(ten, "endpoint"))
throttled = Throttled(key="endpoint", using="sliding_window", quota=per_sec(10))
most_in_a_second("throttled-py, sliding_window", lambda: not throttled.limit().limited)
PY
cat > "$tmp/expected" <<'TXT'
SlidingWindowCounterRateLimiter: 17 to 20
MovingWindowRateLimiter: 10
throttled-py, sliding_window: 17 to 20
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
