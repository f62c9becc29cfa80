#!/usr/bin/env bash
# fastavro 1.13.1 cuts the fraction off a number that it writes as `long`, and takes a time in seconds for milliseconds.
#
# Guess: a float in a column of type `long` is refused, as it is in a union with null, and a float in a timestamp is what `time.time()` gives.
# Seen: 5.7 ms is written as 5 and 0.9 as 0, where the column may not be null; where it may, the same value raises. `time.time()` in `timestamp-millis` is a day in January 1970.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check fastavro==1.13.1
venv/bin/python -W ignore - > seen <<'PY'
import io

import fastavro


def written(kind, value):
    schema = fastavro.parse_schema({"type": "record", "name": "Request", "fields": [{"name": "value", "type": kind}]})
    file = io.BytesIO()
    try:
        fastavro.writer(file, schema, [{"value": value}])
    except Exception as error:
        return type(error).__name__
    file.seek(0)
    return next(fastavro.reader(file))["value"]


for value in (5.7, 0.9):
    print(value, "as long:", written("long", value), "| as null or long:", written(["null", "long"], value))
print("1764554409.5 as timestamp-millis:", written({"type": "long", "logicalType": "timestamp-millis"}, 1764554409.5))
PY
cat > expected <<'TXT'
5.7 as long: 5 | as null or long: ValueError
0.9 as long: 0 | as null or long: ValueError
1764554409.5 as timestamp-millis: 1970-01-21 10:09:14.409000+00:00
TXT
cat seen
diff expected seen
