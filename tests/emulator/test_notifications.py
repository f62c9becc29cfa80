"""Goal: messages have the bytes SageMaker's have. Method: whole messages, key order too, against public samples."""

import base64
import json

import orjson

from smbench.emulator.message_faults import NoticeDelivery
from smbench.emulator.sagemaker.invocation import PendingInvocation
from smbench.emulator.sagemaker.notifications import RESPONSE_MAX_BYTES, Result, result_document
from smbench.emulator.sagemaker.truth import Call
from smbench.model.endpoints.failures import CONTAINER_FAILED

EVENT, RECEIVED = 1_684_812_201_814_000_000, 1_684_812_189_588_999_999  # 2023-05-23


def taken(**asked: str) -> PendingInvocation:
    notice = NoticeDelivery("sent", (0.0,), is_followed_by_rubbish=False)
    return PendingInvocation(Call(0, "8a80ed4e", 0), notice, "x.out", input_location="s3://in/a.json", **asked)


def message(of: PendingInvocation, result: Result) -> str:
    return orjson.dumps(result_document(of, result, endpoint="ep", region="us-east-1")).decode()


def test_a_success_is_written_as_sagemaker_writes_it() -> None:
    done = Result(EVENT, RECEIVED, None, "s3://out/x.out")
    assert message(taken(content_type="application/json", accept="*/*", custom_attributes="c=1"), done) == (
        '{"awsRegion":"us-east-1","eventTime":"2023-05-23T03:23:21.814Z","receivedTime":"2023-05-23T03:23:09.588Z",'
        '"invocationStatus":"Completed","requestParameters":{"accept":"*/*","contentType":"application/json",'
        '"customAttributes":"c=1","endpointName":"ep","inputLocation":"s3://in/a.json"},'
        '"responseParameters":{"contentType":"application/json","outputLocation":"s3://out/x.out"},'
        '"inferenceId":"8a80ed4e","eventVersion":"1.0","eventSource":"aws:sagemaker","eventName":"InferenceResult"}'
    )


def test_a_failure_without_a_failure_path_is_written_as_sagemaker_writes_it() -> None:
    assert message(taken(), Result(EVENT, RECEIVED, CONTAINER_FAILED, None)) == (
        '{"awsRegion":"us-east-1","eventTime":"2023-05-23T03:23:21.814Z","receivedTime":"2023-05-23T03:23:09.588Z",'
        '"invocationStatus":"Failed","failureReason":"ClientError: Received server error (500) from model. '
        'See the SageMaker Endpoint logs in your account for more information.",'
        '"requestParameters":{"endpointName":"ep","inputLocation":"s3://in/a.json"},'
        '"inferenceId":"8a80ed4e","eventVersion":"1.0","eventSource":"aws:sagemaker","eventName":"InferenceResult"}'
    )


def test_a_failure_tells_where_the_error_stands() -> None:
    told = json.loads(message(taken(), Result(EVENT, RECEIVED, CONTAINER_FAILED, "s3://fail/x-error.out")))
    assert told["responseParameters"] == {"failureLocation": "s3://fail/x-error.out"}
    assert list(told).index("responseParameters") < list(told).index("inferenceId")


def test_a_response_rides_along_up_to_its_limit() -> None:
    def told(body: bytes) -> dict[str, object]:
        keys = json.loads(message(taken(), Result(EVENT, RECEIVED, None, "s3://out/x.out", body)))
        return dict(keys)

    within = told(b"x" * RESPONSE_MAX_BYTES)["responseBody"]
    assert isinstance(within, dict)
    assert list(within) == ["content", "message", "encoding"]
    assert base64.b64decode(within["content"]) == b"x" * RESPONSE_MAX_BYTES
    assert "responseBody" not in told(b"x" * (RESPONSE_MAX_BYTES + 1))
