#!/usr/bin/env bash
# hot-shots 17.1.1 with a `sampleRate` throws gauges and sets away, too.
#
# Guess: a sample rate thins out counters and timers, which the server scales up again; a gauge, which says what is, and a set, which counts who there was, are sent.
# Seen: at a rate of 0.1 nine gauges of ten are never sent, and no server can make up for it: a queue that was full for one reading was probably never full, and a
#       gauge that is set when it changes stays wrong until it changes again. A set of users at 0.1 has fewer users. Here the draw is fixed at 0.5 so that the
#       result is the same each time.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit hot-shots@17.1.1 >/dev/null
cat > measure.js <<'JS'
const StatsD = require('hot-shots')

Math.random = () => 0.5
for (const sampleRate of [1, 0.1]) {
  const client = new StatsD({ mock: true, sampleRate })
  for (let reading = 0; reading < 100; reading++) {
    client.increment('requests')
    client.gauge('backlog', reading)
    client.unique('users', `user-${reading}`)
  }
  const sent = type => client.mockBuffer.filter(line => line.includes(`|${type}`)).length
  console.log(`rate ${sampleRate}: of a hundred each, counters ${sent('c')}, gauges ${sent('g')}, sets ${sent('s')}`)
  client.close()
}
JS
node measure.js > seen
cat > expected <<'TXT'
rate 1: of a hundred each, counters 100, gauges 100, sets 100
rate 0.1: of a hundred each, counters 0, gauges 0, sets 0
TXT
cat seen
diff expected seen
