#!/usr/bin/env bash
# pytest-benchmark 5.3.1: `--benchmark-compare-fail=mean:200%` passes a benchmark that is twenty times as slow and has a new name.
#
# Guess: a benchmark that the run it is compared with does not have fails, or warns.
# Seen: it is compared with nothing and passes, without a line about it; so does a run in which no benchmark has the old name, or the id of a parameter has changed. Under its old name
#       the same change fails. A missing run to compare with is an error, so the gate looks closed.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check pytest-benchmark==5.3.1 pytest==9.2.0
benchmark() { printf 'import time\n\n\ndef test_%s(benchmark):\n    benchmark.pedantic(time.sleep, args=(%s,), rounds=5)\n' "$1" "$2" > test_latency.py; }
run() { status=0; venv/bin/python -m pytest -q -p no:cacheprovider test_latency.py "$@" > out 2>&1 || status=$?; }
gate="--benchmark-compare=0001 --benchmark-compare-fail=mean:200%"
{
  benchmark send 0.01; run --benchmark-autosave; echo "saved: exit status $status"
  benchmark invoke 0.2; run $gate; echo "twenty times as slow, renamed: exit status $status, $(grep -ci 'warn\|regress\|missing' out || true) lines about it"
  benchmark send 0.2; run $gate; echo "twenty times as slow: $([ $status -ne 0 ] && echo fails), $(grep -c 'has regressed' out | sed 's/^[1-9].*/Performance has regressed/')"
} > seen
cat > expected <<'TXT'
saved: exit status 0
twenty times as slow, renamed: exit status 0, 0 lines about it
twenty times as slow: fails, Performance has regressed
TXT
cat seen
diff expected seen
