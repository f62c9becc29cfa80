#!/usr/bin/env bash
# rate-limiter-flexible 11.4.0 takes points for a request that it refuses.
#
# Guess: a batch of eleven at a limit of ten is refused and leaves the ten to others.
# Seen: the eleven are counted: nothing was sent, and the next single request is refused, too, until the minute is over. One client that asks for too much stops all others of its key.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit rate-limiter-flexible@11.4.0 >/dev/null
cat > measure.mjs <<'JS'
import { RateLimiterMemory } from 'rate-limiter-flexible'

const limiter = new RateLimiterMemory({ points: 10, duration: 60 })
for (const points of [11, 1, 1]) {
  const answer = await limiter.consume('endpoint', points).then(() => 'allowed', () => 'refused')
  const { consumedPoints } = await limiter.get('endpoint')
  console.log(`${points}: ${answer}, consumed ${consumedPoints}`)
}
process.exit(0)
JS
node measure.mjs > seen
cat > expected <<'TXT'
11: refused, consumed 11
1: refused, consumed 12
1: refused, consumed 13
TXT
cat seen
diff expected seen
