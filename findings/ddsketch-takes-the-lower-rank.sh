#!/usr/bin/env bash
# ddsketch 3.0.1 answers a quantile with the lower neighbour: its p99 of fewer than a hundred values is never the largest.
#
# Guess: "relative accuracy 1 %" is within 1 % of the percentile that others report.
# Seen: the accuracy is that of one value, and the value is the one of rank floor(q (n - 1)). The p50 and the p99 of 1 and
#       100 are both 0.99; of fifty values of 1 and one of 100, p99 is 0.99 where the nearest rank is 100.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check ddsketch==3.0.1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from ddsketch import DDSketch

two, many = DDSketch(), DDSketch()
for value in (1, 100):
    two.add(value)
for value in [1] * 50 + [100]:
    many.add(value)
print("of 1 and 100:", [round(two.get_quantile_value(q), 2) for q in (0.5, 0.99, 1)])
print("of fifty 1 and a 100:", [round(many.get_quantile_value(q), 2) for q in (0.5, 0.99, 1)])
PY
cat > "$tmp/expected" <<'TXT'
of 1 and 100: [0.99, 0.99, 100.49]
of fifty 1 and a 100: [0.99, 0.99, 100.49]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
