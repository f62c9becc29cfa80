#!/usr/bin/env bash
# dateutils 0.4.10 (Debian 12) rounds seven minutes past midnight to five minutes and gets five past one.
#
# Guess: `dateutils.dround` of 00:07 with `5m` is 00:05 or 00:10, the nearest of the five-minute marks or the next.
# Seen: `5m` is the minute of the hour that is called 5: the next one is 01:05. All requests of an hour are in one window, named after the next hour; `/5m` means
#       multiples. What is less than a second is left out without a word: between .9 and 2.1 s there are 2, a second added to .5 is 1, and instants in seconds
#       since 1970 lose their digits, too, so latencies are whole seconds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q dateutils=0.4.10-1 >/dev/null 2>&1
dpkg -x dateutils_*.deb root
bin=root/usr/bin
{
  echo "00:07 to 5m: $($bin/dateutils.dround 2026-01-01T00:07:00 5m)"
  echo "00:07 to /5m: $($bin/dateutils.dround 2026-01-01T00:07:00 /5m)"
  echo "from .9 to 2.1 s: $($bin/dateutils.ddiff 2026-01-01T00:00:00.9 2026-01-01T00:00:02.1 -f %S)"
  echo "a second after .5: $($bin/dateutils.dadd 2026-01-01T00:00:00.5 1s)"
  echo "from 1700000000.9 to 1700000001.1: $($bin/dateutils.ddiff 1700000000.9 1700000001.1 -i %s -f %S)"
} > seen
cat > expected <<'TXT'
00:07 to 5m: 2026-01-01T01:05:00
00:07 to /5m: 2026-01-01T00:10:00
from .9 to 2.1 s: 2
a second after .5: 2026-01-01T00:00:01
from 1700000000.9 to 1700000001.1: 1
TXT
cat seen
diff expected seen
