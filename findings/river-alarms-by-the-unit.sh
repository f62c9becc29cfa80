#!/usr/bin/env bash
# river 0.23.0: whether Page-Hinkley finds a change depends on the unit of the latencies.
#
# Guess: a test for drift is scaled by the spread that it has seen, so seconds and milliseconds give the same alarms.
# Seen: `threshold=50` and `delta=0.005` are in the unit of the data. A thousand latencies near 0.1 s that become half as long again are no drift in seconds; the same values in milliseconds are an alarm at each thirtieth
#       value, as often as it may look, also where nothing changes at all.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check river==0.23.0 typing_extensions==4.15.0
venv/bin/python -W ignore - > seen <<'PY'
import random

from river import drift


def alarms(unit: int, growth: float) -> int:
    """Alarms among 2,000 latencies, the second thousand of which is `growth` times as long."""
    test, chance = drift.PageHinkley(), random.Random(2)
    found = 0
    for number in range(2000):
        test.update(chance.lognormvariate(-2.3, 0.3) * (growth if number >= 1000 else 1) * unit)
        found += test.drift_detected
    return found


for growth in (1.0, 1.5):
    print(f"grown by {growth}: {alarms(1, growth)} alarms in seconds, {alarms(1000, growth)} in milliseconds")
PY
cat > expected <<'TXT'
grown by 1.0: 0 alarms in seconds, 66 in milliseconds
grown by 1.5: 0 alarms in seconds, 66 in milliseconds
TXT
cat seen
diff expected seen
