#!/usr/bin/env bash
# apache-arrow 21.2.0 (npm) reads a price of 0.115, written as a decimal by pyarrow 26.0.1, as 115000.
#
# Guess: a decimal read from an Arrow file is a number or a text with its point, as to every reader of Parquet.
# Seen: it is the whole number that lies in the file: `String`, `Number` and JSON of it are 115000 at a scale of six, and the scale is in the type only, where no chart looks. A bill of
#       $1.41 is 1408000. The same table as Parquet, read by hyparquet 1.33.0, has 0.115.
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check pyarrow==26.0.1
npm install --silent --no-fund --no-audit apache-arrow@21.2.0 hyparquet@1.33.0 >/dev/null
venv/bin/python - <<'PY'
from decimal import Decimal

import pyarrow as pa
from pyarrow import feather, parquet

table = pa.table({"price": pa.array([Decimal("0.115"), Decimal("1.408")], pa.decimal128(12, 6))})
feather.write_feather(table, "prices.arrow", compression="uncompressed")
parquet.write_table(table, "prices.parquet", compression="none")
PY
cat > measure.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { tableFromIPC } from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'

const column = tableFromIPC(readFileSync('prices.arrow')).getChild('price')
console.log(`apache-arrow: ${[...column].map(String).join(', ')} as text, ${[...column].map(Number).join(', ')} as numbers`)
const bytes = readFileSync('prices.parquet')
const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) })
console.log(`hyparquet: ${rows.map(row => row.price).join(', ')}`)
JS
node measure.mjs > seen
cat > expected <<'TXT'
apache-arrow: 115000, 1408000 as text, 115000, 1408000 as numbers
hyparquet: 0.115, 1.408
TXT
cat seen
diff expected seen
