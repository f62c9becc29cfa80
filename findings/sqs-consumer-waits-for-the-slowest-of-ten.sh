#!/usr/bin/env bash
# sqs-consumer 15.0.3 with a batch of ten works on ten messages only until the first is done: nothing is fetched before the last is.
#
# Guess: `batchSize: 10` with `handleMessage` keeps ten messages in work, as ten workers would.
# Seen: the next ten are asked for when all ten are done. While one message takes its time nine are handled and thirty wait, and it asked once. With service
#       times that differ the concurrency is far below ten: of a lognormal one with sigma 1 the slowest of ten takes some three times the
#       mean, and so the rate is a third of what ten workers have. The backlog grows at a load that the same code kept up with in a test of equal messages.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit sqs-consumer@15.0.3 @aws-sdk/client-sqs@3.1175.0 >/dev/null
cat > measure.mjs <<'JS'
import { Consumer } from 'sqs-consumer'

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
let given = 0, asked = 0, handled = 0, release
const released = new Promise(resolve => { release = resolve })

const sqs = {
  config: {},
  async send (command) {
    if (command.constructor.name !== 'ReceiveMessageCommand') return { Successful: [], Failed: [] }
    asked++
    await pause(5)
    const count = Math.min(command.input.MaxNumberOfMessages, 40 - given)
    return { Messages: [...Array(count)].map(() => ({ MessageId: `${given}`, ReceiptHandle: `${given}`, Body: `${given++}` })) }
  },
}
const consumer = Consumer.create({
  queueUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/jobs', sqs, batchSize: 10, waitTimeSeconds: 0,
  handleMessage: async message => {
    if (message.Body === '0') await released
    handled++
    return message
  },
})
consumer.start()
await pause(2000)
console.log(`while one of 40 messages is in work: handled ${handled}, asked ${asked} time`)
release()
while (handled < 40) await pause(20)
console.log(`afterwards: handled ${handled}`)
consumer.stop({ abort: true })
JS
node measure.mjs > seen
cat > expected <<'TXT'
while one of 40 messages is in work: handled 9, asked 1 time
afterwards: handled 40
TXT
cat seen
diff expected seen
