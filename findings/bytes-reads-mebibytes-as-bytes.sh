#!/usr/bin/env bash
# bytes 3.1.2, by which express and its kin read limits, takes `5 MiB` for five bytes.
#
# Guess: a reader of sizes reads MiB, or gives null, as it does for what is no size.
# Seen: whatever it does not know behind the number is dropped: `5 MiB` and `5 MB/s` are 5, `2K` is 2, `1e3` is 1 and `1,5 kB` is 1. A limit of `6 MiB` for a payload
#       refuses all but the empty, a size of `10 GiB` costs nothing. `kB` is 1,024, and `Gb` is a gigabyte.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-fund --no-audit bytes@3.1.2 >/dev/null
cat > measure.js <<'JS'
const bytes = require('bytes')

for (const text of ['5MB', '5 MiB', '10 GiB', '5 MB/s', '2K', '1e3', '1,5 kB', '1kB', '1 Gb', 'five']) console.log(`${text}: ${bytes(text)}`)
JS
node measure.js > seen
cat > expected <<'TXT'
5MB: 5242880
5 MiB: 5
10 GiB: 10
5 MB/s: 5
2K: 2
1e3: 1
1,5 kB: 1
1kB: 1024
1 Gb: 1073741824
five: null
TXT
cat seen
diff expected seen
