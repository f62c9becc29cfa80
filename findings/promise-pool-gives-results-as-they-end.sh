#!/usr/bin/env bash
# @supercharge/promise-pool 3.3.0 gives the results in the order in which they ended.
#
# Guess: `results[i]` belongs to `items[i]`, as with Promise.all and p-map.
# Seen: the quickest comes first, and one that failed leaves no gap: results of four requests are three, and each stands beside another's payload. In a test where all
#       take equally long the order is the items'. `useCorrespondingResults()` gives what was guessed.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @supercharge/promise-pool@3.3.0 >/dev/null
cat > measure.js <<'JS'
const { PromisePool } = require('@supercharge/promise-pool')

const payloads = ['large', 'broken', 'medium', 'small']
const begun = {}
async function ask (payload) {
  await new Promise(resolve => { begun[payload] = resolve })
  if (payload === 'broken') throw new Error('refused')
  return payload
}

(async () => {
  const asked = PromisePool.for(payloads).withConcurrency(4).process(ask)
  for (const payload of ['small', 'broken', 'medium', 'large']) { // the order in which they end
    await new Promise(resolve => setTimeout(resolve, 20))
    begun[payload]()
  }
  const { results } = await asked
  console.log('asked:', payloads.join(' '))
  console.log('results:', results.join(' '))
})()
JS
node measure.js > seen
cat > expected <<'TXT'
asked: large broken medium small
results: small medium large
TXT
cat seen
diff expected seen
