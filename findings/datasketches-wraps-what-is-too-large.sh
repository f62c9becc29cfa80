#!/usr/bin/env bash
# datasketches 5.2.0 (Python) wraps an array's integers to 32 bits: a latency of 5 s in nanoseconds is 0.7 s to a KLL sketch.
#
# Guess: `kll_ints_sketch` takes Python's integers, or refuses those that it has no room for, as a single value or in an array.
# Seen: a single 5,000,000,000 raises TypeError. In a numpy array of 64-bit integers the same value is taken and counted as 705,032,704, and
#       3,000,000,000 as a negative number: a maximum of 5 s becomes 2 s, a minimum -1.3 s. Nothing is said. The double sketch has them
#       right; the float sketch has 24 bits, so instants in epoch seconds lie 128 s apart.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check datasketches==5.2.0 numpy==2.4.6
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import numpy as np
from datasketches import kll_doubles_sketch, kll_floats_sketch, kll_ints_sketch

latencies_ns = [2_000_000_000, 3_000_000_000, 5_000_000_000]
try:
    kll_ints_sketch(200).update(latencies_ns[-1])
    print("ints, one value: taken")
except TypeError:
    print("ints, one value: TypeError")
for name, kind in (("ints", kll_ints_sketch), ("doubles", kll_doubles_sketch)):
    sketch = kind(200)
    sketch.update(np.array(latencies_ns))
    print(f"{name}, an array: n {sketch.n}, {sketch.get_min_value():.0f} to {sketch.get_max_value():.0f}")
floats = kll_floats_sketch(200)
floats.update(1_767_225_600 + 65)
print("floats, an instant:", f"{floats.get_max_value():.0f}", "for", 1_767_225_600 + 65)
PY
cat > "$tmp/expected" <<'TXT'
ints, one value: TypeError
ints, an array: n 3, -1294967296 to 2000000000
doubles, an array: n 3, 2000000000 to 5000000000
floats, an instant: 1767225728 for 1767225665
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
