#!/usr/bin/env bash
# ministat 20150715 (Debian 12) takes the upper one of the two middle values for the median, and NaN for a measurement.
#
# Guess: the median of four values is the mean of the middle two, as in every library of statistics; NaN is refused, as `timeout` is.
# Seen: the median of 1, 2, 3 and 4 is 3, with an even number of runs it is the larger one: of 10, 20, 500 and 1000 it is 500. A tool that prints mean and median side by side shows a skew
#       that the data have not. NaN is counted: N is 4, the median is a number, and mean and deviation are nan.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q ministat=20150715-1+b1 >/dev/null 2>&1
dpkg -x ministat_*.deb root
row() { printf '%s\n' "$@" > values; root/usr/bin/ministat -n values | tail -1 | xargs; }
{
  echo "N, min, max, median, mean, deviation"
  echo "1 2 3 4: $(row 1 2 3 4)"
  echo "10 20 500 1000: $(row 10 20 500 1000)"
  echo "1 2 3: $(row 1 2 3)"
  echo "with NaN: $(row 0.1 NaN 0.3 0.2)"
  echo "with timeout: $(row 1 2 3 timeout 2>&1 || true)"
} > seen
cat > expected <<'TXT'
N, min, max, median, mean, deviation
1 2 3 4: x 4 1 4 3 2.5 1.2909944
10 20 500 1000: x 4 10 1000 500 382.5 470.91224
1 2 3: x 3 1 3 2 2 1
with NaN: x 4 0.1 0.3 0.2 nan nan
TXT
grep -v timeout seen > compared
cat seen
diff expected compared
