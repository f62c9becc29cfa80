#!/usr/bin/env bash
# polars 2.1.0 raises KeyboardInterrupt in every thread that is inside it, also where the program ignores SIGINT.
#
# Guess: KeyboardInterrupt is raised in the main thread, and only where Python's own handler of SIGINT is in place; a program that ignores
#        SIGINT, or takes it with a handler of its own, never sees one.
# Seen: importing polars puts a handler before the one there is. A query in another thread then raises KeyboardInterrupt for each SIGINT,
#       although the signal is ignored or the program's own handler is called as well. A handler that is set after the import
#       replaces polars', and no query is interrupted: the order of two lines decides.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check polars==2.1.0
cat > "$tmp/measure.py" <<'PY'
import os
import signal
import sys
import threading
import time

how = sys.argv[1]
taken, raised, ended = [], [], threading.Event()


def handle():
    signal.signal(signal.SIGINT, signal.SIG_IGN if "ignored" in how else lambda number, _: taken.append(number))


if "before" in how:
    handle()
import polars as pl

if "after" in how:
    handle()


def query():
    table = pl.LazyFrame({"a": range(2_000_000)})
    while not ended.is_set():
        try:
            table.select(pl.col("a").sort(descending=True).sum()).collect()
        except KeyboardInterrupt:
            raised.append(True)


thread = threading.Thread(target=query)
thread.start()
for _ in range(10):
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)
ended.set()
thread.join()
print(f"{how}: the handler was called {len(taken)} times, the other thread raised: {bool(raised)}")
PY
for how in "ignored before the import" "taken before the import" "ignored after the import" "taken after the import"; do
  "$tmp/venv/bin/python" "$tmp/measure.py" "$how"
done > "$tmp/seen"
cat > "$tmp/expected" <<'TXT'
ignored before the import: the handler was called 0 times, the other thread raised: True
taken before the import: the handler was called 10 times, the other thread raised: True
ignored after the import: the handler was called 0 times, the other thread raised: False
taken after the import: the handler was called 10 times, the other thread raised: False
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
