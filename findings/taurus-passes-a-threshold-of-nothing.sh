#!/usr/bin/env bash
# Taurus (bzt 1.17.2) passes a threshold on a request that nobody sent, and writes it as a passed test into the JUnit file.
#
# Guess: a criterion on a label that is not among the results is an error of the configuration, or fails, or is skipped.
# Seen: of forty answers that took 5 s, `avg-rt of /invocation>100ms` passes, for want of one letter: exit status 0, one passed test in JUnit, no
#       warning that names it. So does each label of a part of the load that never began. With the right name the status is not 0 and the test
#       is red. A gate that was never closed looks like one that holds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check bzt==1.17.2
cd "$tmp"
export HOME="$tmp"
{
  echo timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,grpThreads,allThreads,Latency,Connect
  for request in $(seq 0 39); do echo "$((1793700000000 + request * 500)),5000,/invocations,200,OK,user 1-1,true,10,1,1,10,1"; done
} > results.jtl
for label in /invocation /invocations; do
  cat > bench.yml <<YML
settings: {check-updates: false}
scenarios: {load: {}}
execution: [{executor: external-results-loader, data-file: results.jtl, scenario: load}]
reporting:
- {module: passfail, criteria: ["avg-rt of $label>100ms, continue as failed"]}
- {module: junit-xml, filename: junit.xml, data-source: pass-fail}
YML
  status=0
  "$tmp/venv/bin/python" -W ignore -m bzt.cli -o settings.artifacts-dir=artifacts bench.yml > log 2>&1 || status=$?
  echo "$label: status $((status != 0)), tests $(grep -c '<testcase' junit.xml), errors $(grep -c '<error' junit.xml || true)"
done > seen
cat > expected <<'TXT'
/invocation: status 0, tests 1, errors 0
/invocations: status 1, tests 1, errors 1
TXT
cat seen
diff expected seen
