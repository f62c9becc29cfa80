#!/usr/bin/env bash
# num-utils 0.5 (Debian 12) does not know powers of ten: the sum of 1.5e-3 s and 2 s is 3.5.
#
# Guess: numsum and numaverage read what Python, awk and C write for a small number.
# Seen: they take the number before the `e` and leave the rest: 8e-05 s, as Python writes 80 us, is eight seconds. Latencies that a program wrote are wrong only
#       where they are below 0.1 ms, or from 1e16 on, so a first look shows nothing. A time such as `1:30` is 1, and 1,234.5 is 1. The median of four is the
#       third.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q num-utils=0.5-15 >/dev/null 2>&1
dpkg -x num-utils_*.deb root
bin=root/usr/bin
{
  echo "sum of 1.5e-3 and 2: $(printf '1.5e-3\n2\n' | perl $bin/numsum)"
  echo "mean of 8e-05 and 0.0002: $(printf '8e-05\n0.0002\n' | perl $bin/numaverage)"
  echo "sum of 1:30: $(printf '1:30\n' | perl $bin/numsum)"
  echo "sum of 1,234.5: $(printf '1,234.5\n' | perl $bin/numsum)"
  echo "median of 1, 2, 3 and 100: $(printf '1\n2\n3\n100\n' | perl $bin/numaverage -M)"
} > seen
cat > expected <<'TXT'
sum of 1.5e-3 and 2: 3.5
mean of 8e-05 and 0.0002: 4.0001
sum of 1:30: 1
sum of 1,234.5: 1
median of 1, 2, 3 and 100: 3
TXT
cat seen
diff expected seen
