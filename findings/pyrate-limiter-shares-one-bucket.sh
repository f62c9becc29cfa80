#!/usr/bin/env bash
# pyrate-limiter 4.5.1 has one bucket for all names: two calls for one endpoint use up the rate of every other.
#
# Guess: `try_acquire(name)` counts for each name, as `limits` does for each identifier and as this library did up to version 2.
# Seen: the name is a label on the entry. With two a second, two calls named "a" are let through, and the first of "b" and of "c"
#       are refused; `limits` 5.8.0 lets both through. A limiter by endpoint throttles all endpoints together. A bucket for each
#       name needs a BucketFactory of one's own.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check pyrate-limiter==4.5.1 limits==5.8.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pyrate_limiter import Duration, Limiter, Rate

asked = ["a", "a", "b", "c"]
limiter = Limiter(Rate(2, Duration.HOUR))
print("pyrate-limiter:", [(name, limiter.try_acquire(name, blocking=False)) for name in asked])
other, rate = MovingWindowRateLimiter(MemoryStorage()), parse("2/hour")
print("limits:        ", [(name, other.hit(rate, name)) for name in asked])
PY
cat > "$tmp/expected" <<'TXT'
pyrate-limiter: [('a', True), ('a', True), ('b', False), ('c', False)]
limits:         [('a', True), ('a', True), ('b', True), ('c', True)]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
