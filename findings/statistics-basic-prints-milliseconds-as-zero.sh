#!/usr/bin/env bash
# Statistics::Basic 1.6611 for perl (Debian 12) prints a mean of 1.4 ms in seconds as 0.
#
# Guess: a mean is a number, and prints as one; a standard deviation is the sample's, as in Statistics::Descriptive.
# Seen: it is an object that rounds to two decimals where it becomes text, and parts the thousands by a comma: latencies in seconds are 0, a mean of 1,234,567.5 us is
#       two cells of a CSV file. In arithmetic it has all its digits, so `$mean * 1000` is right and what the report says is not. The standard
#       deviation is that of a population. It goes on changing: a mean of a vector that grows is another mean when it is printed.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q libstatistics-basic-perl=1.6611-3 libnumber-format-perl=1.75-3 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat > measure.pl <<'PL'
use strict;
use warnings;
use Statistics::Basic qw(:all);

my $mean = mean(0.0012, 0.0016);
printf "seconds: %s, in ms: %g\n", "$mean", $mean * 1000;
printf "microseconds: %s\n", mean(1234567, 1234568);
printf "standard deviation of 1 to 4: %s\n", stddev(1, 2, 3, 4);
my $latencies = vector(1, 2, 3);
my $before = mean($latencies);
$latencies->append(10);
printf "mean of 1, 2 and 3, after 10 has come: %s\n", $before;
PL
PERL5LIB=$tmp/root/usr/share/perl5 perl measure.pl > seen
cat > expected <<'TXT'
seconds: 0, in ms: 1.4
microseconds: 1,234,567.5
standard deviation of 1 to 4: 1.12
mean of 1, 2 and 3, after 10 has come: 4
TXT
cat seen
diff expected seen
