#!/usr/bin/env bash
# kombu 5.7.0 on SQS: queues named `run.1` and `run-1` are one queue, and a consumer of one takes the messages of the other.
#
# Guess: a name that SQS does not allow is refused, as SQS and boto3 refuse it, or stays apart from every other.
# Seen: each dot becomes a hyphen and every other sign an underscore, without a word: `p99.9` is `p99-9`, `a/b` is `a_b`. Two workloads named by version or
#       percentile share a queue as soon as someone else uses the hyphen, and a purge of one empties both.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check 'kombu==5.7.0' 'moto[sqs]==5.2.0' boto3==1.43.117 botocore==1.43.117 pycurl==7.49.0 urllib3==2.8.0
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import boto3
import kombu
from moto import mock_aws

with mock_aws():
    options = {"region": "us-east-1", "wait_time_seconds": 1}
    with kombu.Connection("sqs://none:none@", transport_options=options) as connection:
        theirs, ours = connection.SimpleQueue("run.1"), connection.SimpleQueue("run-1")
        theirs.put({"for": "run.1"})
        message = ours.get(timeout=5)
        print("read from run-1:", message.payload)
        message.ack()
        for name in ("p99.9", "a/b"):
            connection.SimpleQueue(name)
    urls = boto3.client("sqs", region_name="us-east-1").list_queues()["QueueUrls"]
    print("queues:", sorted(url.rsplit("/", 1)[1] for url in urls))
    try:
        boto3.client("sqs", region_name="us-east-1").create_queue(QueueName="run.1")
    except Exception as error:
        print("boto3 with run.1:", error.response["Error"]["Code"])
PY
cat > "$tmp/expected" <<'TXT'
read from run-1: {'for': 'run.1'}
queues: ['a_b', 'p99-9', 'run-1']
boto3 with run.1: InvalidParameterValue
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
