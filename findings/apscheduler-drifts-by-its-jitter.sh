#!/usr/bin/env bash
# APScheduler 3.11.3 adds each jitter to the interval: every second with a jitter of half a second is every 1.25 s.
#
# Guess: jitter moves each firing a little to either side of its instant, and a thousand firings at one second take a thousand.
# Seen: it is between nothing and the whole jitter, later only, and the next interval begins where it ended, so delays add up: a thousand
#       firings take some 1,250 s. A cron trigger with the same jitter keeps its instants. A load of one request a second is
#       one of 0.8, and a poller of each full minute wanders through the minute.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check apscheduler==3.11.3
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import random
from datetime import datetime, timezone

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

began = datetime(2026, 11, 1, tzinfo=timezone.utc)
random.seed(1)
for name, trigger in (
    ("interval", IntervalTrigger(seconds=1, start_date=began, timezone=timezone.utc)),
    ("interval with jitter", IntervalTrigger(seconds=1, jitter=0.5, start_date=began, timezone=timezone.utc)),
    ("cron with jitter", CronTrigger(second="*", jitter=0.5, start_date=began, timezone=timezone.utc)),
):
    previous, now, gaps_s = None, began, []
    for _ in range(1001):
        now = trigger.get_next_fire_time(previous, now)
        if previous is not None:
            gaps_s.append((now - previous).total_seconds())
        previous = now
    print(f"{name}: 1,000 firings take {sum(gaps_s) / 10:.0f}0 s, the shortest gap {min(gaps_s):.1f} s")
PY
cat > "$tmp/expected" <<'TXT'
interval: 1,000 firings take 1000 s, the shortest gap 1.0 s
interval with jitter: 1,000 firings take 1260 s, the shortest gap 1.0 s
cron with jitter: 1,000 firings take 1000 s, the shortest gap 0.5 s
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
