#!/usr/bin/env bash
# croniter 7.0.0 takes the six fields of an AWS schedule and means another day and every second of a minute.
#
# Guess: `0 9 ? * 2 *`, the inside of a scheduled action's `cron(...)`, is either read as AWS reads it or refused: it has a sixth
#        field and a question mark.
# Seen: AWS's sixth field is the year and its day 2 is Monday. croniter takes the sixth for seconds and 2 for Tuesday: "Mondays at
#       nine" becomes sixty times in the minute from nine, on Tuesdays. Nothing is refused.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check croniter==7.0.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime

from croniter import croniter

inside = "0 9 ? * 2 *"  # AWS: at 09:00 on Mondays, in every year
print("valid:", croniter.is_valid(inside))
after = croniter(inside, datetime(2026, 11, 29))
print([after.get_next(datetime).strftime("%A %H:%M:%S") for _ in range(3)])
five = croniter("0 9 * * 2", datetime(2026, 11, 29))
print(five.get_next(datetime).strftime("five fields: %A %H:%M:%S"))
PY
cat > "$tmp/expected" <<'TXT'
valid: True
['Tuesday 09:00:00', 'Tuesday 09:00:01', 'Tuesday 09:00:02']
five fields: Tuesday 09:00:00
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
