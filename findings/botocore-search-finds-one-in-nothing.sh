#!/usr/bin/env bash
# botocore 1.44.5's `paginate(...).search(...)` finds one thing, None, where there is nothing.
#
# Guess: searching the pages of an empty listing for `Contents[].Key` gives nothing, and counting what it gives counts objects.
# Seen: an empty folder's page has no Contents, what is asked for is then None, and the iterator gives that None as an object: one
#       "key" of no object. A filter (`Contents[?Size > `0`].Key`) does the same, an expression that ends in `|| `[]`` does not. A loop that
#       waits until the first output is there ends at once, and a count of outputs is one too high for each page without any.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check botocore==1.44.5
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from botocore.session import get_session
from botocore.stub import Stubber

keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
s3 = get_session().create_client("s3", **keys)
nothing = {"IsTruncated": False, "KeyCount": 0, "Name": "results", "Prefix": "outputs/"}
one = {"IsTruncated": False, "KeyCount": 1, "Contents": [{"Key": "outputs/a.out", "Size": 2}]}


def found(page, expression):
    with Stubber(s3) as stubber:
        stubber.add_response("list_objects_v2", page)
        return list(s3.get_paginator("list_objects_v2").paginate(Bucket="results").search(expression))


for expression in ("Contents[].Key", "Contents[?Size > `0`].Key", "Contents[].Key || `[]`"):
    print(f"{expression}: of one object {found(one, expression)}, of none {found(nothing, expression)}")
PY
cat > "$tmp/expected" <<'TXT'
Contents[].Key: of one object ['outputs/a.out'], of none [None]
Contents[?Size > `0`].Key: of one object ['outputs/a.out'], of none [None]
Contents[].Key || `[]`: of one object ['outputs/a.out'], of none []
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
