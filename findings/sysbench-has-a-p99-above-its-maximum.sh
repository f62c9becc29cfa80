#!/usr/bin/env bash
# sysbench 1.0.20 (Debian 12) prints percentiles above the maximum that stands beside them.
#
# Guess: the 99th percentile of fifty latencies is between the smallest and the largest.
# Seen: the maximum was measured, the percentile is the value of a bucket of a logarithmic histogram, about 1.8 % wide, above or below what was measured. Of twelve runs some print a p99 that is more than the
#       maximum, such as 23.52 beside 23.35. All runs share one grid, so two that differ by a per cent print the same percentile, or differ by two.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q sysbench=1.0.20+ds-5 libmariadb3=1:10.11.19-0+deb12u1 libluajit-5.1-2=2.1.0~beta3+git20220320+dfsg-4.1+deb12u1 libluajit-5.1-common=2.1.0~beta3+git20220320+dfsg-4.1+deb12u1 libaio1=0.3.113-4 libpq5=15.20-0+deb12u1 libldap-2.5-0=2.5.13+dfsg-5 libsasl2-2=2.1.28+dfsg-10+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu
for _ in $(seq 12); do
  root/usr/bin/sysbench cpu --threads=1 --events=50 --percentile=99 --cpu-max-prime=20000 --time=5 run | awk '/max:/ {m = $2} /percentile:/ {p = $3} END {print m, p}'
done > runs
echo "sysbench 1.0.20, maximum and p99 of each run:"
cat runs
awk '$2 > $1 {above++} END {print above + 0, "of 12 above"; exit !above}' runs
