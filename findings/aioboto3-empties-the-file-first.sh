#!/usr/bin/env bash
# aioboto3 15.5.0 empties the file at the destination before it has the object; boto3 keeps it until the new one is whole.
#
# Guess: aioboto3's `download_file` is boto3's, awaited: a download that breaks off leaves what was there.
# Seen: boto3 writes beside the name and renames at the end. aioboto3 opens the name itself: after an answer that breaks off, a results
#       file of an earlier, whole download is gone, and one that began is there under the final name.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check aioboto3==15.5.0 aiobotocore==2.25.1 boto3==1.40.61 botocore==1.40.61
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio
import http.server
import os
import tempfile
import threading
from pathlib import Path

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import aioboto3
import boto3
from botocore.config import Config


class BreaksOff(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "3000000")
        self.send_header("ETag", '"a"')
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(b"x" * 1_000_000)
        self.close_connection = True

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BreaksOff)
threading.Thread(target=server.serve_forever, daemon=True).start()
how = {
    "endpoint_url": f"http://127.0.0.1:{server.server_port}",
    "config": Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
}


async def with_aioboto3(to):
    async with aioboto3.Session().client("s3", **how) as s3:
        await s3.download_file("bucket", "key", to)


folder = Path(tempfile.mkdtemp())
for name, download in (
    ("boto3", lambda to: boto3.client("s3", **how).download_file("bucket", "key", to)),
    ("aioboto3", lambda to: asyncio.run(with_aioboto3(to))),
):
    (folder / name).write_bytes(b"what was there")
    try:
        download(str(folder / name))
    except Exception:
        print(f"{name}: raised;", "what was there is kept:", (folder / name).read_bytes() == b"what was there")
server.shutdown()
for one in folder.iterdir():
    one.unlink()
folder.rmdir()
PY
cat > "$tmp/expected" <<'TXT'
boto3: raised; what was there is kept: True
aioboto3: raised; what was there is kept: False
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
