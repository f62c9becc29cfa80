#!/usr/bin/env bash
# gnuplot 5.4.4 (Debian 12) takes its statistics of what the axis shows, and reads `1,000` as 1.
#
# Guess: `stats` is of the file; `set yrange [0:50]` is how much of it is drawn.
# Seen: values above the range are left out of the mean, the quartiles and the maximum: a plot that is cut at 50 ms has a maximum of 50 ms written on it, and a mean of
#       25.5 in place of 50.5. With xrange in its place nothing changes for a file of one column. A number is read up to where it ends: `1,000`, `1:30` and `5ms`
#       are 1, 1 and 5, and count as valid.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q gnuplot-nox=5.4.4+dfsg1-2+b2 liblua5.4-0=5.4.4-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'liblua5.4.so*' | head -1)")
seq 1 100 > latencies
printf '1,000\n1:30\n5ms\n' > written
told="print sprintf('%d %.2f %.0f', STATS_records, STATS_mean, STATS_max)"
{
  echo "count, mean, maximum: $(root/usr/bin/gnuplot-nox -e "stats 'latencies' nooutput; $told" 2>&1)"
  echo "with yrange [0:50]: $(root/usr/bin/gnuplot-nox -e "set yrange [0:50]; stats 'latencies' nooutput; $told" 2>&1)"
  echo "with xrange [0:50]: $(root/usr/bin/gnuplot-nox -e "set xrange [0:50]; stats 'latencies' nooutput; $told" 2>&1)"
  echo "1,000 and 1:30 and 5ms: $(root/usr/bin/gnuplot-nox -e "stats 'written' using 1 nooutput; $told" 2>&1)"
} > seen
cat > expected <<'TXT'
count, mean, maximum: 100 50.50 100
with yrange [0:50]: 50 25.50 50
with xrange [0:50]: 100 50.50 100
1,000 and 1:30 and 5ms: 3 2.33 5
TXT
cat seen
diff expected seen
