#!/usr/bin/env bash
# duckdb 2.0.1 samples ten per cent of a thousand requests as none or as all thousand, and of a hundred thousand as 2,000 to 27,000.
#
# Guess: `using sample 10%` takes each row with a chance of one in ten: about a hundred of a thousand, spread over the run.
# Seen: it takes or leaves blocks of 2,048 rows in a row. Of a small run it is all or nothing by the seed, and by chance without one. Of a large one it is
#       some dozen stretches of consecutive requests: neighbours in time, whose latencies are alike, so percentiles and intervals of the sample are those
#       of a few moments. `(bernoulli)` behind it is what the guess expects, and so are polars' and pandas' `sample`.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check duckdb==2.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import duckdb


def counts(rows: int, how: str) -> list[int]:
    """The sizes of the samples that fifty seeds give."""
    return sorted(duckdb.sql(f"select count(*) from range({rows}) using sample 10% ({how}, {seed})").fetchall()[0][0] for seed in range(1, 51))


unseeded = {duckdb.sql("select count(*) from range(1000) using sample 10%").fetchall()[0][0] for _ in range(50)}
print("of 1,000, no method named: all of them none or all:", unseeded <= {0, 1000})
print("of 1,000, system:", sorted(set(counts(1000, "system"))))
sizes = counts(100_000, "system")
print("of 100,000, system: less than half of what was asked", sizes[0] < 5_000, "and more than half as much again", sizes[-1] > 15_000)
small, large = counts(1000, "bernoulli"), counts(100_000, "bernoulli")
print("bernoulli: within 60 and 140 of 1,000", small[0] > 60 and small[-1] < 140, "within 9,500 and 10,500 of 100,000", large[0] > 9_500 and large[-1] < 10_500)
PY
cat > "$tmp/expected" <<'TXT'
of 1,000, no method named: all of them none or all: True
of 1,000, system: [0, 1000]
of 100,000, system: less than half of what was asked True and more than half as much again True
bernoulli: within 60 and 140 of 1,000 True within 9,500 and 10,500 of 100,000 True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
