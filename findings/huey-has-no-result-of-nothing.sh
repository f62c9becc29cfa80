#!/usr/bin/env bash
# huey 3.5.4: a task that returns nothing never has a result.
#
# Guess: `result.get(blocking=True)` returns when the task has ended, with None where it returned None.
# Seen: None is not stored, so who waits for it waits until the time-out, though the task took a millisecond: a time-out of three seconds is reported for work that was done. Latencies of tasks that return nothing
#       are the time-out, all of them. `store_none=True` is the switch.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check huey==3.5.4
cat > measure.py <<'PY'
import os

from huey import MemoryHuey

for options in ({}, {"store_none": True}):
    queue = MemoryHuey(**options)
    done = []

    @queue.task()
    def work(returned):
        done.append(returned)
        return returned

    consumer = queue.create_consumer(workers=1, periodic=False)
    consumer.start()
    for returned in (1, None):
        result = work(returned)
        try:
            answer = result.get(blocking=True, timeout=3)
        except Exception as error:
            answer = error
        print(f"{options}: returned {returned}, done {returned in done}, got {answer}", flush=True)
    consumer.stop(graceful=True)
os._exit(0)
PY
venv/bin/python measure.py > seen 2>errors || { cat errors; exit 1; }
cat > expected <<'TXT'
{}: returned 1, done True, got 1
{}: returned None, done True, got timed out waiting for result
{'store_none': True}: returned 1, done True, got 1
{'store_none': True}: returned None, done True, got None
TXT
cat seen
diff expected seen
