#!/usr/bin/env bash
# lifelines 0.30.3 cuts durations to whole units: `datetimes_to_durations(..., freq="s")` makes 0 of 0.9 s.
#
# Guess: durations come as floats, so `freq` is the unit they are counted in.
# Seen: it is the unit they are cut to. Answers of 0.9, 1.95 and 0.4 s are 0.0, 1.0 and 0.0, and a survival curve of them falls to a third at once: a median of 0. `freq="ms"` keeps them. The array holds
#       floats, and nothing says that digits are gone.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check lifelines==0.30.3 pandas==2.3.3 numpy==2.2.0 scipy==1.16.3
venv/bin/python -W ignore - > seen <<'PY'
from lifelines import KaplanMeierFitter
from lifelines.utils import datetimes_to_durations

BEGAN = ["2026-06-01 12:00:00.000", "2026-06-01 12:00:01.000", "2026-06-01 12:00:02.000"]
ENDED = ["2026-06-01 12:00:00.900", "2026-06-01 12:00:02.950", "2026-06-01 12:00:02.400"]
for unit in ("s", "ms"):
    durations, _ = datetimes_to_durations(BEGAN, ENDED, freq=unit)
    median = KaplanMeierFitter().fit(durations).median_survival_time_
    print(f"{unit}: {[float(one) for one in durations]}, median {float(median)}")
PY
cat > expected <<'TXT'
s: [0.0, 1.0, 0.0], median 0.0
ms: [900.0, 1950.0, 400.0], median 900.0
TXT
cat seen
diff expected seen
