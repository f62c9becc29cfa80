#!/usr/bin/env bash
# measured-core 2.0.0 reports 63 a second after a minute at a hundred, and 18 as the rate of five minutes; its current rate is for one reader only.
#
# Guess: the rates of one, five and fifteen minutes of a meter begin at what was measured, as in Dropwizard's metrics, whose port it is, and in pyformance
#        0.4, Python's port; reading a metric does not change it.
# Seen: they begin at 0 and grow: after a minute at a hundred a second they are 63, 18 and 6, and one of fifteen minutes is within a tenth
#       of the truth after half an hour. pyformance says 100 for all three. `currentRate` counts since anybody last asked: of two reporters the
#       second has 0. A scaling rule that reads the rate of five minutes sees a fifth of the load that is there.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit measured-core@2.0.0 @sinonjs/fake-timers@15.5.0 >/dev/null
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check pyformance==0.4 'setuptools==79.0.1'
cat > measure.js <<'JS'
const clock = require('@sinonjs/fake-timers').install({ now: 1793700000000 })
const { Meter } = require('measured-core')

const meter = new Meter({ keepAlive: true })
for (let tenth = 0; tenth < 600; tenth++) {
  clock.tick(100)
  meter.mark(10)
}
const first = meter.toJSON()
console.log('measured-core:', ...['1MinuteRate', '5MinuteRate', '15MinuteRate'].map(name => first[name].toFixed(0)))
console.log('measured-core, current rate: first reader', first.currentRate.toFixed(0), 'second reader', meter.toJSON().currentRate.toFixed(0))
JS
cat > measure.py <<'PY'
from pyformance.meters import Meter


class Clock:
    now_s = 0.0

    def time(self) -> float:
        return self.now_s


clock = Clock()
meter = Meter(clock=clock)
for tenth in range(600):
    clock.now_s = (tenth + 1) / 10
    meter.mark(10)
rates = meter.get_one_minute_rate(), meter.get_five_minute_rate(), meter.get_fifteen_minute_rate()
print("pyformance:", *(f"{rate:.0f}" for rate in rates))
PY
{ node measure.js; venv/bin/python -W ignore measure.py; } > seen 2> errors || { cat errors; exit 1; }
cat > expected <<'TXT'
measured-core: 63 18 6
measured-core, current rate: first reader 100 second reader 0
pyformance: 100 100 100
TXT
cat seen
diff expected seen
