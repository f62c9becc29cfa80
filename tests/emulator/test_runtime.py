"""Goal: an invocation is answered as SageMaker answers it, and its end is told through S3, SNS and the truth.

Method: aiobotocore over HTTP on the warp loop where it can say it; raw requests where it cannot (newer members,
headers that its own validator would refuse). Service takes exactly 1 s and a message exactly 0.1 s more.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httptools
import orjson
import polars as pl
import pytest
from botocore.exceptions import ClientError

from emulation import ACCOUNT, FAST, REGION, advance, body_of, client, emulating, scenario
from smbench.clock import WarpLoop
from smbench.emulator.sagemaker.notifications import DOWNLOAD_FAILED
from smbench.emulator.sagemaker.runtime import payload_class
from smbench.emulator.server import Emulator
from smbench.model.endpoints.failures import CONTAINER_FAILED, EXPIRED, TIMED_OUT

NAME = "smbench-emulated"
INPUT = "s3://smbench-emulated/in/a.json"
ZERO = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = "0" * 64


VARIANT = {"VariantName": "v", "ModelName": NAME, "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
TOPICS = {
    "SuccessTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:smbench-success",
    "ErrorTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:smbench-error",
}


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


class Bench:
    """The emulated endpoint with a queue on both topics, and one input in its bucket."""

    def __init__(self, emulator: Emulator, stack: AsyncExitStack) -> None:
        self.emulator, self.stack = emulator, stack
        self.clients: dict[str, Any] = {}
        self.queue = ""

    @classmethod
    async def ready(cls, stack: AsyncExitStack, emulated: dict[str, Any] | None = None, **more: Any) -> "Bench":
        emulator = await stack.enter_async_context(emulating(scenario(FAST | (emulated or {}), **more)))
        bench = cls(emulator, stack)
        emulator.s3.put("smbench-emulated", "in/a.json", b"{}")
        sqs, sns = await bench.client("sqs"), await bench.client("sns")
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
        policy = (
            '{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},'
            f'"Action":"sqs:SendMessage","Resource":"{arn}"}}]}}'
        )
        bench.queue = (await sqs.create_queue(QueueName="q", Attributes={"Policy": policy}))["QueueUrl"]
        for topic in ("smbench-success", "smbench-error"):
            topic_arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
            await sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        return bench

    async def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = await self.stack.enter_async_context(client(self.emulator, service))
        return self.clients[service]

    async def invoke(self, **params: Any) -> Any:
        runtime = await self.client("sagemaker-runtime")
        return await runtime.invoke_endpoint_async(**{"EndpointName": NAME, "InputLocation": INPUT} | params)

    async def messages(self, wait_s: int = 20) -> list[dict[str, Any]]:
        sqs = await self.client("sqs")
        received = await sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s)
        return list(received.get("Messages", []))

    async def message(self) -> dict[str, Any]:
        (message,) = await self.messages()
        return body_of(message)

    def truth(self, path: Path) -> pl.DataFrame:
        self.emulator.write_truth(path / "truth.parquet")
        return pl.read_parquet(path / "truth.parquet")


def seconds(at: str) -> float:
    """A message's time stamp, in scenario time."""
    return (datetime.fromisoformat(at) - ZERO).total_seconds()


