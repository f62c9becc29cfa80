#!/usr/bin/env bash
# sqs-consumer 15.0.3 (Node.js) deletes no message whose handler returns nothing, and does not say so.
#
# Guess: a handler that ends without an error has handled its message, which is then deleted; one that throws has not.
# Seen: only what the handler returns is deleted. Of two messages, a handler that ends without a value deletes none, and no error and no
#       event is there: each comes back when its visibility time-out is over, is handled again, and ends in the
#       dead-letter queue, if there is one. Returning the message deletes it; a batch handler that returns the first deletes the first.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit sqs-consumer@15.0.3 >/dev/null
cat > measure.js <<'JS'
const { Consumer } = require('sqs-consumer')
const messages = ['a', 'b'].map((name) => ({ MessageId: name, ReceiptHandle: name, Body: name }))
const measure = (name, handlers) => new Promise((resolve) => {
  const deleted = []
  const events = []
  let received = 0
  const sqs = {
    send: async (command) => {
      if (command.constructor.name === 'ReceiveMessageCommand') {
        if (received++ === 0) return { Messages: messages }
        if (received === 5) {
          consumer.stop()
          console.log(`${name}: deleted [${deleted}], errors [${events}]`)
          resolve()
        }
        return new Promise((resolve) => setTimeout(() => resolve({}), 100))
      }
      const { ReceiptHandle, Entries } = command.input
      deleted.push(...(Entries ? Entries.map((entry) => entry.ReceiptHandle) : [ReceiptHandle]))
      return { Successful: [] }
    }
  }
  const consumer = Consumer.create({ queueUrl: 'http://localhost/1/queue', region: 'us-east-1', batchSize: 10, sqs, ...handlers })
  for (const event of ['error', 'processing_error', 'timeout_error', 'aborted']) consumer.on(event, () => events.push(event))
  consumer.start()
})
const main = async () => {
  await measure('returns nothing', { handleMessage: async () => {} })
  await measure('returns the message', { handleMessage: async (message) => message })
  await measure('throws', { handleMessage: async () => { throw new Error('not handled') } })
  await measure('a batch, returns nothing', { handleMessageBatch: async () => {} })
  await measure('a batch, returns the first', { handleMessageBatch: async ([first]) => [first] })
}
main()
JS
node measure.js > seen 
cat > expected <<'TXT'
returns nothing: deleted [], errors []
returns the message: deleted [a,b], errors []
throws: deleted [], errors [processing_error,processing_error]
a batch, returns nothing: deleted [], errors []
a batch, returns the first: deleted [a], errors []
TXT
cat seen
diff expected seen
