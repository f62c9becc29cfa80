#!/usr/bin/env bash
# boto3 1.43.117 closes the file that `upload_fileobj` was given: the same payload cannot be sent twice.
#
# Guess: whoever opened a file closes it; after `seek(0)` a payload can be sent again, as after `put_object` and `download_fileobj`.
# Seen: `upload_fileobj` has closed it, a BytesIO with its contents, and the second upload raises ValueError. Above the multipart threshold, with
#       parts of its own, it leaves it open: a test with a small payload fails where one with a large one does not.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "moto[s3]==5.2.5" boto3==1.43.117 botocore==1.43.117 s3transfer==0.19.3
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import io
import os

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from moto import mock_aws

with mock_aws():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="inputs")
    for name, send, size in (
        ("put_object", lambda file: s3.put_object(Bucket="inputs", Key="one", Body=file), 100),
        ("download_fileobj", lambda file: s3.download_fileobj("inputs", "one", file), 100),
        ("upload_fileobj", lambda file: s3.upload_fileobj(file, "inputs", "one"), 100),
        ("upload_fileobj of 9 MiB", lambda file: s3.upload_fileobj(file, "inputs", "one"), 9 * 2**20),
    ):
        payload = io.BytesIO(b"x" * size)
        send(payload)
        try:
            payload.seek(0)
            send(payload)
            second = "done"
        except ValueError as error:
            second = f"ValueError: {error}"
        print(f"{name}: closed {payload.closed}, a second time: {second}")
PY
cat > "$tmp/expected" <<'TXT'
put_object: closed False, a second time: done
download_fileobj: closed False, a second time: done
upload_fileobj: closed True, a second time: ValueError: I/O operation on closed file.
upload_fileobj of 9 MiB: closed False, a second time: done
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
