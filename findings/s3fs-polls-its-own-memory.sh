#!/usr/bin/env bash
# s3fs 2026.9.0 goes on answering from a listing that it made once: an object written later does not exist, for good.
#
# Guess: `exists` asks S3, so a loop over it sees the output of an asynchronous inference when it is there.
# Seen: before any listing it does. After one `ls` of the folder an object that another program writes there is never found: not by
#       `exists`, `info`, `open` or `cat`, and not by a new S3FileSystem of the same arguments, which is the same object. One that was
#       deleted goes on existing. `invalidate_cache` or `use_listings_cache=False` helps. A poller that first looks at what is
#       there waits for ever, and counts every answer as lost.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check --no-compile \
  s3fs==2026.9.0 fsspec==2026.9.0 aiobotocore==3.10.0 botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import s3fs

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
WHEN = "2026-01-01T00:00:00.000Z"
there = {"run/0.out"}  # the objects of the bucket, each of one byte


class Bucket(BaseHTTPRequestHandler):
    """The part of S3 that is asked: HeadObject, GetObject and ListObjectsV2 of one folder."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = urlsplit(self.path)
        key = asked.path.removeprefix("/outputs").strip("/")
        status, body = (200, b"x") if key in there else (404, b"")
        if not key:
            prefix = parse_qs(asked.query).get("prefix", [""])[0]
            listed = sorted(name for name in there if name.startswith(prefix))
            form = "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>e</ETag><Size>1</Size></Contents>"
            each = "".join(form.format(name, WHEN) for name in listed)
            body = f"<ListBucketResult><KeyCount>{len(listed)}</KeyCount>{each}</ListBucketResult>".encode()
            status = 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def end_of(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__


files = s3fs.S3FileSystem(endpoint_url=url)
before = files.exists("outputs/run/1.out")
there.add("run/1.out")
print("no listing yet:", before, "then", files.exists("outputs/run/1.out"))
files.ls("outputs/run")
there.add("run/2.out")
print("after ls:", files.exists("outputs/run/2.out"))
print("info, cat:", end_of(files.info, "outputs/run/2.out"), end_of(files.cat, "outputs/run/2.out"))
print("another S3FileSystem:", s3fs.S3FileSystem(endpoint_url=url).exists("outputs/run/2.out"))
there.remove("run/0.out")
print("one that was deleted:", files.exists("outputs/run/0.out"))
print("without the cache:", s3fs.S3FileSystem(endpoint_url=url, use_listings_cache=False).exists("outputs/run/2.out"))
PY
cat > "$tmp/expected" <<'TXT'
no listing yet: False then True
after ls: False
info, cat: FileNotFoundError FileNotFoundError
another S3FileSystem: False
one that was deleted: True
without the cache: True
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
