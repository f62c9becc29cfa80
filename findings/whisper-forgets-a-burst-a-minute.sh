#!/usr/bin/env bash
# whisper 1.1.10, Graphite's file format, forgets a burst a minute as soon as it rolls ten seconds up to a minute, and divides a count by six.
#
# Guess: a count that is kept by ten seconds for an hour and by the minute for a year is the sum in the year's part, or at least its mean.
# Seen: of a minute of which less than half the slots have a value nothing is kept (xFilesFactor 0.5, the default of `create`): thirty requests in
#       each minute, all in one slot, are no request in ten minutes. With five in each slot, thirty a minute are five. A sparse trace that is read
#       for a replay after its fine part has expired has no arrivals. `create(..., xFilesFactor=0, aggregationMethod="sum")` keeps both, and only
#       for a file that does not exist yet.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check whisper==1.1.10 six==1.17.0
"$tmp/venv/bin/python" -W ignore - "$tmp" > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import sys
from pathlib import Path

import whisper

BEGAN_S = 1_793_700_000  # a whole minute
ARCHIVES = [(10, 360), (60, 525_600)]


def minutes(name: str, counts: dict[int, float], **settings: object) -> list:
    """What the file has of ten minutes in which each slot of ten seconds got its count, by the minute."""
    path = str(Path(sys.argv[1]) / f"{name}.wsp")
    whisper.create(path, ARCHIVES, **settings)
    for minute in range(10):
        for slot, count in counts.items():
            at = BEGAN_S + 60 * minute + 10 * slot
            whisper.update(path, count, at, now=at + 1)
    two_hours_later = BEGAN_S + 7200
    return whisper.fetch(path, BEGAN_S - 60, BEGAN_S + 540, now=two_hours_later)[1]


burst, steady = {2: 30.0}, {slot: 5.0 for slot in range(6)}
print("30 in one slot of each minute:", set(minutes("burst", burst)))
print("5 in each of six slots:", set(minutes("steady", steady)))
kept = {"xFilesFactor": 0.0, "aggregationMethod": "sum"}
print("30 in one slot, xFilesFactor 0 and sum:", set(minutes("kept-burst", burst, **kept)))
print("5 in each of six slots, xFilesFactor 0 and sum:", set(minutes("kept-steady", steady, **kept)))
PY
cat > "$tmp/expected" <<'TXT'
30 in one slot of each minute: {None}
5 in each of six slots: {5.0}
30 in one slot, xFilesFactor 0 and sum: {30.0}
5 in each of six slots, xFilesFactor 0 and sum: {30.0}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
