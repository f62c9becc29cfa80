#!/usr/bin/env bash
# Vega-Lite 5.20 (vl-convert 1.9.0.post1) draws every point at the same height where one value of a log axis is zero.
#
# Guess: a zero, which has no logarithm, is left out or drawn at the foot of the axis, and the others stay where they belong.
# Seen: the axis begins at the smallest value, zero, whose logarithm is minus infinity: 10 and 1,000 stand at the height of the zero, on
#       the upper edge of the chart. Only a domain that begins above zero (here with `clamp`) draws them apart. So does one
#       latency that a clock of whole milliseconds calls 0. Bars have no height even without a zero, as theirs begin at zero.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check vl-convert-python==1.9.0.post1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import re

import vl_convert


def drawn(mark, latencies_ms, **scale):
    y = {"field": "y", "type": "quantitative", "scale": {"type": "log", **scale}}
    return vl_convert.vegalite_to_svg(
        {
            "height": 200,
            "data": {"values": [{"x": place, "y": value} for place, value in enumerate(latencies_ms)]},
            "mark": mark,
            "encoding": {"x": {"field": "x", "type": "ordinal"}, "y": y},
        },
        vl_version="5.20",
    )


def heights(latencies_ms, **scale):
    """From the upper edge, 0, to the axis, 200."""
    drawing = drawn("point", latencies_ms, **scale)
    found = re.findall(r'aria-label="x: (\d+); y[^"]*"[^>]*transform="translate\([\d.]+,([\d.]+)\)"', drawing)
    found += [(x, y) for y, x in re.findall(r'transform="translate\([\d.]+,([\d.]+)\)"[^>]*aria-label="x: (\d+); y', drawing)]
    return [round(float(y)) for _, y in sorted(set(found))]


print("1, 10, 1000:", heights([1, 10, 1000]))
print("0, 10, 1000:", heights([0, 10, 1000]))
print("0, 10, 1000 from 1, clamped:", heights([0, 10, 1000], domain=[1, 1000], clamp=True))
of_background_and_bars = re.findall(r'd="M[\d.]+,[\d.]+h[\d.]+v([\d.]+)h-', drawn("bar", [10, 1000]))
print("bars of 10, 1000:", of_background_and_bars[1:])
PY
cat > "$tmp/expected" <<'TXT'
1, 10, 1000: [200, 133, 0]
0, 10, 1000: [0, 0, 0]
0, 10, 1000 from 1, clamped: [200, 133, 0]
bars of 10, 1000: ['0', '0']
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
