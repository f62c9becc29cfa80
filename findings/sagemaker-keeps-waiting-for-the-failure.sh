#!/usr/bin/env bash
# sagemaker 2.257.7 goes on waiting for the failure of an asynchronous inference whose result it has given.
#
# Guess: `get_result(WaiterConfig(...))`, which `AsyncPredictor.predict` calls too, waits until there is an output or a failure, and
#        then it has ended.
# Seen: two threads ask S3, one for each object, and nothing ends the other. The result is there after a second, and the thread
#       asks for the failure object until its attempts are used: with the default of 60 times 15 s, a quarter of an hour after every
#       inference. The threads are no daemons, so the program ends only then. A thousand inferences leave a thousand threads and
#       some 67 HEAD requests a second, which are billed.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --disable-pip-version-check --no-compile sagemaker==2.257.7 "moto[s3,sts]==5.2.5" \
  boto3==1.43.117 botocore==1.43.117
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import os
import threading
import time
from unittest.mock import Mock

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from moto import mock_aws
from sagemaker.async_inference import AsyncInferenceResponse, WaiterConfig
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.session import Session

asked = []
with mock_aws():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="outputs")
    s3.put_object(Bucket="outputs", Key="one.out", Body=b"done")
    session = Session(boto3.Session(), sagemaker_client=Mock(), sagemaker_runtime_client=Mock(), default_bucket="another")
    predictor = AsyncPredictor(Predictor("e", sagemaker_session=session))
    predictor.s3_client.meta.events.register("before-call.s3.HeadObject", lambda params, **_: asked.append(params["url_path"]))
    began, threads = time.monotonic(), threading.active_count()
    answer = AsyncInferenceResponse(predictor, "s3://outputs/one.out", "s3://outputs/one-error.out")
    print(answer.get_result(WaiterConfig(max_attempts=6, delay=1)))
    left = [one for one in threading.enumerate() if one is not threading.main_thread()]
    print("threads left:", threading.active_count() - threads, "daemon:", [one.daemon for one in left])
    for one in left:
        one.join()
    print("the last ends more than 4 s after the call began:", time.monotonic() - began > 4)
    print("asked for the failure:", sum("error" in path for path in asked), "for the output:", asked.count("/one.out"))
PY
cat > "$tmp/expected" <<'TXT'
b'done'
threads left: 1 daemon: [False]
the last ends more than 4 s after the call began: True
asked for the failure: 6 for the output: 1
TXT
grep -v "^sagemaker.config INFO" "$tmp/seen" | tee "$tmp/said"
diff "$tmp/expected" "$tmp/said"
