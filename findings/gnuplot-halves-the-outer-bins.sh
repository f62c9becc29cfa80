#!/usr/bin/env bash
# gnuplot 5.4.4 (Debian 12) draws equally frequent latencies as if the shortest and the longest were half as frequent.
#
# Guess: `plot ... bins=5` cuts the range of the data into five, so a hundred values that are spread evenly are five bars of twenty.
# Seen: the first bar stands in the middle of the smallest value and the last of the largest, so the outer bins lie half outside the data: 13, 25, 24, 25 and 13. A
#       floor of a latency distribution looks like a rise and its end like a tail. With a `binrange` as wide as the data it is the same; counting by
#       `floor(x / 20)` gives what was guessed.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q gnuplot-nox=5.4.4+dfsg1-2+b2 liblua5.4-0=5.4.4-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'liblua5.4.so*' | head -1)")
seq 1 100 > latencies
bins() { root/usr/bin/gnuplot-nox -e "set table 'bars'; plot 'latencies' using 1 $1" 2>&1; awk '/^ *[0-9]/ { printf " %s:%s", $1, $2 }' bars; }
{
  echo "bins=5:$(bins bins=5)"
  echo "bins=5 binrange [0.5:100.5]:$(bins 'bins=5 binrange [0.5:100.5]')"
  root/usr/bin/gnuplot-nox -e "set table 'bars'; plot 'latencies' using (20 * floor((\$1 - 1) / 20)):(1) smooth frequency" 2> warnings
  echo "by hand:$(awk '/^ *[0-9]/ { printf " %s:%s", $1, $2 }' bars)"
} > seen
cat > expected <<'TXT'
bins=5: 1:13 25.75:25 50.5:24 75.25:25 100:13
bins=5 binrange [0.5:100.5]: 0.5:12 25.5:25 50.5:25 75.5:25 100.5:13
by hand: 0:20 20:20 40:20 60:20 80:20
TXT
cat seen
diff expected seen