class _Reply:
    """What a raw connection answered."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


async def post(
    emulator: Emulator,
    headers: dict[str, str],
    body: bytes = b"",
    *,
    name: str = NAME,
    action: str = "async-invocations",
) -> tuple[int, dict[str, str], bytes]:
    """One raw POST, as an SDK of another year or another language would send it."""
    lines = [f"POST /endpoints/{name}/{action} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"X-Amzn-SageMaker-{key}: {value}" for key, value in headers.items()]
    reply = _Reply()
    parser = httptools.HttpResponseParser(reply)
    async with await anyio.connect_tcp("127.0.0.1", int(emulator.url.rpartition(":")[2])) as stream:
        await stream.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        while not reply.is_whole:
            parser.feed_data(await stream.receive())
    return parser.get_status_code(), reply.headers, reply.body


# The answer


async def test_an_invocation_is_taken_with_202_and_its_locations(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    answer = await bench.invoke(InferenceId="mine")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "mine"
    assert answer["OutputLocation"].startswith("s3://smbench-emulated/async-outputs/")
    assert answer["OutputLocation"].endswith(".out")
    assert answer["FailureLocation"].startswith("s3://smbench-emulated/async-failures/")
    assert answer["FailureLocation"].endswith("-error.out")
    assert "mine" not in answer["OutputLocation"]  # SageMaker's own id, never the InferenceId


async def test_the_body_of_the_answer_is_compact_json(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    status, headers, body = await post(bench.emulator, {"InputLocation": INPUT})
    assert status == 202
    assert headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == 54  # as in a capture of the real service: 16 + a UUID's 36 + 2
    assert body.startswith(b'{"InferenceId":"')
    assert {"x-amzn-requestid", "date", "x-amzn-sagemaker-outputlocation"} <= headers.keys()


async def test_names_of_the_output_can_be_chosen(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    asked = {"InputLocation": INPUT, "Filename": "answer.json", "S3OutputPathExtension": "team/a/"}
    _, headers, _ = await post(bench.emulator, asked)
    assert headers["x-amzn-sagemaker-outputlocation"] == "s3://smbench-emulated/async-outputs/team/a/answer.json"
    await advance(bench.emulator, 2.0)
    assert bench.emulator.s3.exists("smbench-emulated", "async-outputs/team/a/answer.json")


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        (
            {"InputLocation": INPUT, "RequestTTLSeconds": "59"},
            b"",
            "1 validation error detected: Value '59' at 'requestTTLSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 60",
        ),
        (
            {"InputLocation": INPUT, "RequestTTLSeconds": "21601"},
            b"",
            "1 validation error detected: Value '21601' at 'requestTTLSeconds' failed to satisfy constraint: "
            "Member must have value less than or equal to 21600",
        ),
        (
            {"InputLocation": INPUT, "InvocationTimeoutSeconds": "3601"},
            b"",
            "1 validation error detected: Value '3601' at 'invocationTimeoutSeconds' failed to satisfy constraint: "
            "Member must have value less than or equal to 3600",
        ),
        (
            {"InputLocation": INPUT, "Inference-Id": "x" * 65},
            b"",
            f"1 validation error detected: Value '{'x' * 65}' at 'inferenceId' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            {"InputLocation": "file:///etc/passwd", "Filename": "a.b.c"},
            b"",
            "2 validation errors detected: Value 'file:///etc/passwd' at 'inputLocation' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^(https|s3)://([^/]+)/?(.*)$; "
            "Value 'a.b.c' at 'filename' failed to satisfy constraint: Member must satisfy regular expression pattern: "
            r"^(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_\.]*$",
        ),
        (
            {},
            b"",
            "1 validation error detected: Value null at 'inputLocation' failed to satisfy constraint: "
            "Member must not be null",
        ),
        ({"InputLocation": INPUT}, b"{}", "Exactly one of InputLocation and Body must be provided."),
        (
            {},
            b"x" * 128_001,
            "1 validation error detected: Value at 'body' failed to satisfy constraint: "
            "Member must have length less than or equal to 128000",
        ),
    ],
    ids=["ttl-low", "ttl-high", "timeout", "id", "two", "no-input", "both-inputs", "body"],
)
async def test_wrong_parameters_are_refused_in_awss_words(
    stack: AsyncExitStack, headers: dict[str, str], body: bytes, text: str
) -> None:
    bench = await Bench.ready(stack)
    status, answered, answer = await post(bench.emulator, headers, body)
    assert (status, answered["x-amzn-errortype"]) == (400, "ValidationError")
    assert orjson.loads(answer) == {"message": text}


async def test_bounds_themselves_are_taken(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    for ttl, timeout in (("60", "1"), ("21600", "3600")):
        asked = {"InputLocation": INPUT, "RequestTTLSeconds": ttl, "InvocationTimeoutSeconds": timeout}
        assert (await post(bench.emulator, asked))[0] == 202
    assert (await post(bench.emulator, {}, b"x" * 128_000))[0] == 202


async def test_an_unknown_endpoint_is_a_validation_error_and_not_404(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    with pytest.raises(ClientError) as caught:
        await bench.invoke(EndpointName="nobody")
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == f"Endpoint nobody of account {ACCOUNT} not found."


async def test_synchronous_calls_are_refused(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    runtime = await bench.client("sagemaker-runtime")
    with pytest.raises(ClientError) as caught:
        await runtime.invoke_endpoint(EndpointName=NAME, Body=b"{}")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert "does not support" in caught.value.response["Error"]["Message"]


async def test_a_throttle_has_a_null_message(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"throttled": "100%"}})
    status, headers, body = await post(bench.emulator, {"InputLocation": INPUT})
    assert (status, headers["x-amzn-errortype"], body) == (400, "ThrottlingException", b'{"message":null}')
    assert bench.truth(tmp_path).row(0, named=True)["fault"] == "throttled"


async def test_an_error_of_the_service_is_500_or_503_and_takes_nothing(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"server_errors": "100%"}})
    seen = {(await post(bench.emulator, {"InputLocation": INPUT}))[0] for _ in range(20)}
    assert seen == {500, 503}
    frame = bench.truth(tmp_path)
    assert set(frame["fault"]) == {"server_error"}
    assert not frame["accepted"].any()


async def test_a_fault_that_never_came_to_pass_is_not_in_the_truth(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"lost_replies": "100%"}})
    status, _, _ = await post(bench.emulator, {"InputLocation": INPUT, "RequestTTLSeconds": "1"})
    row = bench.truth(tmp_path).row(0, named=True)
    assert (status, row["status_code"], row["fault"]) == (400, 400, None)


async def test_a_reset_before_the_request_is_taken_leaves_nothing_behind(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"resets": "100%"}})
    with pytest.raises((anyio.BrokenResourceError, ConnectionResetError)):
        await post(bench.emulator, {"InputLocation": INPUT})
    row = bench.truth(tmp_path).row(0, named=True)
    assert (row["accepted"], row["status_code"], row["fault"]) == (False, None, "reset")


async def test_after_a_lost_reply_the_inference_goes_on(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"lost_replies": "100%"}})
    with pytest.raises((anyio.BrokenResourceError, ConnectionResetError)):
        await post(bench.emulator, {"InputLocation": INPUT, "Inference-Id": "mine"})
    assert (await bench.message())["inferenceId"] == "mine"
    row = bench.truth(tmp_path).row(0, named=True)
    assert (row["accepted"], row["status_code"], row["fault"], row["outcome"]) == (
        True,
        None,
        "lost_reply",
        "completed",
    )


async def test_a_slow_answer_comes_late_and_the_inference_does_not(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack, {"faults": {"slow_answers": {"share": "100%", "delay": "7s"}}})
    started_s = bench.emulator.site.now_ns / 1e9
    await bench.invoke()
    assert bench.emulator.site.now_ns / 1e9 == pytest.approx(started_s + 7.0)
    assert seconds((await bench.message())["eventTime"]) == pytest.approx(started_s + 1.0, abs=0.001)


# The end


async def test_a_completed_inference_leaves_its_output_and_then_its_message(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    answer = await bench.invoke(InferenceId="mine", ContentType="application/json", Accept="*/*", CustomAttributes="c")
    key = answer["OutputLocation"].removeprefix("s3://smbench-emulated/")
    await advance(bench.emulator, 1.05)
    assert bench.emulator.s3.exists("smbench-emulated", key)
    assert await bench.messages(wait_s=0) == []  # the object is there before its message
    told = await bench.message()
    assert told["invocationStatus"] == "Completed"
    assert told["inferenceId"] == "mine"
    assert told["responseParameters"]["outputLocation"] == answer["OutputLocation"]
    assert told["requestParameters"] == {
        "accept": "*/*",
        "contentType": "application/json",
        "customAttributes": "c",
        "endpointName": NAME,
        "inputLocation": INPUT,
    }
    assert seconds(told["eventTime"]) - seconds(told["receivedTime"]) == pytest.approx(1.0)


async def test_what_the_container_refuses_is_told_on_the_error_topic(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"container_errors": "100%"}})
    answer = await bench.invoke()
    told = await bench.message()
    assert (told["invocationStatus"], told["failureReason"]) == ("Failed", CONTAINER_FAILED)
    assert told["responseParameters"] == {"failureLocation": answer["FailureLocation"]}
    assert bench.emulator.s3.exists(
        "smbench-emulated", answer["FailureLocation"].removeprefix("s3://smbench-emulated/")
    )
    assert bench.truth(tmp_path).row(0, named=True)["output_location"] == answer["FailureLocation"]


async def test_an_input_that_is_not_there_is_a_download_failure(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack)
    await bench.invoke(InputLocation="s3://smbench-emulated/in/never-uploaded.json")
    told = await bench.message()
    assert told["failureReason"] == DOWNLOAD_FAILED
    assert bench.truth(tmp_path).row(0, named=True)["outcome"] == "failed"


async def test_a_time_out_ends_the_inference_as_failed(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack, {"service": "10s"})
    await bench.invoke(InvocationTimeoutSeconds=2)
    told = await bench.message()
    assert told["failureReason"] == TIMED_OUT
    assert seconds(told["eventTime"]) - seconds(told["receivedTime"]) == pytest.approx(2.0)


async def test_without_limits_of_its_own_a_request_waits_six_hours_and_works_fifteen_minutes(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    bench = await Bench.ready(stack, {"service": "2h", "instances": {"min": 0, "start": 0, "max": 1}})
    await bench.invoke()
    await advance(bench.emulator, 6 * 3600.0)
    fleet = bench.emulator.world.endpoints[NAME]
    fleet.set_desired(1)
    await bench.invoke()
    await advance(bench.emulator, 3600.0)
    frame = bench.truth(tmp_path)
    assert frame["outcome"].to_list() == ["expired", "failed"]
    assert frame["ended"][0] - frame["arrived"][0] == timedelta(hours=6)
    assert frame["ended"][1] - frame["started"][1] == timedelta(minutes=15)


@pytest.mark.slow
async def test_messages_keep_their_fate_whichever_end_comes_first(stack: AsyncExitStack, tmp_path: Path) -> None:
    """The n-th accepted request has the n-th fate: two laws of service must not change who is lost."""
    lost = []
    for service in ("1s", {"uniform": {"low": "1s", "high": "900s"}}):
        fleet = {"instances": {"min": 1, "max": 1, "concurrency": 40}, "service": service}
        bench = await Bench.ready(stack, fleet | {"faults": {"notices_lost": "50%"}}, seed=4)
        for _ in range(40):
            await bench.invoke()
        await advance(bench.emulator, 1000.0)
        lost.append(bench.truth(tmp_path)["notice"].to_list())
    assert lost[0] == lost[1]
    assert 5 < lost[0].count("lost") < 35


async def test_a_request_expires_in_the_queue_and_leaves_no_object(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"service": "100s"})
    await bench.invoke()
    second = await bench.invoke(RequestTTLSeconds=60)
    await advance(bench.emulator, 60.0)
    told = await bench.message()
    assert (told["invocationStatus"], told["failureReason"]) == ("Failed", EXPIRED)
    assert "responseParameters" not in told
    assert not bench.emulator.s3.exists(
        "smbench-emulated", second["FailureLocation"].removeprefix("s3://smbench-emulated/")
    )
    frame = bench.truth(tmp_path)
    assert frame["outcome"].to_list() == ["pending", "expired"]
    assert frame["ended"][1] - frame["arrived"][1] == timedelta(seconds=60)


async def test_whether_an_expired_request_tells_anybody_is_a_setting(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"service": "100s", "open_questions": {"expiry_notifies": False}})
    await bench.invoke()
    await bench.invoke(RequestTTLSeconds=60)
    await advance(bench.emulator, 70.0)
    assert await bench.messages(wait_s=0) == []
    assert bench.truth(tmp_path).select("outcome", "notice").rows()[1] == ("expired", "none")


async def test_whether_a_time_out_tells_anybody_is_a_setting(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"service": "100s", "open_questions": {"timeout_notifies": False}})
    await bench.invoke(InvocationTimeoutSeconds=5)
    await advance(bench.emulator, 10.0)
    assert await bench.messages(wait_s=0) == []
    assert bench.truth(tmp_path).select("outcome", "notice").rows() == [("failed", "none")]


async def test_the_response_rides_in_the_message_where_the_endpoint_asks_for_it(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    sagemaker = await bench.client("sagemaker")
    topics = {
        "SuccessTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:smbench-success",
        "ErrorTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:smbench-error",
        "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
    }
    await sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[VARIANT],
        AsyncInferenceConfig={
            "OutputConfig": {
                "S3OutputPath": f"https://smbench-emulated.s3.{REGION}.amazonaws.com/o",
                "NotificationConfig": topics,
            }
        },
    )
    await sagemaker.create_endpoint(EndpointName="ep", EndpointConfigName="c")
    await advance(bench.emulator, 61.0)
    await bench.messages(wait_s=0)  # the test notifications
    answer = await bench.invoke(EndpointName="ep")
    assert answer["OutputLocation"].startswith(f"https://smbench-emulated.s3.{REGION}.amazonaws.com/o/")
    assert "FailureLocation" not in answer
    told = await bench.message()
    key = "o/" + answer["OutputLocation"].rpartition("/")[2]
    assert base64.b64decode(told["responseBody"]["content"]) == bench.emulator.s3.get("smbench-emulated", key)


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"NotificationConfig": TOPICS | {"IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}},
        {"NotificationConfig": TOPICS, "S3FailurePath": "s3://smbench-emulated/f"},
    ],
)
async def test_an_endpoint_without_an_output_path_serves_and_writes_no_object(
    stack: AsyncExitStack, tmp_path: Path, output: dict[str, Any]
) -> None:
    bench = await Bench.ready(stack)
    sagemaker = await bench.client("sagemaker")
    config: dict[str, Any] = {"OutputConfig": output}
    await sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[VARIANT], AsyncInferenceConfig=config
    )
    await sagemaker.create_endpoint(EndpointName="ep", EndpointConfigName="c")
    await advance(bench.emulator, 61.0)
    assert (await sagemaker.describe_endpoint(EndpointName="ep"))["EndpointStatus"] == "InService"
    await bench.messages(wait_s=0)  # the test notifications
    answer = await bench.invoke(EndpointName="ep")
    assert "OutputLocation" not in answer
    if output:
        told = await bench.message()
        assert told["responseParameters"] == {"contentType": "application/json"}
        assert ("responseBody" in told) is ("IncludeInferenceResponseIn" in output["NotificationConfig"])
    await advance(bench.emulator, 5.0)
    row = bench.truth(tmp_path).row(0, named=True)
    assert (row["outcome"], row["output_location"]) == ("completed", None)


async def test_whether_an_output_path_may_be_left_out_is_a_setting(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack, {"open_questions": {"output_path_required": True}})
    with pytest.raises(ClientError, match="S3OutputPath is required"):
        await (await bench.client("sagemaker")).create_endpoint_config(
            EndpointConfigName="c", ProductionVariants=[VARIANT], AsyncInferenceConfig={"OutputConfig": {}}
        )


async def test_results_are_described_under_the_key_that_the_endpoint_has(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack)
    sagemaker, s3 = await bench.client("sagemaker"), await bench.client("s3")
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    output = {"S3OutputPath": "s3://smbench-emulated/o", "KmsKeyId": key}
    await sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[VARIANT], AsyncInferenceConfig={"OutputConfig": output}
    )
    await sagemaker.create_endpoint(EndpointName="ep", EndpointConfigName="c")
    await advance(bench.emulator, 61.0)
    answer = await bench.invoke(EndpointName="ep")
    await advance(bench.emulator, 5.0)
    told = await s3.head_object(Bucket="smbench-emulated", Key="o/" + answer["OutputLocation"].rpartition("/")[2])
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", key)


async def test_results_are_kept_as_long_as_the_scenario_says(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"results_kept": "10s"})
    keys = []
    for _ in range(2):
        answer = await bench.invoke()
        keys.append(answer["OutputLocation"].removeprefix("s3://smbench-emulated/"))
        await advance(bench.emulator, 6.0)
    assert [bench.emulator.s3.exists("smbench-emulated", key) for key in keys] == [False, True]
    bench.emulator.s3.put("smbench-emulated", keys[1], b"another")
    await advance(bench.emulator, 60.0)
    assert bench.emulator.s3.get("smbench-emulated", keys[1]) == b"another"
    assert bench.truth(tmp_path)["outcome"].to_list() == ["completed", "completed"]


async def test_an_endpoint_that_was_deleted_tells_nobody_any_more(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack)
    await bench.invoke()
    await (await bench.client("sagemaker")).delete_endpoint(EndpointName=NAME)
    await advance(bench.emulator, 5.0)
    assert await bench.messages(wait_s=0) == []
    assert bench.truth(tmp_path).select("outcome", "notice").rows() == [("completed", "none")]


async def test_an_endpoint_works_at_as_many_requests_as_its_configuration_says(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    bench = await Bench.ready(stack)
    sagemaker = await bench.client("sagemaker")
    await sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[VARIANT],
        AsyncInferenceConfig={
            "OutputConfig": {"S3OutputPath": "s3://smbench-emulated/o"},
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
        },
    )
    await sagemaker.create_endpoint(EndpointName="ep", EndpointConfigName="c")
    await advance(bench.emulator, 61.0)
    for _ in range(4):
        await bench.invoke(EndpointName="ep")
    await advance(bench.emulator, 3.0)
    frame = bench.truth(tmp_path)
    waits = (frame["started"] - frame["arrived"]).dt.total_seconds(fractional=True).to_list()
    assert waits == [0.0, 0.0, 1.0, 1.0]


async def test_a_message_whose_topic_is_gone_is_counted(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack)
    await bench.invoke()
    sns, cloudwatch = await bench.client("sns"), await bench.client("cloudwatch")
    await sns.delete_topic(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:smbench-success")
    await advance(bench.emulator, 61.0)
    dimensions = [{"Name": "EndpointName", "Value": NAME}, {"Name": "VariantName", "Value": "AllTraffic"}]
    found = await cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="NotificationFailures",
        Dimensions=dimensions,
        StartTime=ZERO,
        EndTime=ZERO + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in found["Datapoints"]] == [1.0]
    row = bench.truth(tmp_path).row(0, named=True)
    assert (row["outcome"], row["copies"], row["published"]) == ("completed", 0, None)


# Faults on the way


async def test_lost_messages_are_lost_and_known_in_the_truth(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"notices_lost": "100%"}})
    await bench.invoke()
    assert await bench.messages() == []
    row = bench.truth(tmp_path).row(0, named=True)
    assert (row["outcome"], row["notice"], row["copies"], row["published"]) == ("completed", "lost", 0, None)


async def test_late_messages_come_after_their_delay(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"notices_late": {"share": "100%", "delay": "15s"}}})
    await bench.invoke()
    await bench.message()
    row = bench.truth(tmp_path).row(0, named=True)
    assert row["notice"] == "late"
    assert row["published"] - row["ended"] == timedelta(seconds=15.1)


async def test_duplicates_are_two_messages_of_one_inference(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"notices_duplicated": "100%"}})
    await bench.invoke()
    await advance(bench.emulator, 3.0)
    both = await bench.messages()
    assert len({message["MessageId"] for message in both}) == 2
    assert len({body_of(message)["inferenceId"] for message in both}) == 1
    row = bench.truth(tmp_path).row(0, named=True)
    assert row["copies"] == 2
    assert row["published"] - row["ended"] == timedelta(milliseconds=100)  # the first of the two


async def test_rubbish_follows_the_real_message_whatever_the_subscription_filters(stack: AsyncExitStack) -> None:
    bench = await Bench.ready(stack, {"faults": {"malformed_messages": "100%"}})
    await bench.invoke()
    await advance(bench.emulator, 3.0)
    bodies = [message["Body"] for message in await bench.messages()]
    assert len(bodies) == 2
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(bodies[1])


async def test_skewed_clocks_show_in_stamps_and_not_in_the_truth(stack: AsyncExitStack, tmp_path: Path) -> None:
    bench = await Bench.ready(stack, {"faults": {"clock_skew": "2.5s"}})
    await bench.invoke()
    told = await bench.message()
    row = bench.truth(tmp_path).row(0, named=True)
    assert row["ended"] - ZERO == timedelta(seconds=seconds(told["eventTime"]) - 2.5)


# The truth, and what the service goes by


async def test_the_truth_has_one_row_for_every_call_whatever_became_of_it(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    bench = await Bench.ready(stack)
    await bench.invoke(InferenceId="first")
    await post(bench.emulator, {"InputLocation": INPUT, "RequestTTLSeconds": "1"})
    await post(bench.emulator, {"InputLocation": INPUT}, name="nobody")
    await advance(bench.emulator, 2.0)
    await bench.invoke(InferenceId="last")
    frame = bench.truth(tmp_path)
    assert frame["call"].to_list() == [0, 1, 2, 3]
    assert frame["status_code"].to_list() == [202, 400, 400, 202]
    assert frame["accepted"].to_list() == [True, False, False, True]
    assert frame["outcome"].to_list() == ["completed", None, None, "pending"]
    assert frame["ended"][0] - frame["started"][0] == timedelta(seconds=1)
    assert frame["published"][0] - frame["ended"][0] == timedelta(milliseconds=100)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (f"s3://b/prefix/images/{DIGEST}.png", "images"),
        (f"s3://b/images/{DIGEST}-17.json", "images"),
        (f"https://b.s3.us-east-1.amazonaws.com/p/images/{DIGEST}.png", "images"),
        (f"s3://b/{DIGEST}.png", ""),
        ("s3://b/prefix/images/cat.png", ""),
    ],
)
def test_the_payload_class_is_read_from_our_own_keys_only(location: str, expected: str) -> None:
    assert payload_class(location) == expected


async def test_service_times_go_by_payload_class(stack: AsyncExitStack) -> None:
    laws = {"by_class": {"": "1s", "inline": "2s", "big": "5s"}}
    bench = await Bench.ready(stack, {"service": laws})
    bench.emulator.s3.put("smbench-emulated", f"p/big/{DIGEST}.json", b"{}")
    for asked, expected_s in (
        ({"InputLocation": INPUT}, 1.0),
        ({"InputLocation": f"s3://smbench-emulated/p/big/{DIGEST}.json"}, 5.0),
        ({}, 2.0),
    ):
        await post(bench.emulator, asked, b"" if asked else b"{}")
        (message,) = await bench.messages()
        told = body_of(message)
        assert seconds(told["eventTime"]) - seconds(told["receivedTime"]) == pytest.approx(expected_s)
        assert told["requestParameters"].get("inputLocation") == asked.get("InputLocation")
        sqs = await bench.client("sqs")
        await sqs.delete_message(QueueUrl=bench.queue, ReceiptHandle=message["ReceiptHandle"])
