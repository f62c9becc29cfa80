#!/usr/bin/env bash
# botocore 1.44.8's waiter `endpoint_deleted` ends well on every ValidationException, also on one that says the name cannot be right.
#
# Guess: it ends when the endpoint was not found; a name that SageMaker refuses is an error, and a busy moment is waited out.
# Seen: the code decides, the message is not read: `my_endpoint`, which no endpoint may be called, is deleted at the first look, like any name in another region
#       than the endpoint's. The script says "gone", and the instances go on costing. A throttled look, over once the client's own attempts
#       are used, is an error the other way: the wait is over while the endpoint is being deleted.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import boto3
from botocore.exceptions import WaiterError
from botocore.stub import Stubber

REFUSED = (
    ("not found", "ValidationException", 'Could not find endpoint "my-endpoint".'),
    ("no such name can be", "ValidationException", "1 validation error detected: Value 'my_endpoint' at 'endpointName' failed to satisfy constraint"),
    ("throttled", "ThrottlingException", "Rate exceeded"),
    ("not allowed", "AccessDeniedException", "User is not authorized to perform: sagemaker:DescribeEndpoint"),
)
for name, code, message in REFUSED:
    sagemaker = boto3.client("sagemaker")
    with Stubber(sagemaker) as answers:
        answers.add_client_error("describe_endpoint", code, message, http_status_code=400)
        try:
            sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="my_endpoint")
            print(f"{name}: deleted")
        except WaiterError as error:
            print(f"{name}: {type(error).__name__}, {error.last_response['Error']['Code']}")
PY
cat > "$tmp/expected" <<'TXT'
not found: deleted
no such name can be: deleted
throttled: WaiterError, ThrottlingException
not allowed: WaiterError, AccessDeniedException
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
