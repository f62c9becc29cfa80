#!/usr/bin/env bash
# jq 1.6 (Debian 12) says that a p99 which is not there is below 500 ms.
#
# Guess: `jq -e '.p99 < 500'` fails, or raises, where the summary has no p99 or where it is null.
# Seen: null is less than every number and text is more, so a missing p99 and a null one meet every target, with exit status 0, and "450" as text misses it. The
#       largest of 100, "9" and null is "9" and the smallest null. `add / length`, the usual mean, adds nothing for null and counts it: two answers of 100 ms
#       and two time-outs are a mean of 50.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q jq=1.6-2.1+deb12u3 libjq1=1.6-2.1+deb12u3 libonig5=6.9.8-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(dirname "$(find root -name 'libjq.so*' | head -1)")
met() { if echo "$1" | root/usr/bin/jq -e '.p99 < 500' > /dev/null; then echo met; else echo missed; fi; }
{
  for summary in '{"p99": 450}' '{"p99": 550}' '{}' '{"p99": null}' '{"p99": "450"}'; do echo "$summary: $(met "$summary")"; done
  echo "min and max of 100, \"9\" and null: $(root/usr/bin/jq -cn '[100, "9", null] | [min, max]')"
  echo "mean of 100, 100, null and null: $(root/usr/bin/jq -n '[100, 100, null, null] | add / length')"
} > seen
cat > expected <<'TXT'
{"p99": 450}: met
{"p99": 550}: missed
{}: met
{"p99": null}: met
{"p99": "450"}: missed
min and max of 100, "9" and null: [null,"9"]
mean of 100, 100, null and null: 50
TXT
cat seen
diff expected seen
