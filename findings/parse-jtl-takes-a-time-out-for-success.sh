#!/usr/bin/env bash
# parse-jtl 1.1.0 finds no error in JMeter's time-outs and failed assertions.
#
# Guess: a row of a JTL file whose `success` is false is an error, whatever its code.
# Seen: an error is a code of 400 or more, and `success` is not read. JMeter writes "Non HTTP response code: java.net.SocketTimeoutException" where
#       no answer came, which is no number, and 200 where an assertion failed: ten failures of a hundred are an error rate of 0 %, and their times are
#       among the latencies. performance-results-parser 0.0.10 reads JTL files with it and looks at transaction controllers only: a plan without them
#       has no samples and passes every threshold, a rate of errors below 1 % and a p99 below 1 ms.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit parse-jtl@1.1.0 performance-results-parser@0.0.10 >/dev/null
cat > measure.js <<'JS'
const { writeFileSync } = require('fs')
const { parse } = require('parse-jtl')
const results = require('performance-results-parser')

const HEADER = 'timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,' +
  'grpThreads,allThreads,URL,Latency,IdleTime,Connect'
function rows (count, began, elapsed, code, message, success, failure) {
  return [...Array(count).keys()].map(n => [began + 100 * n, elapsed, 'invoke', code, message, 'users 1-1', 'text', success, failure, 10, 10, 1, 1,
    'http://localhost/', success ? 50 : 0, 0, 1].join(','))
}
const timeOut = ['Non HTTP response code: java.net.SocketTimeoutException', 'Non HTTP response message: Read timed out']
const thresholds = [{ metric: 'Errors', checks: ['rate<0.01'] }, { metric: 'Duration', checks: ['p99<1'] }]
const cases = {
  'five time-outs': rows(5, 1793520009000, 60000, ...timeOut, false, ''),
  'five failed assertions': rows(5, 1793520009000, 100, 200, 'OK', false, 'Test failed: text expected to contain /done/'),
  'five answers of 503': rows(5, 1793520009000, 100, 503, 'Service Unavailable', false, ''),
}
for (const [name, failed] of Object.entries(cases)) {
  writeFileSync('run.jtl', [HEADER, ...rows(95, 1793520000000, 100, 200, 'OK', true, ''), ...failed].join('\n') + '\n')
  const { samples, error_rate: rate } = parse('run.jtl').total_requests
  const judged = results.parse({ type: 'jmeter', files: ['run.jtl'], thresholds })
  console.log(`${name} of ${samples}: error rate ${rate}; thresholds ${judged.status}`)
}
JS
node measure.js > seen
cat > expected <<'TXT'
five time-outs of 100: error rate 0; thresholds PASS
five failed assertions of 100: error rate 0; thresholds PASS
five answers of 503 of 100: error rate 0.05; thresholds PASS
TXT
cat seen
diff expected seen
