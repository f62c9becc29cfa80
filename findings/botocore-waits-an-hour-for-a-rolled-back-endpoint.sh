#!/usr/bin/env bash
# botocore 1.43.117's waiter `endpoint_in_service` goes on for an hour where the endpoint will never be in service.
#
# Guess: it ends as soon as there is nothing to wait for: Failed, OutOfService, UpdateRollbackFailed, Deleting.
# Seen: of the statuses that DescribeEndpoint has, it ends on InService and Failed alone; on the other seven, which include
#       UpdateRollbackFailed, OutOfService and Deleting, it asks 120 times, 30 s apart. An update that AWS took back ends as a
#       success: the endpoint is InService again, with the old configuration, and the waiter does not look at FailureReason.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import datetime

import botocore.session
from botocore.exceptions import WaiterError
from botocore.stub import Stubber

session = botocore.session.Session()
session.set_credentials("AKIDEXAMPLE", "example")
client = session.create_client("sagemaker", "us-east-1")
statuses = client.meta.service_model.shape_for("EndpointStatus").enum
waiter = client.get_waiter("endpoint_in_service")
print("asks", waiter.config.max_attempts, "times, every", waiter.config.delay, "s")
now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"
answer = {"EndpointName": "e", "EndpointArn": arn, "CreationTime": now, "LastModifiedTime": now}
ends = {}
for status in sorted(statuses):
    with Stubber(client) as stub:
        for _ in range(4):
            stub.add_response("describe_endpoint", answer | {"EndpointStatus": status, "FailureReason": "rolled back"})
        try:
            waiter.wait(EndpointName="e", WaiterConfig={"Delay": 0, "MaxAttempts": 4})
            end = "success"
        except WaiterError as error:
            end = "asks until its attempts are used" if "Max attempts" in str(error) else "failure"
    ends.setdefault(end, []).append(status)
for end, those in ends.items():
    print(f"{end}:", *those)
PY
cat > "$tmp/expected" <<'TXT'
asks 120 times, every 30 s
asks until its attempts are used: Creating Deleting OutOfService RollingBack SystemUpdating UpdateRollbackFailed Updating
failure: Failed
success: InService
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
