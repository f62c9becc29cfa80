#!/usr/bin/env bash
# miller 6.6.0 (Debian 12) takes text in a column of latencies for larger than each number, and for nothing where it takes the mean.
#
# Guess: `stats1` of a column with `timeout` in a cell gives an error, or leaves that row out of all statistics alike.
# Seen: p99 and max are the word `timeout`, the count holds it and the median has moved up by it, but the mean is that of the others: four requests, a mean of
#       three. NaN is a word, too. A filter `$latency > 250` keeps the row. The order is miller's own, numbers before text; nothing in the
#       answer says that the mean skips text.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q miller=6.6.0-2+b3 >/dev/null 2>&1
dpkg -x miller_*.deb root
mlr=root/usr/bin/mlr
statistics() { $mlr --icsv --onidx --ofs ' ' stats1 -a count,mean,p50,p99,max -f latency; }
{
  echo "count, mean, p50, p99, max"
  echo "with timeout: $(printf 'latency\n100\n200\ntimeout\n300\n' | statistics)"
  echo "with NaN: $(printf 'latency\n100\n200\nNaN\n300\n' | statistics)"
  echo "without: $(printf 'latency\n100\n200\n300\n' | statistics)"
  echo "above 250: $(printf 'latency\n100\ntimeout\n300\n' | $mlr --icsv --onidx filter '$latency > 250' | xargs)"
} > seen
cat > expected <<'TXT'
count, mean, p50, p99, max
with timeout: 4 200 300 timeout timeout
with NaN: 4 200 300 NaN NaN
without: 3 200 200 300 300
above 250: timeout 300
TXT
cat seen
diff expected seen
