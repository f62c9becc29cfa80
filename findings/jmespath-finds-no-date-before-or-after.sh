#!/usr/bin/env bash
# jmespath 1.1.0, in boto3 1.44.8's paginators, finds no date before or after another, and with to_string it finds all of them before.
#
# Guess: `Contents[?LastModified < '2026-06-01']`, which the AWS CLI answers, means the same to `paginator.search`, or raises.
# Seen: the CLI compares text; boto3 has made dates of it, and a date is neither below nor above a text: no object is older, none is newer, and
#       `length(...)` of the new ones is 0. `to_string` writes the date as JSON, in quotes, and a quote is smaller than a digit: every object is
#       older, also yesterday's. What counts outputs waits for ever, and what cleans up last year's takes today's.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check boto3==1.44.8 botocore==1.44.8 jmespath==1.1.0
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
from datetime import datetime, timezone

import boto3
import jmespath
from botocore.stub import Stubber

LISTED = {"old": datetime(2025, 1, 1, tzinfo=timezone.utc), "new": datetime(2026, 11, 1, tzinfo=timezone.utc)}


def as_boto3(query: str) -> list:
    s3 = boto3.client("s3")
    with Stubber(s3) as answers:
        answers.add_response("list_objects_v2", {"Contents": [{"Key": key, "LastModified": at} for key, at in LISTED.items()]})
        return list(s3.get_paginator("list_objects_v2").paginate(Bucket="results").search(query))


def as_the_cli(query: str) -> list:
    return jmespath.search(query, {"Contents": [{"Key": key, "LastModified": at.isoformat()} for key, at in LISTED.items()]})


for condition in ("LastModified < '2026-06-01'", "LastModified > '2026-06-01'",
                  "to_string(LastModified) < '2026-06-01'", "to_string(LastModified) > '2026-06-01'"):
    query = f"Contents[?{condition}].Key"
    print(f"{condition}: boto3 {as_boto3(query)}, as text {as_the_cli(query)}")
print("length of the new ones:", as_boto3("length(Contents[?LastModified > '2026-06-01'])"))
PY
cat > "$tmp/expected" <<'TXT'
LastModified < '2026-06-01': boto3 [], as text ['old']
LastModified > '2026-06-01': boto3 [], as text ['new']
to_string(LastModified) < '2026-06-01': boto3 ['old', 'new'], as text ['old']
to_string(LastModified) > '2026-06-01': boto3 [], as text ['new']
length of the new ones: [0]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
