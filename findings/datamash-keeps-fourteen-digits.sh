#!/usr/bin/env bash
# datamash 1.7 (Debian 12) writes fourteen digits: the smallest of a column of instants is none of them.
#
# Guess: min, max and first give a number of the file as it stands there; sums have at least the sixteen or seventeen digits that a double holds.
# Seen: whatever is computed is rounded to fourteen digits, also a minimum. Of two instants in microseconds, 100 ms apart, the smallest is 44 us later than the
#       file says; in nanoseconds instants are known to 0.1 ms, and two that are 40 us apart are equal. Milliseconds have thirteen digits and are right. `range` is
#       taken before it is rounded. `--format %.0f` gives all digits.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q datamash=1.7-2 >/dev/null 2>&1
dpkg -x datamash_*.deb root
datamash=root/usr/bin/datamash
{
  echo "microseconds: $(printf '1700000000123456\n1700000000223456\n' | $datamash min 1 max 1 range 1)"
  echo "nanoseconds: $(printf '1700000000123456000\n1700000000123496000\n' | $datamash min 1 max 1 range 1)"
  echo "milliseconds: $(printf '1700000000123\n1700000000223\n' | $datamash min 1 max 1 range 1)"
  echo "microseconds, --format %.0f: $(printf '1700000000123456\n1700000000223456\n' | $datamash --format %.0f min 1 max 1)"
} | tr '\t' ' ' > seen
cat > expected <<'TXT'
microseconds: 1.7000000001235e+15 1.7000000002235e+15 100000
nanoseconds: 1.7000000001235e+18 1.7000000001235e+18 40000
milliseconds: 1700000000123 1700000000223 100
microseconds, --format %.0f: 1700000000123456 1700000000223456
TXT
cat seen
diff expected seen
