#!/usr/bin/env bash
# influxdb-client 1.50.0 leaves a field out that is NaN or infinite, without a word; a point that has no other field is an empty line.
#
# Guess: InfluxDB has no NaN, so a client raises; at least the number of points that arrive is the number that were made.
# Seen: a latency of NaN (a request that had no answer) is a point without the field, and where latency is the only field the line is empty. Counting the values of
#       `latency` counts those that had an answer, and an error rate over them is 0. None is treated alike. NaN as a tag is text.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check influxdb-client==1.50.0
cat > measure.py <<'PY'
from math import inf, nan

from influxdb_client import Point

for latency in (0.25, nan, inf, None):
    alone = Point("requests").field("latency", latency).to_line_protocol()
    beside = Point("requests").field("latency", latency).field("retries", 2).to_line_protocol()
    print(f"{latency}: {alone!r}, beside another field {beside!r}")
print(f"as a tag: {Point('requests').tag('latency', nan).field('retries', 2).to_line_protocol()!r}")
PY
venv/bin/python measure.py > seen
cat > expected <<'TXT'
0.25: 'requests latency=0.25', beside another field 'requests latency=0.25,retries=2i'
nan: '', beside another field 'requests retries=2i'
inf: '', beside another field 'requests retries=2i'
None: '', beside another field 'requests retries=2i'
as a tag: 'requests,latency=nan retries=2i'
TXT
cat seen
diff expected seen
