#!/usr/bin/env bash
# rq 3.0.0: a job with `Retry(max=3, interval=1)` is tried once, and then neither waits, runs nor has failed.
#
# Guess: with an interval a worker tries again after it, and without one at once.
# Seen: without an interval it is tried four times. With one it is put into a registry of scheduled jobs that only a worker started with `with_scheduler=True` looks at: the next worker, two seconds later, does
#       not find it. It is in no queue and not in the registry of failed jobs, so a count of both says that all is done.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check rq==3.0.0 fakeredis==2.41.0
cat > jobs.py <<'PY'
calls = []


def fail(name):
    calls.append(name)
    raise ValueError(name)
PY
cat > measure.py <<'PY'
import time

import jobs
import rq
from fakeredis import FakeStrictRedis
from rq import Queue, Retry, SimpleWorker

connection = FakeStrictRedis()
queue = Queue(connection=connection)
enqueued = {"at once": queue.enqueue(jobs.fail, "at once", retry=Retry(max=3)), "after 1 s": queue.enqueue(jobs.fail, "after 1 s", retry=Retry(max=3, interval=1))}
for _ in range(2):
    SimpleWorker([queue], connection=connection).work(burst=True, logging_level="CRITICAL")
    time.sleep(2)
for name, job in enqueued.items():
    print(f"rq {rq.VERSION}, {name}: tried {jobs.calls.count(name)} times, {job.get_status().value}")
print(f"queued {len(queue)}, failed {queue.failed_job_registry.count}")
PY
venv/bin/python -W ignore measure.py > seen 2>errors || { cat errors; exit 1; }
cat > expected <<'TXT'
rq 3.0.0, at once: tried 4 times, failed
rq 3.0.0, after 1 s: tried 1 times, scheduled
queued 0, failed 1
TXT
cat seen
diff expected seen
