#!/usr/bin/env bash
# awscli 1.46.2 asks `--query` of each page where the output is text, and of the whole where it is JSON.
#
# Guess: `--query 'length(Contents)'` is the number of objects, and `--output` only says how it is printed.
# Seen: 1,200 outputs are `1000` and `200` on two lines as text, 1200 as JSON; a sum of sizes is two sums, the largest object two objects.
#       A script that waits with `[ $(aws ...) -ge 1200 ]` works with every test below a thousand, and its first line stays at 1000 for ever.
set -euo pipefail
tmp=$(mktemp -d); server=; trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check awscli==1.46.2 "moto[server,s3]==5.2.5" boto3==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE="$tmp/none" AWS_PAGER=
cat > "$tmp/serve.py" <<'PY'
"""moto's S3 with 1,200 objects on a free port, which is written to the file named by the first argument; ends by itself."""
import os
import sys
import time

import boto3
from moto import mock_aws
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
mock_aws().start()  # so that the objects need no HTTP; the server has the same ones
s3 = boto3.client("s3")
s3.create_bucket(Bucket="results")
for number in range(1200):
    s3.put_object(Bucket="results", Key=f"out/{number:04}", Body=b"x" * (number % 7))
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"http://{host}:{port}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(300)
PY
"$tmp/venv/bin/python" -W ignore "$tmp/serve.py" "$tmp/url" >"$tmp/errors" 2>&1 & server=$!
for _ in $(seq 240); do [ -s "$tmp/url" ] && break; kill -0 "$server" || { cat "$tmp/errors"; exit 1; }; sleep 0.5; done
AWS_ENDPOINT_URL=$(cat "$tmp/url"); export AWS_ENDPOINT_URL
ask() { "$tmp/venv/bin/python" -W ignore -m awscli s3api list-objects-v2 --bucket results --query "$1" --output "$2" 2>>"$tmp/errors" | xargs; }
{
  for query in 'length(Contents)' 'sum(Contents[].Size)' 'max_by(Contents, &Size).Key'; do
    echo "$query: as text $(ask "$query" text), as json $(ask "$query" json)"
  done
} > "$tmp/seen"
cat > "$tmp/expected" <<'TXT'
length(Contents): as text 1000 200, as json 1200
sum(Contents[].Size): as text 2997 597, as json 3594
max_by(Contents, &Size).Key: as text out/0006 out/1000, as json out/0006
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen" || { cat "$tmp/errors"; exit 1; }
