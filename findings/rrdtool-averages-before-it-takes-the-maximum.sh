#!/usr/bin/env bash
# rrdtool 1.7.2 (Debian 12) takes the maximum of means: a peak of 1,000 ms is 505 in an archive of MAX.
#
# Guess: an `RRA:MAX` with a row a minute has the largest value that was put in that minute.
# Seen: all values of a step become one first, their mean over time, and MAX chooses among those: of 10 ms for half a minute and 1,000 ms for the other half the
#       maximum is 505, and so is the minimum. MAX, MIN and AVERAGE of a row that holds one step are equal. Steps of thirty seconds that are rolled up to the same
#       minute keep the peak.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q rrdtool=1.7.2-4+b8 librrd8=1.7.2-4+b8 libdbi1=0.9.0-6 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'librrd.so*' | head -1)")
rrdtool=root/usr/bin/rrdtool
start=1700000040
measure() {  # the step; what each archive has for the first minute
  $rrdtool create "$1.rrd" --start $start --step "$1" DS:latency:GAUGE:120:0:U RRA:MIN:0.5:$((60 / $1)):9 RRA:AVERAGE:0.5:$((60 / $1)):9 RRA:MAX:0.5:$((60 / $1)):9
  $rrdtool update "$1.rrd" $((start + 30)):10 $((start + 60)):1000 $((start + 120)):10
  for kind in MIN AVERAGE MAX; do $rrdtool fetch "$1.rrd" $kind --start $start --end $((start + 59)) --resolution 60 | awk 'NR == 3 { printf " %s %.0f", "'$kind'", $2 }'; done
}
{
  echo "steps of a minute:$(measure 60)"
  echo "steps of thirty seconds:$(measure 30)"
} > seen
cat > expected <<'TXT'
steps of a minute: MIN 505 AVERAGE 505 MAX 505
steps of thirty seconds: MIN 10 AVERAGE 505 MAX 1000
TXT
cat seen
diff expected seen
