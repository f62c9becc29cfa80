#!/usr/bin/env bash
# obstore 0.12.1 finds no object by the beginning of its name: a prefix is a folder, also on S3, whose own prefix is not.
#
# Guess: `store.list(prefix="run-2026")` lists what S3's ListObjectsV2 lists for `Prefix="run-2026"`: all keys that begin so.
# Seen: it lists nothing, and says nothing. A prefix counts in whole parts between slashes, and `run-1` is `run-1/`: run-10 and run-1.json are not
#       in it. Clean-up by the beginning of a name finds nothing to clean up.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check obstore==0.12.1 "moto[s3,server]==5.2.5" boto3==1.43.117 \
  botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import boto3
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
try:
    host, port = server.get_host_and_port()
    keys = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    s3.create_bucket(Bucket="results")
    for key in ("run-1/out", "run-10/out", "run-1.json"):
        s3.put_object(Bucket="results", Key=key, Body=b"x")
    store = S3Store(
        "results", endpoint=f"http://{host}:{port}", region="us-east-1", access_key_id="x", secret_access_key="x",
        client_options={"allow_http": True},
    )
    for prefix in ("run-1/", "run-1", "run-", "ru"):
        listed = s3.list_objects_v2(Bucket="results", Prefix=prefix)["Contents"]
        print(f"{prefix!r}: S3 {[one['Key'] for one in listed]}, obstore {[one['path'] for one in store.list(prefix).collect()]}")
finally:
    server.stop()
PY
cat > "$tmp/expected" <<'TXT'
'run-1/': S3 ['run-1/out'], obstore ['run-1/out']
'run-1': S3 ['run-1.json', 'run-1/out', 'run-10/out'], obstore ['run-1/out']
'run-': S3 ['run-1.json', 'run-1/out', 'run-10/out'], obstore []
'ru': S3 ['run-1.json', 'run-1/out', 'run-10/out'], obstore []
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
