#!/usr/bin/env bash
# libstatistics-descriptive-perl 3.0800 (Debian 12): `print $stat->percentile(99)` prints 198197, which is 198 and a place.
#
# Guess: `percentile` gives one number, as `median` and `quantile` do, and the p1 of a few values is the smallest of them.
# Seen: in a list, and the arguments of print, push and sprintf are one, it gives two: the value and its place in the order. Of 1 to 200 the p99 is 198 and
#       the line says 198197; where percentiles are pushed on a row each column after them is one further. The p1 of fifty values is undef, an empty cell.
#       `median` is 100.5 and `percentile(50)` 100.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q libstatistics-descriptive-perl=3.0800-1 liblist-moreutils-perl=0.430-2 libexporter-tiny-perl=1.006000-1 >/dev/null 2>&1
for deb in *.deb; do dpkg -x "$deb" root; done
cat > measure.pl <<'PL'
use strict;
use warnings;
use Statistics::Descriptive;

my $all = Statistics::Descriptive::Full->new;
$all->add_data(1 .. 200);
print "p99 ", $all->percentile(99), "\n";
print "p99 as text ", "" . $all->percentile(99), "\n";
my @row = ('endpoint', $all->percentile(50), $all->percentile(99), $all->max);
print join(",", @row), "\n";
print "median ", $all->median, "\n";
my $few = Statistics::Descriptive::Full->new;
$few->add_data(1 .. 50);
print "p1 of fifty ", defined scalar($few->percentile(1)) ? "a number" : "undef", "\n";
PL
perl -Iroot/usr/share/perl5 measure.pl > seen
cat > expected <<'TXT'
p99 198197
p99 as text 198
endpoint,100,99,198,197,200
median 100.5
p1 of fifty undef
TXT
cat seen
diff expected seen
