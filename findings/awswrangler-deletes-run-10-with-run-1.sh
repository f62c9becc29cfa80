#!/usr/bin/env bash
# awswrangler 3.17.1 takes `s3://results/run-1` for run-10 and run-11 as well: it reads their rows and deletes their objects.
#
# Guess: a path without a wildcard is that folder or that object, as to s3fs and pyarrow.
# Seen: it is the beginning of a key. With an object each in run-1, run-10 and run-11, `read_csv` gives three rows, `size_objects` and
#       `list_objects` three keys, and `delete_objects` leaves the bucket empty; pyarrow 25.0.1 finds one. Only with a slash at the end is
#       run-1 meant alone. Runs that are numbered mix their latencies from the tenth on.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "moto[s3,server]==5.2.5" awswrangler==3.17.1 pyarrow==25.0.1
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import contextlib
import logging

logging.disable(logging.CRITICAL)
import awswrangler
import boto3
from moto.server import ThreadedMotoServer
from pyarrow import fs

with contextlib.redirect_stdout(None):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
url = "http://127.0.0.1:{1}".format(*server.get_host_and_port())
awswrangler.config.s3_endpoint_url = url
s3 = boto3.client("s3", endpoint_url=url)
s3.create_bucket(Bucket="results")


def fill():
    for run in (1, 10, 11):
        s3.put_object(Bucket="results", Key=f"run-{run}/part.csv", Body=f"latency_ms\n{run}\n")


def left():
    return [found["Key"] for found in s3.list_objects_v2(Bucket="results").get("Contents", [])]


fill()
print("read_csv:", sorted(awswrangler.s3.read_csv("s3://results/run-1")["latency_ms"]))
print("read_csv with a slash:", sorted(awswrangler.s3.read_csv("s3://results/run-1/")["latency_ms"]))
selector = fs.FileSelector("results/run-1", recursive=True)
print("pyarrow:", [found.path for found in fs.S3FileSystem(endpoint_override=url).get_file_info(selector)])
awswrangler.s3.delete_objects("s3://results/run-1/")
print("after delete_objects with a slash:", left())
fill()
awswrangler.s3.delete_objects("s3://results/run-1")
print("after delete_objects:", left())
with contextlib.redirect_stdout(None):
    server.stop()
PY
cat > "$tmp/expected" <<'TXT'
read_csv: [1, 10, 11]
read_csv with a slash: [1]
pyarrow: ['results/run-1/part.csv']
after delete_objects with a slash: ['run-10/part.csv', 'run-11/part.csv']
after delete_objects: []
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
