#!/usr/bin/env bash
# better-queue 3.8.12 handles one of two tasks that have the same `id`: the later one takes the place of the earlier.
#
# Guess: what is pushed is handled, once each; an `id` in the payload is the payload's affair.
# Seen: a task whose id is among those that wait replaces the one that waits, at its place in the line. Of six requests for two endpoints, with the endpoint as id, two are sent. The queue
#       drains as if all were, and says nothing. Under any other name, or without one, all six are sent.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit better-queue@3.8.12 >/dev/null
cat > measure.js <<'JS'
const Queue = require('better-queue')

const main = async () => {
  for (const key of ['id', 'endpoint']) {
    const sent = []
    const queue = new Queue((task, done) => { sent.push(`${task[key]}${task.number}`); done() })
    for (let number = 1; number <= 3; number++) for (const endpoint of ['a', 'b']) queue.push({ [key]: endpoint, number })
    await new Promise(resolve => queue.on('drain', resolve))
    console.log(`six tasks with ${key}: ${sent.length} handled, ${sent.join(' ')}`)
  }
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
six tasks with id: 2 handled, a3 b3
six tasks with endpoint: 6 handled, a1 b1 a2 b2 a3 b3
TXT
cat seen
diff expected seen
