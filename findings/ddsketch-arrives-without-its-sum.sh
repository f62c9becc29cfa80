#!/usr/bin/env bash
# DDSketch for Python (3.0.1) and JavaScript (@datadog/sketches-js 2.1.1): a sketch that was sent as protobuf has forgotten sum, minimum, maximum.
#
# Guess: what a worker sends is the sketch that it had, and merging the workers' sketches gives the mean and the maximum of all.
# Seen: count and quantiles arrive, the sum is 0: a mean of 0 over 1,000 latencies. The maximum is minus infinity in JavaScript, from either
#       language. A sketch of one 5 merged with what arrived says that 1,001 values are at most 5 and sum up to 5, beside a median of 498.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check ddsketch==3.0.1 protobuf==7.36.2
cd "$tmp"
npm install --silent --no-fund --no-audit @datadog/sketches-js@2.1.1 protobufjs@7.5.4 >/dev/null
venv/bin/python -W ignore - > seen 2>errors <<'PY' || { cat errors; exit 1; }
from ddsketch import DDSketch
from ddsketch.pb.ddsketch_pb2 import DDSketch as Message
from ddsketch.pb.proto import DDSketchProto

sketch, other = DDSketch(0.01), DDSketch(0.01)
for latency in range(1, 1001):
    sketch.add(latency)
other.add(5)
sent = DDSketchProto.to_proto(sketch).SerializeToString()
with open("sketch.pb", "wb") as file:
    file.write(sent)
arrived = DDSketchProto.from_proto(Message.FromString(sent))
print(f"Python sent: count {sketch.count:.0f}, mean {sketch.avg}, median {sketch.get_quantile_value(0.5):.0f}")
print(f"Python read: count {arrived.count:.0f}, mean {arrived.avg}, median {arrived.get_quantile_value(0.5):.0f}")
other.merge(arrived)
print(f"Python merged: count {other.count:.0f}, sum {other.sum}, median {other.get_quantile_value(0.5):.0f}")
PY
cat > read.js <<'JS'
const { DDSketch } = require('@datadog/sketches-js')
const say = (what, sketch) => console.log(`JavaScript ${what}: count ${sketch.count}, sum ${sketch.sum}, ` +
  `minimum ${sketch.min}, maximum ${sketch.max}, median ${sketch.getValueAtQuantile(0.5).toFixed(0)}`)
const sketch = new DDSketch({ relativeAccuracy: 0.01 })
for (let latency = 1; latency <= 1000; latency++) sketch.accept(latency)
say('sent', sketch)
say('read', DDSketch.fromProto(sketch.toProto()))
say("read Python's", DDSketch.fromProto(require('fs').readFileSync('sketch.pb')))
const other = new DDSketch({ relativeAccuracy: 0.01 })
other.accept(5)
other.merge(DDSketch.fromProto(sketch.toProto()))
say('merged', other)
JS
node read.js >> seen
cat > expected <<'TXT'
Python sent: count 1000, mean 500.5, median 498
Python read: count 1000, mean 0.0, median 498
Python merged: count 1001, sum 5.0, median 498
JavaScript sent: count 1000, sum 500500, minimum 1, maximum 1000, median 498
JavaScript read: count 1000, sum 0, minimum Infinity, maximum -Infinity, median 498
JavaScript read Python's: count 1000, sum 0, minimum Infinity, maximum -Infinity, median 498
JavaScript merged: count 1001, sum 5, minimum 5, maximum 5, median 498
TXT
cat seen
diff expected seen
