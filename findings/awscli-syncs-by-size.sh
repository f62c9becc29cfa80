#!/usr/bin/env bash
# awscli 1.46.2's `s3 sync` leaves a local file alone when the object in S3 is newer but has as many bytes.
#
# Guess: a download of what changed: an object that is newer than the file, or of another size, is fetched.
# Seen: a summary that was written again with a p99 of 900 in the place of 100 is not fetched, with exit status 0 and no word. From S3 to disk,
#       files of one size are only fetched when the *local* one is newer. Reports of fixed width, parquet parts and gauges are
#       often of one size: yesterday's figures stay. `--exact-timestamps` fetches it; the other way round sync looks at the time.
set -euo pipefail
tmp=$(mktemp -d); server=; trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check awscli==1.46.2 "moto[server,s3]==5.2.5" boto3==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE="$tmp/none" AWS_PAGER=
cat > "$tmp/serve.py" <<'PY'
"""moto's S3 on a free port, which is written to the file named by the argument; ends by itself."""
import os
import sys
import time

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"http://{host}:{port}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(300)
PY
"$tmp/venv/bin/python" -W ignore "$tmp/serve.py" "$tmp/url" >"$tmp/errors" 2>&1 & server=$!
for _ in $(seq 240); do [ -s "$tmp/url" ] && break; kill -0 "$server" || { cat "$tmp/errors"; exit 1; }; sleep 0.5; done
AWS_ENDPOINT_URL=$(cat "$tmp/url"); export AWS_ENDPOINT_URL
s3() { "$tmp/venv/bin/python" -W ignore -m awscli s3 "$@" >>"$tmp/errors" 2>&1; }
file=$tmp/results/summary.txt
{
  s3 mb s3://results
  printf 'p99 100 ms' | s3 cp - s3://results/summary.txt
  s3 sync s3://results "$tmp/results"; echo "first sync, exit status $?: $(cat "$file")"
  sleep 2
  printf 'p99 900 ms' | s3 cp - s3://results/summary.txt
  s3 sync s3://results "$tmp/results"; echo "second sync, exit status $?: $(cat "$file")"
  s3 sync --exact-timestamps s3://results "$tmp/results"; echo "with --exact-timestamps: $(cat "$file")"
  sleep 2
  printf 'p99 500 ms' > "$file"
  s3 sync "$tmp/results" s3://results; s3 cp s3://results/summary.txt "$tmp/back"; echo "the other way round: $(cat "$tmp/back")"
} > "$tmp/seen"
cat > "$tmp/expected" <<'TXT'
first sync, exit status 0: p99 100 ms
second sync, exit status 0: p99 100 ms
with --exact-timestamps: p99 900 ms
the other way round: p99 500 ms
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen" || { cat "$tmp/errors"; exit 1; }
