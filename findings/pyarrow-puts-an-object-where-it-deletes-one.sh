#!/usr/bin/env bash
# pyarrow 26.0.1 leaves an empty object in S3 for each one it deletes or moves away: its folder.
#
# Guess: S3 has no folders; `delete_file` deletes one object, and where it was the last under its prefix, nothing is left to list.
# Seen: after the delete it puts an object of 0 bytes, `inputs/`, also where other objects are left there and no such object ever was. It needs the
#       permission to put, in a clean-up that only deletes, and whoever listens for new objects under that prefix gets one. `move` and `delete_dir_contents`
#       do the same.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check pyarrow==26.0.1 "moto[s3,server]==5.2.5" boto3==1.43.117 \
  botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import boto3
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
try:
    host, port = server.get_host_and_port()
    keys = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    arrow = S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", region="us-east-1", access_key="x", secret_key="x")
    for name, act in (
        ("boto3 delete_object", lambda bucket: s3.delete_object(Bucket=bucket, Key="inputs/1")),
        ("pyarrow delete_file", lambda bucket: arrow.delete_file(f"{bucket}/inputs/1")),
        ("pyarrow move", lambda bucket: arrow.move(f"{bucket}/inputs/1", f"{bucket}/1")),
        ("pyarrow delete_dir_contents", lambda bucket: arrow.delete_dir_contents(f"{bucket}/inputs")),
    ):
        bucket = name.replace(" ", "-").replace("_", "-")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="inputs/1", Body=b"x")
        s3.put_object(Bucket=bucket, Key="inputs/2", Body=b"x")
        act(bucket)
        print(f"{name}: {[(one['Key'], one['Size']) for one in s3.list_objects_v2(Bucket=bucket)['Contents']]}")
finally:
    server.stop()
PY
cat > "$tmp/expected" <<'TXT'
boto3 delete_object: [('inputs/2', 1)]
pyarrow delete_file: [('inputs/', 0), ('inputs/2', 1)]
pyarrow move: [('1', 1), ('inputs/', 0), ('inputs/2', 1)]
pyarrow delete_dir_contents: [('inputs/', 0)]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
