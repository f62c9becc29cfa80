#!/usr/bin/env bash
# jq 1.6 (Debian 12) reads a UTC instant an hour late where the machine's own time zone has summer time.
#
# Guess: `fromdate` of an instant that ends with Z does not depend on the zone of whoever reads it.
# Seen: with the zone of Berlin, 12:00:00Z in July is one o'clock, and `fromdate | todate` moves an instant by an hour; in January it is right, and in UTC, where
#       tests and containers run, all year. `strptime(...) | mktime` does the same. An offset that `%z` reads is left out: 12:00:00+0200 is 12:00:00Z.
#       Latencies from two logs, one in seconds since 1970 and one read by jq, are an hour longer for half a year.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q jq=1.6-2.1+deb12u3 libjq1=1.6-2.1+deb12u3 libonig5=6.9.8-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'libjq.so*' | head -1)")
berlin=CET-1CEST,M3.5.0,M10.5.0/3
there_and_back() { TZ=$1 root/usr/bin/jq -rn --arg instant "$2" '$instant | fromdate | todate'; }
{
  echo "UTC, July: $(there_and_back UTC0 2026-07-01T12:00:00Z)"
  echo "Berlin, July: $(there_and_back $berlin 2026-07-01T12:00:00Z)"
  echo "Berlin, January: $(there_and_back $berlin 2026-01-01T12:00:00Z)"
  echo "an offset: $(TZ=UTC0 root/usr/bin/jq -rn '"2026-07-01T12:00:00+0200" | strptime("%Y-%m-%dT%H:%M:%S%z") | mktime | todate')"
} > seen
cat > expected <<'TXT'
UTC, July: 2026-07-01T12:00:00Z
Berlin, July: 2026-07-01T13:00:00Z
Berlin, January: 2026-01-01T12:00:00Z
an offset: 2026-07-01T12:00:00Z
TXT
cat seen
diff expected seen
