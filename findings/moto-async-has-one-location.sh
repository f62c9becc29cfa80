#!/usr/bin/env bash
# moto 5.2.5 gives every InvokeEndpointAsync the same OutputLocation, for endpoints that do not exist, with status 200.
#
# Guess: each request has a result of its own, AWS's 202, and an unknown endpoint is refused.
# Seen: two requests to an endpoint that nobody made are answered 200 with one and the same OutputLocation, and the result is
#       there at once. A client that finds ends by their location takes two requests for one.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check "moto[s3,sagemaker]==5.2.5" boto3==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import os

import boto3
from moto import mock_aws

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
with mock_aws():
    runtime, s3 = boto3.client("sagemaker-runtime"), boto3.client("s3")
    answers = [
        runtime.invoke_endpoint_async(EndpointName="none", InputLocation="s3://in/a.json", InferenceId=name)
        for name in ("first", "second")
    ]
    print("status:", {answer["ResponseMetadata"]["HTTPStatusCode"] for answer in answers})
    print("ids:", [answer["InferenceId"] for answer in answers])
    print("locations:", len({answer["OutputLocation"] for answer in answers}))
    bucket, key = answers[0]["OutputLocation"].removeprefix("s3://").split("/", 1)
    print("result:", s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
PY
cat > "$tmp/expected" <<'TXT'
status: {200}
ids: ['first', 'second']
locations: 1
result: {"default": "response"}
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
