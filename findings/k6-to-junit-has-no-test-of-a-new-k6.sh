#!/usr/bin/env bash
# k6-to-junit 1.0.3 finds no thresholds in the summary of k6 1.0 and later, and writes a suite without failures.
#
# Guess: a converter of k6's summary writes a test for each threshold, or says that it does not know the layout.
# Seen: with the layout before 1.0 (`--summary-mode=legacy` now) it does: two tests, one failure. Of a summary with a block of THRESHOLDS it writes a suite of no tests and no failures, with exit status 0: the missed p95 stands in the
#       text of the report and in no result. The pipe hides k6's own status, so a gate that has not looked at anything passes.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit k6-to-junit@1.0.3 >/dev/null
cat > before.txt <<'TXT'
     script: load.js

     ✓ http_req_failed............: 1.00%  ✓ 1 ✗ 99
     ✗ http_req_duration..........: avg=120ms min=10ms med=100ms max=900ms p(90)=300ms p(95)=600ms
       http_reqs..................: 100    9.9/s
TXT
cat > since.txt <<'TXT'
        script: load.js

  █ THRESHOLDS

    http_req_duration
    ✗ 'p(95)<200' p(95)=600ms

    http_req_failed
    ✓ 'rate<0.05' rate=1.00%


  █ TOTAL RESULTS

    HTTP
    http_req_duration..............: avg=120ms min=10ms med=100ms max=900ms p(90)=300ms p(95)=600ms
    http_req_failed................: 1.00%  1 out of 100
    http_reqs......................: 100    9.9/s
TXT
for layout in before since; do
  status=0
  npx k6-to-junit "$layout.xml" < "$layout.txt" >/dev/null 2>&1 || status=$?
  echo "$layout 1.0: $(grep -oE 'testsuites tests="[0-9]+" failures="[0-9]+"' "$layout.xml" | cut -d' ' -f2-), exit status $status"
done > seen
cat > expected <<'TXT'
before 1.0: tests="2" failures="1", exit status 0
since 1.0: tests="0" failures="0", exit status 0
TXT
cat seen
diff expected seen
