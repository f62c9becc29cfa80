#!/usr/bin/env bash
# APScheduler 3.11.3 reads the days of a crontab line one day late, and "the 13th or a Friday" as "Friday the 13th".
#
# Guess: `CronTrigger.from_crontab` reads a line as cron does: 1 is Monday, 0 and 7 are Sunday, and a line that restricts both the day of
#        the month and the day of the week fires on either.
# Seen: days count from Monday as 0, so `0 9 * * 1` fires on Tuesdays, `1-5` from Tuesday to Saturday, and 7 is refused. Names are right.
#       Both restrictions must hold: `0 9 13 * fri` fires in August 2027 first. croniter 7.0.0 reads all of them as cron does. A
#       nightly run of working days runs on Saturday and not on Monday.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check APScheduler==3.11.3 croniter==7.0.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import UTC, datetime

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

now = datetime(2026, 11, 28, tzinfo=UTC)  # a Saturday, at midnight
for line in ("0 9 * * 1", "0 9 * * mon", "0 9 * * 1-5", "0 9 * * 7", "0 9 13 * fri"):
    cron = f"{croniter(line, now).get_next(datetime):%a %d %b %Y}"
    try:
        apscheduler = f"{CronTrigger.from_crontab(line, timezone='UTC').get_next_fire_time(None, now):%a %d %b %Y}"
    except ValueError as error:
        apscheduler = type(error).__name__
    print(f"{line:12}  croniter {cron}  APScheduler {apscheduler}")
PY
cat > "$tmp/expected" <<'TXT'
0 9 * * 1     croniter Mon 30 Nov 2026  APScheduler Tue 01 Dec 2026
0 9 * * mon   croniter Mon 30 Nov 2026  APScheduler Mon 30 Nov 2026
0 9 * * 1-5   croniter Mon 30 Nov 2026  APScheduler Sat 28 Nov 2026
0 9 * * 7     croniter Sun 29 Nov 2026  APScheduler ValueError
0 9 13 * fri  croniter Fri 04 Dec 2026  APScheduler Fri 13 Aug 2027
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
