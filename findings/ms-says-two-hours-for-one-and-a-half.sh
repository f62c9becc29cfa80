#!/usr/bin/env bash
# ms 2.1.3 says `2h` for an hour and a half, and what it printed is another duration when it is read again.
#
# Guess: a duration that is printed for people is right to a few per cent, or says how much of it is left out.
# Seen: one unit, rounded to a whole one: 1.5 s is `2s`, 90 s `2m`, 1.5 h `2h`, 1.5 days `2d`: a third too long, and 1.49 s a third too short. `ms` is what
#       `debug` prints behind its lines. `p95 1.5s` and `p95 2.4s` read the same, and of a warm-up written to a file and read again 90 s are 120.
#       pretty-ms 9.3.1 leaves out without rounding, 1,999 ms are 1.9 s, yet 0.01 ms is 1 ms.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit ms@2.1.3 pretty-ms@9.3.1 >/dev/null
cat > measure.mjs <<'JS'
import ms from 'ms'
import pretty from 'pretty-ms'
for (const duration of [0.01, 0.4, 1490, 1500, 1999, 2400, 90_000, 5_400_000, 129_600_000]) {
  console.log(`${duration} ms: ms ${ms(duration)}, read again ${ms(ms(duration))}; pretty-ms ${pretty(duration)}`)
}
JS
node measure.mjs > seen
cat > expected <<'TXT'
0.01 ms: ms 0.01ms, read again 0.01; pretty-ms 1ms
0.4 ms: ms 0.4ms, read again 0.4; pretty-ms 1ms
1490 ms: ms 1s, read again 1000; pretty-ms 1.4s
1500 ms: ms 2s, read again 2000; pretty-ms 1.5s
1999 ms: ms 2s, read again 2000; pretty-ms 1.9s
2400 ms: ms 2s, read again 2000; pretty-ms 2.4s
90000 ms: ms 2m, read again 120000; pretty-ms 1m 30s
5400000 ms: ms 2h, read again 7200000; pretty-ms 1h 30m
129600000 ms: ms 2d, read again 172800000; pretty-ms 1d 12h
TXT
cat seen
diff expected seen
