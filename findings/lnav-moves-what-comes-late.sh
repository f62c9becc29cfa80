#!/usr/bin/env bash
# lnav 0.11.1 (Debian 12) gives a line that is out of order the time of the line before it.
#
# Guess: `log_time` is the time that is written in the line.
# Seen: an access log has the instant at which a request came and is written when it ends, so each slow request stands behind quicker ones that came later. To lnav that is a line out of order, and its
#       `log_time` is the neighbour's: the request of 12:00:01 that took ten seconds has 12:00:11. Counts by minute, gaps and rates are of the end for slow requests and of the start for quick ones. What was
#       written is in `log_actual_time`, a hidden column.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q lnav=0.11.1-3 libpcre2-8-0=10.42-1+deb12u2 libreadline8=8.2-1.3 libncursesw6=6.4-4 libtinfo6=6.4-4 libarchive13=3.6.2-1+deb12u5 libcurl3-gnutls=7.88.1-10+deb12u15 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export HOME=$tmp LD_LIBRARY_PATH=$tmp/root/usr/lib/x86_64-linux-gnu:$tmp/root/lib/x86_64-linux-gnu
cat > access.log <<'LOG'
192.0.2.1 - - [01/Jun/2026:12:00:10 +0000] "GET /fast HTTP/1.1" 200 10
192.0.2.1 - - [01/Jun/2026:12:00:11 +0000] "GET /fast HTTP/1.1" 200 10
192.0.2.2 - - [01/Jun/2026:12:00:01 +0000] "POST /slow HTTP/1.1" 200 10
192.0.2.1 - - [01/Jun/2026:12:00:12 +0000] "GET /fast HTTP/1.1" 200 10
LOG
root/usr/bin/lnav -n -c ';select cs_uri_stem, log_time, log_actual_time from access_log' -c ':write-csv-to -' access.log > seen
cat > expected <<'TXT'
cs_uri_stem,log_time,log_actual_time
/fast,2026-06-01 12:00:10.000,2026-06-01 12:00:10.000
/fast,2026-06-01 12:00:11.000,2026-06-01 12:00:11.000
/slow,2026-06-01 12:00:11.000,2026-06-01 12:00:01.000
/fast,2026-06-01 12:00:12.000,2026-06-01 12:00:12.000
TXT
cat seen
diff expected seen
