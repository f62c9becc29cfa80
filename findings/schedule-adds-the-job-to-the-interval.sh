#!/usr/bin/env bash
# schedule 1.2.2 runs a job of ten seconds that is due every 60 seconds every 70 seconds.
#
# Guess: `every(60).seconds` begins the job once a minute; a job that is shorter than the interval does not move it.
# Seen: the next run is counted from the end of the last one. An hour has 51 runs instead of 60, and a number per run is no number
#       per minute. `every().minute.at(":00")` begins once a minute. The clock here is a false one that the job moves.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check schedule==1.2.2 time-machine==3.6.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import datetime

import schedule
import time_machine

BEGIN = datetime.datetime(2026, 12, 1, 9, 59, 59, tzinfo=datetime.timezone.utc)
for name, every in (("every(60).seconds", lambda: schedule.every(60).seconds), ('every().minute.at(":00")', lambda: schedule.every().minute.at(":00"))):
    with time_machine.travel(BEGIN, tick=False) as clock:
        began = []

        def job():
            began.append(f"{datetime.datetime.now():%M:%S}")
            clock.shift(10)

        every().do(job)
        while datetime.datetime.now(datetime.timezone.utc) < BEGIN + datetime.timedelta(hours=1):
            schedule.run_pending()
            clock.shift(1)
        schedule.clear()
    print(f"{name}: {len(began)} runs in an hour, at {', '.join(began[:4])}")
PY
cat > "$tmp/expected" <<'TXT'
every(60).seconds: 51 runs in an hour, at 00:59, 02:09, 03:19, 04:29
every().minute.at(":00"): 60 runs in an hour, at 00:00, 01:00, 02:00, 03:00
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
