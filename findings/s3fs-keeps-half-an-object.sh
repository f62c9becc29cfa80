#!/usr/bin/env bash
# s3fs 2026.9.0, pyarrow 26.0.1 and cloudpathlib 0.26.0 put half a file into S3 when writing it raises; smart_open 9.0.2 and
# obstore 0.12.1 put nothing there.
#
# Guess: an object appears in S3 whole or not at all, so a `with open(...)` block that raises leaves none.
# Seen: S3 is so; the file objects are not. The block's end closes the file, and to close is to upload what there is: of three rows the
#       two before the error are an object under the final name. Whoever polls for that name, as one does for asynchronous outputs
#       or for finished results, reads a short file as the whole. (Seen against moto 5.2.5's S3.)
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "moto[s3,server]==5.2.5" s3fs==2026.9.0 pyarrow==26.0.1 \
  "cloudpathlib[s3]==0.26.0" "smart_open[s3]==9.0.2" obstore==0.12.1
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import contextlib
import logging
import os

logging.disable(logging.CRITICAL)
import boto3
import obstore
import s3fs
import smart_open
from cloudpathlib import S3Client
from moto.server import ThreadedMotoServer
from obstore.store import S3Store
from pyarrow import fs

with contextlib.redirect_stdout(None):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
url = "http://127.0.0.1:{1}".format(*server.get_host_and_port())
os.environ["AWS_ENDPOINT_URL"] = url
s3 = boto3.client("s3")
s3.create_bucket(Bucket="results")
store = S3Store("results", endpoint=url, client_options={"allow_http": True}, virtual_hosted_style_request=False)
openers = {
    "s3fs": lambda: s3fs.S3FileSystem(endpoint_url=url).open("results/s3fs", "wb"),
    "pyarrow": lambda: fs.S3FileSystem(endpoint_override=url).open_output_stream("results/pyarrow"),
    "cloudpathlib": lambda: S3Client(endpoint_url=url).CloudPath("s3://results/cloudpathlib").open("wb"),
    "smart_open": lambda: smart_open.open("s3://results/smart_open", "wb"),
    "obstore": lambda: obstore.open_writer(store, "obstore"),
}


def rows():
    yield b"first\n"
    yield b"second\n"
    raise RuntimeError("the third cannot be had")


for name, open_it in openers.items():
    with contextlib.suppress(RuntimeError), open_it() as file:
        for row in rows():
            file.write(row)
    found = s3.list_objects_v2(Bucket="results", Prefix=name).get("Contents", [])
    print(f"{name}:", s3.get_object(Bucket="results", Key=name)["Body"].read().split() if found else "no object")
with contextlib.redirect_stdout(None):
    server.stop()
PY
cat > "$tmp/expected" <<'TXT'
s3fs: [b'first', b'second']
pyarrow: [b'first', b'second']
cloudpathlib: [b'first', b'second']
smart_open: no object
obstore: no object
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
