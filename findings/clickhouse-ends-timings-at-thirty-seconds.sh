#!/usr/bin/env bash
# chdb 4.4.0 (ClickHouse 26.9) ends every value at 30,000 in `quantileTiming`, its function for response times.
#
# Guess: `quantileTiming(0.99)` of response times in milliseconds is their p99, exact or nearly so.
# Seen: whatever is above 30,000 is 30,000: of a hundred answers of 1 to 100 s p50 and p99 are 30 s, and so is the p99 of ninety-nine of 5 ms and
#       one of two minutes. Of times in microseconds everything above 30 ms is 30 ms. A queue that gets worse from there on has the same chart, and
#       a threshold of 60 s is never missed. `quantile` and `quantileExact` know no such end.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check --no-deps chdb==4.4.0 chdb-core==26.9.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import chdb

latencies_ms = {"1 to 100 s": [1000 * second for second in range(1, 101)], "99 of 5 ms, one of 120 s": [5] * 99 + [120_000]}
for name, values in latencies_ms.items():
    for share in (0.5, 0.99, 1):
        asked = ", ".join(f"{function}({share})(ms)" for function in ("quantileTiming", "quantileExact"))
        timing, exact = chdb.query(f"select {asked} from (select arrayJoin({values}) as ms)").data().strip().split(",")
        print(f"{name}, p{100 * share:g}: quantileTiming {timing}, quantileExact {exact}")
PY
cat > "$tmp/expected" <<'TXT'
1 to 100 s, p50: quantileTiming 30000, quantileExact 51000
1 to 100 s, p99: quantileTiming 30000, quantileExact 100000
1 to 100 s, p100: quantileTiming 30000, quantileExact 100000
99 of 5 ms, one of 120 s, p50: quantileTiming 5, quantileExact 5
99 of 5 ms, one of 120 s, p99: quantileTiming 30000, quantileExact 120000
99 of 5 ms, one of 120 s, p100: quantileTiming 30000, quantileExact 120000
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
