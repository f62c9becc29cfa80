#!/usr/bin/env bash
# junit-to-ctrf 0.0.14 reads a test of twenty minutes, which Maven Surefire up to 3.1.0 writes as "1,200.500", as one of a second.
#
# Guess: a converter of JUnit files knows how JUnit's best-known writer writes a time, or refuses it.
# Seen: the number ends at the comma: 1,200.5 s is 1,000 ms, and 999.9 s beside it is 999,900. The longest test of a suite is among the quickest. junitparser
#       5.0.3 reads both right. junit2json 4.0.0 gives a text for the one and a number for the other, and a sum over them is a text: 0999.91,200.500.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit junit-to-ctrf@0.0.14 junit2json@4.0.0 >/dev/null
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check junitparser==5.0.3
cat > report.xml <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="load" tests="2" failures="0" errors="0" skipped="0" time="2,200.400">
  <testcase classname="load" name="ramp" time="999.900"/>
  <testcase classname="load" name="soak" time="1,200.500"/>
</testsuite>
XML
cat > measure.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { parse } from 'junit2json'

for (const { name, duration } of JSON.parse(readFileSync('ctrf.json')).results.tests) console.log(`junit-to-ctrf, ${name}: ${duration} ms`)
const times = (await parse(readFileSync('report.xml', 'utf8'))).testcase.map(test => test.time)
console.log('junit2json:', times, 'sum', times.reduce((sum, time) => sum + time, 0))
JS
cat > measure.py <<'PY'
from junitparser import JUnitXml

print("junitparser:", [case.time for suite in JUnitXml.fromfile("report.xml") for case in suite])
PY
{
  node_modules/.bin/junit-to-ctrf report.xml -o ctrf.json >/dev/null
  node measure.mjs
  venv/bin/python -W ignore measure.py
} > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
junit-to-ctrf, load: ramp: 999900 ms
junit-to-ctrf, load: soak: 1000 ms
junit2json: [ 999.9, '1,200.500' ] sum 999.91,200.500
junitparser: [999.9, 1200.5]
TXT
cat seen
diff expected seen
