#!/usr/bin/env bash
# intervaltree 3.2.1 holds a set: three requests that began and ended together are one in flight.
#
# Guess: a tree of intervals has each interval that was put in, so `len(tree[t])` is the concurrency at t.
# Seen: intervals with equal ends and equal data are one. Of twelve requests in bursts of three, stamped in milliseconds, four are there, and the greatest
#       concurrency is 2 instead of 6. With an id as data, or with a clock that is fine enough, they are counted; the error is where the load is.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check intervaltree==3.2.1
cat > measure.py <<'PY'
from intervaltree import Interval, IntervalTree

requests = [(burst * 100, burst * 100 + 150) for burst in range(4) for _ in range(3)]
for name, intervals in {
    "without data": [Interval(began, ended) for began, ended in requests],
    "with an id": [Interval(began, ended, number) for number, (began, ended) in enumerate(requests)],
}.items():
    tree = IntervalTree(intervals)
    print(f"{name}: {len(requests)} requests, {len(tree)} in the tree, at most {max(len(tree[t]) for t in range(500))} in flight")
PY
venv/bin/python measure.py > seen
cat > expected <<'TXT'
without data: 12 requests, 4 in the tree, at most 2 in flight
with an id: 12 requests, 12 in the tree, at most 6 in flight
TXT
cat seen
diff expected seen
