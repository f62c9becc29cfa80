#!/usr/bin/env bash
# rrdtool 1.7.2 (Debian 12) counts what it does not know as the smallest value where it takes a percentile, and leaves it out of a mean.
#
# Guess: a percentile and a mean of a series are of the values that there are.
# Seen: `PERCENT` sorts the gaps below all values: of latencies of 10 to 60 ms with three idle minutes between them the median is 20 in place of 40, and where
#       there are more gaps than values it is unknown. p99 is the same, and so is the mean, which skips gaps, so nothing looks wrong: the median of a service
#       falls with each minute that it is idle or down. `PERCENTNAN` is what was guessed.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q rrdtool=1.7.2-4+b8 librrd8=1.7.2-4+b8 libdbi1=0.9.0-6 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'librrd.so*' | head -1)")
measure() {  # its name and the latency of each minute, U where there was no request
  local name=$1 minute=1700000040; shift
  root/usr/bin/rrdtool create "$name.rrd" --start $minute --step 60 DS:latency:GAUGE:120:0:U RRA:AVERAGE:0.5:1:100
  for latency in "$@"; do minute=$((minute + 60)); root/usr/bin/rrdtool update "$name.rrd" "$minute:$latency"; done
  root/usr/bin/rrdtool graph /dev/null --start 1700000040 --end $((minute - 60)) DEF:l="$name.rrd":latency:AVERAGE VDEF:a=l,50,PERCENT VDEF:b=l,50,PERCENTNAN \
    VDEF:c=l,99,PERCENT VDEF:d=l,AVERAGE PRINT:a:%.0lf PRINT:b:%.0lf PRINT:c:%.0lf PRINT:d:%.0lf | tail -n +2 | xargs
}
{
  echo "PERCENT 50, PERCENTNAN 50, PERCENT 99, AVERAGE"
  echo "no gap: $(measure whole 10 20 30 40 50 60)"
  echo "gaps: $(measure gaps 10 20 U U U 30 40 50 60)"
  echo "more gaps than values: $(measure more U U 10 20 U U U 30 U U 40)"
} > seen
cat > expected <<'TXT'
PERCENT 50, PERCENTNAN 50, PERCENT 99, AVERAGE
no gap: 40 40 60 35
gaps: 20 40 60 35
more gaps than values: -nan 30 40 25
TXT
cat seen
diff expected seen
