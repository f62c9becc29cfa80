#!/usr/bin/env bash
# lars 1.0 calls the microseconds of Apache's access log milliseconds: a request of 1.5 s has a `time_taken_ms` of 1,500,000.
#
# Guess: a field that is named for its unit is in that unit.
# Seen: Apache writes `%D` in microseconds; lars reads the number as it stands into `time_taken_ms`. `%T`, whole seconds, is `time_taken` beside it, so one
#       row says 1 s and 25 minutes. Whoever replays the log or looks for slow requests in it has latencies that are a thousand times too long.
#       apachelogs 0.6.1 calls the same field `request_duration_microseconds`.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check lars==1.0 apachelogs==0.6.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from apachelogs import LogParser
from lars.apache import ApacheSource

FORMAT, LINE = "%h %T %D", "10.0.0.1 1 1500000"
with ApacheSource([LINE + "\n"], log_format=FORMAT) as source:
    (row,) = source
print("lars:", {name: getattr(row, name) for name in row._fields if name.startswith("time_taken")})
entry = LogParser(FORMAT).parse(LINE)
print("apachelogs:", {"request_duration_seconds": entry.request_duration_seconds, "request_duration_microseconds": entry.request_duration_microseconds})
PY
cat > "$tmp/expected" <<'TXT'
lars: {'time_taken': 1, 'time_taken_ms': 1500000}
apachelogs: {'request_duration_seconds': 1, 'request_duration_microseconds': 1500000}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
