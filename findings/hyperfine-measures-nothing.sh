#!/usr/bin/env bash
# hyperfine 1.15.0 (Debian 12) writes times of exactly zero for commands that took one.
#
# Guess: a time is what passed between start and end; nothing that was run takes 0 s.
# Seen: the mean time of an empty shell is taken off each measurement, and what is then below zero is 0. Of a hundred runs of `true` a good part are 0.0 in the JSON, and `min` is 0.0, so that a ratio,
#       a logarithm or a geometric mean over the file fails or is 0. Without a shell (`-N`) no time is 0. Every other time has lost that mean, too: what is exported was not measured.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q hyperfine=1.15.0-2 >/dev/null 2>&1
dpkg -x hyperfine_*.deb root
root/usr/bin/hyperfine --style none --runs 100 --export-json shell.json true >/dev/null 2>&1
root/usr/bin/hyperfine --style none --runs 100 -N --export-json direct.json true >/dev/null 2>&1
python3.11 - > seen <<'PY'
import json

for name in ("shell", "direct"):
    [result] = json.load(open(f"{name}.json"))["results"]
    zeros = sum(time == 0 for time in result["times"])
    print(f"{name}: {len(result['times'])} times, some of them zero: {zeros > 0}, min is zero: {result['min'] == 0}")
PY
cat > expected <<'TXT'
shell: 100 times, some of them zero: True, min is zero: True
direct: 100 times, some of them zero: False, min is zero: False
TXT
cat seen
diff expected seen
