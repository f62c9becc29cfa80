#!/usr/bin/env bash
# Time::Duration::Parse 0.16 for perl (Debian 12) gives whole seconds: half a second is 0, one and a half are two.
#
# Guess: `parse_duration("0.5 s")` is 0.5.
# Seen: it is rounded to a whole second, a half to the even one: a time-out of half a second is none, a poll every 0.5 s is a loop without a pause, 1.5 s and 2.5 s are both 2. `500ms` raises, so
#       who looks for trouble with short times finds that and writes 0.5. `1:30` is an hour and a half, `1,5 s` is two seconds.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q libtime-duration-parse-perl=0.16-1 libexporter-lite-perl=0.09-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat > measure.pl <<'PL'
use strict;
use warnings;
use Time::Duration::Parse;

for my $text ("0.5 s", "1.5 s", "2.5 s", "1.5 minutes", "500ms", "1:30", "1,5 s") {
    my $seconds = eval { parse_duration($text) };
    print "$text: ", $seconds // "raises", "\n";
}
PL
PERL5LIB=$tmp/root/usr/share/perl5 perl measure.pl > seen
cat > expected <<'TXT'
0.5 s: 0
1.5 s: 2
2.5 s: 2
1.5 minutes: 90
500ms: raises
1:30: 5400
1,5 s: 2
TXT
cat seen
diff expected seen
