#!/usr/bin/env bash
# Pint 0.25.3 reads `rpm`, the unit of a quota for a model, as revolutions, which are 2 pi each in Hz.
#
# Guess: `600 rpm` is ten a second, whether requests or revolutions are meant, and `100 Mb` is 100 megabits or refused.
# Seen: it is 62.8 Hz: a revolution is an angle, and Hz is 1 / s, so a quota that is compared with a rate in Hz looks six times as large as it is. `count / minute` gives ten. `100 Mb` are megabarn, an area, and raise only when
#       they meet bytes.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check Pint==0.25.3
venv/bin/python -W ignore - > seen <<'PY'
import pint

unit = pint.UnitRegistry()
print("600 rpm:", f"{unit('600 rpm').to('Hz').magnitude:.3f} Hz")
print("600 count / minute:", f"{unit('600 count / minute').to('count / second').magnitude:.3f} a second")
print("100 Mb:", unit("100 Mb").units, dict(unit("100 Mb").dimensionality))
PY
cat > expected <<'TXT'
600 rpm: 62.832 Hz
600 count / minute: 10.000 a second
100 Mb: megabarn {'[length]': 2}
TXT
cat seen
diff expected seen
