#!/usr/bin/env bash
# @opentelemetry/sdk-trace-base 2.12.1: of 5,000 spans that end in one burst 2,560 are exported, and nothing says so.
#
# Guess: a full queue makes the processor export, or warn; flush and shutdown send what is left.
# Seen: the batch processor keeps 2,048 spans besides a batch of 512 and drops what comes while they wait, which is until the event loop is free: a batch of requests handled in one go
#       loses its later half, the slow ones if they end last. No warning, no counter, forceFlush and shutdown succeed. With a pause every thousand all are there.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit @opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/api@1.9.1 >/dev/null
cat > measure.js <<'JS'
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base')

const spans = async pauseEvery => {
  const exported = []
  const exporter = {
    export: (batch, done) => { exported.push(...batch.map(span => Number(span.name))); done({ code: 0 }) },
    forceFlush: async () => {},
    shutdown: async () => {}
  }
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 10 })] })
  const tracer = provider.getTracer('load')
  for (let number = 1; number <= 5000; number++) {
    tracer.startSpan(String(number)).end()
    if (pauseEvery && number % pauseEvery === 0) await new Promise(resolve => setTimeout(resolve, 100))
  }
  await provider.forceFlush()
  await provider.shutdown()
  return `${exported.length} of 5000 exported, the last is ${Math.max(...exported)}`
}
const main = async () => {
  console.log(`in one go: ${await spans(0)}`)
  console.log(`a pause every thousand: ${await spans(1000)}`)
}
main()
JS
node measure.js > seen
cat > expected <<'TXT'
in one go: 2560 of 5000 exported, the last is 2560
a pause every thousand: 5000 of 5000 exported, the last is 5000
TXT
cat seen
diff expected seen
