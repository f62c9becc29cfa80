#!/usr/bin/env bash
# fastavro 1.13.1 writes a record whose field is not in the schema, and null or the default in the place of the field that is.
#
# Guess: a record with `latencyMs` does not fit a schema with `latency_ms`, and the writer raises.
# Seen: where the field may be null or has a default, the value is dropped without a word: each latency is null, each retry count is 0. Only without a default it raises. `strict=True`, which is not the default, refuses it.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check fastavro==1.13.1
venv/bin/python -W ignore - > seen <<'PY'
import io

import fastavro


def written(fields, record, **options):
    schema = fastavro.parse_schema({"type": "record", "name": "Request", "fields": fields})
    file = io.BytesIO()
    try:
        fastavro.writer(file, schema, [record], **options)
    except Exception as error:
        return type(error).__name__
    file.seek(0)
    return list(fastavro.reader(file))


nullable = [{"name": "latency_ms", "type": ["null", "double"]}]
default = [{"name": "retries", "type": "int", "default": 0}]
needed = [{"name": "latency_ms", "type": "double"}]
print("may be null:", written(nullable, {"latencyMs": 1200.0}))
print("has a default:", written(default, {"retry_count": 3}))
print("neither:", written(needed, {"latencyMs": 1200.0}))
print("may be null, strict:", written(nullable, {"latencyMs": 1200.0}, strict=True))
PY
cat > expected <<'TXT'
may be null: [{'latency_ms': None}]
has a default: [{'retries': 0}]
neither: ValueError
may be null, strict: ValueError
TXT
cat seen
diff expected seen
