#!/usr/bin/env bash
# p-queue 9.3.5, queue 7.0.0 and better-queue 3.8.12: with a time-out a concurrency of two is one of ten.
#
# Guess: a limit of two is a limit of two; a request that timed out gives its place up when it has ended.
# Seen: the place is free at the time-out, while the work goes on: nothing is cancelled, the next is started beside it. Jobs of 300 ms with a time-out of 50 are all ten under way at
#       once. The limit holds as long as the service is quick and is gone when it is slow, which is what it was for; a load of fixed concurrency is an open one.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit p-queue@9.3.5 queue@7.0.0 better-queue@3.8.12 >/dev/null
cat > measure.js <<'JS'
const { setTimeout: sleep } = require('node:timers/promises')
const BetterQueue = require('better-queue')

let now = 0
let most = 0
const job = async () => {
  most = Math.max(most, ++now)
  await sleep(300)
  now--
}
const libraries = {
  'p-queue': async timeout => {
    const { default: PQueue } = await import('p-queue')
    const queue = new PQueue({ concurrency: 2, timeout })
    await Promise.allSettled(Array.from({ length: 10 }, () => queue.add(job)))
  },
  queue: async timeout => {
    const { default: Queue } = await import('queue')
    const queue = new Queue({ concurrency: 2, timeout })
    for (let number = 0; number < 10; number++) queue.push(job)
    await new Promise(resolve => queue.start(resolve))
  },
  'better-queue': async timeout => {
    const queue = new BetterQueue((task, done) => job().then(() => done()), { concurrent: 2, maxTimeout: timeout, maxRetries: 0 })
    queue.on('task_failed', () => {})
    for (let number = 0; number < 10; number++) queue.push({ id: number })
    await new Promise(resolve => queue.on('drain', resolve))
  }
}
const main = async () => {
  for (const [name, run] of Object.entries(libraries)) {
    const seen = []
    for (const timeout of [20000, 50]) {
      most = 0
      await run(timeout)
      await sleep(400)
      seen.push(`time-out ${timeout} ms: ${most > 2 ? 'more than two' : most} at once`)
    }
    console.log(`${name}, concurrency 2: ${seen.join(', ')}`)
  }
  process.exit()
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
p-queue, concurrency 2: time-out 20000 ms: 2 at once, time-out 50 ms: more than two at once
queue, concurrency 2: time-out 20000 ms: 2 at once, time-out 50 ms: more than two at once
better-queue, concurrency 2: time-out 20000 ms: 2 at once, time-out 50 ms: more than two at once
TXT
cat seen
diff expected seen
