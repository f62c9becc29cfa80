#!/usr/bin/env bash
# uuid7 0.1.0 (Python) makes ids whose time everybody else reads as the year 2202, and reads others' ids as 1983.
#
# Guess: a UUID of version 7 holds its time in milliseconds, whichever library made it: ids of several services sort by when they were made, and the
#        time of a request can be read off its id.
# Seen: the package follows an early draft, in which the first 36 bits are whole seconds. Its ids say version 7, and uuid-utils 1.2.0 and uuid6 2025.0.1
#       read 2026 as 2202 in them. Sorted together, all its ids come after all others': a request that its client made before the
#       answer's id comes after the answer. Its own `uuid_to_datetime` reads the others' of 2026 as 1983 without a word.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check uuid7==0.1.0 uuid-utils==1.2.0 uuid6==2025.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import UTC, datetime

import uuid6
import uuid_extensions
import uuid_utils

sent_s, answered_s = 1_793_700_000, 1_793_700_060
request = uuid_extensions.uuid7(sent_s * 10**9)
answer = uuid_utils.uuid7(nanoseconds=answered_s * 10**9)
print(f"made {datetime.fromtimestamp(sent_s, UTC):%Y-%m}, version {request.version}")
for name, stamp_ms in (("uuid-utils", uuid_utils.UUID(str(request)).timestamp), ("uuid6", uuid6.UUID(str(request)).time)):
    print(f"{name} reads it as {datetime.fromtimestamp(stamp_ms / 1000, UTC):%Y-%m}")
print(f"uuid7 reads the answer's of uuid-utils as {uuid_extensions.uuid_to_datetime(str(answer)):%Y-%m}")
print("sorted by id:", *sorted(("request", "answer"), key=lambda name: str({"request": request, "answer": answer}[name])))
PY
cat > "$tmp/expected" <<'TXT'
made 2026-11, version 7
uuid-utils reads it as 2202-10
uuid6 reads it as 2202-10
uuid7 reads the answer's of uuid-utils as 1983-11
sorted by id: answer request
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
