"""Goal: InvokeEndpoint means the same through the SDK and on the wire, at endpoints of both kinds.

Method: one suite for both against the emulator over HTTP, which checks their signatures, in virtual time. What each
says of a scripted server, byte for byte, is compared in `test_same_outcomes` and `test_same_requests`.
"""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest

from emulated_aws import ENDPOINT, WARP, EmulatedAws, emulated_aws
from smbench.records import Answered, Invocation, Outcome, Rejected, Unacknowledged

pytestmark = pytest.mark.slow

_Make = Callable[..., AbstractAsyncContextManager[EmulatedAws]]
KINDS: dict[str, dict[str, Any]] = {
    "realtime": {"instances": {"min": 1, "concurrency": 2}},
    "serverless": {"serverless": {"max_concurrency": 2, "cold_start": "3s"}},
}


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(params=["sdk", "wire", "prompt"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def endpoint(kind: str, by: str, **emulated: Any) -> AsyncIterator[EmulatedAws]:
    async with emulated_aws({"instances": {}} | KINDS[kind] | emulated, kind=kind, by=by) as aws:
        yield aws


def invocation(seq: int = 1, **own: Any) -> Invocation:
    return Invocation(seq, f"run-0-{seq}", body=b"{}", content_type="application/json", **own)


async def refusal(aws: EmulatedAws, name: str = ENDPOINT, **own: Any) -> tuple[int, str, str]:
    with pytest.raises(Rejected) as caught:
        await aws.synchronous(name).submit(invocation(**own))
    return caught.value.status_code, caught.value.code, caught.value.message


async def test_an_answer_comes_when_the_work_is_done(kind: str, by: str) -> None:
    async with endpoint(kind, by) as aws:
        instants_s, answers = [anyio.current_time()], []
        for _ in range(2):
            answers.append(await aws.synchronous().submit(invocation()))
            instants_s.append(anyio.current_time())
    body = b'{"inferenceId":"run-0-1","instance":0}'
    assert answers == [Answered(Outcome.COMPLETED, 200, None, len(body))] * 2
    took_s = [round(after - before, 3) for before, after in itertools.pairwise(instants_s)]
    assert took_s == [4.0 if kind == "serverless" else 1.0, 1.0]  # the first finds nothing warm


async def test_an_error_of_the_container_is_an_end_with_its_original_status(kind: str, by: str) -> None:
    async with endpoint(kind, by, faults={"container_errors": 1.0}) as aws:
        answer = await aws.synchronous().submit(invocation())
    assert (answer.outcome, answer.status_code) == (Outcome.FAILED, 424)
    assert answer.failure_reason is not None
    assert answer.failure_reason.startswith("ModelError 500: Received server error (500) from primary with message")


async def test_a_container_that_takes_longer_than_a_minute_is_an_end_after_a_minute(kind: str, by: str) -> None:
    async with endpoint(kind, by, service="61s") as aws:
        begin_s = anyio.current_time()
        with anyio.fail_after(100):
            answer = await aws.synchronous().submit(invocation())
        took_s = anyio.current_time() - begin_s
    assert (answer.outcome, answer.status_code) == (Outcome.FAILED, 424)
    assert "Your invocation timed out" in str(answer.failure_reason)
    assert str(answer.failure_reason).startswith("ModelError 0: ")
    assert took_s == pytest.approx(63.0 if kind == "serverless" else 60.0, abs=1e-3)


async def test_more_than_its_concurrency_waits_at_instances_and_is_throttled_without(kind: str, by: str) -> None:
    ends: list[object] = []
    async with endpoint(kind, by) as aws:
        transport = aws.synchronous()

        async def call(seq: int) -> None:
            try:
                ends.append((await transport.submit(invocation(seq))).outcome.value)
            except Rejected as refused:
                ends.append((refused.status_code, refused.code, refused.message))

        async with anyio.create_task_group() as calls:
            for seq in range(5):
                calls.start_soon(call, seq)
    if kind == "realtime":
        assert ends == ["completed"] * 5
    else:
        assert ends == [(400, "ThrottlingException", "")] * 3 + ["completed"] * 2


async def test_a_full_container_answers_503(by: str) -> None:
    one_slot = {"min": 1, "concurrency": 1}
    async with (
        endpoint("realtime", by, waiting=0, instances=one_slot) as aws,
        anyio.create_task_group() as calls,
    ):
        calls.start_soon(aws.synchronous().submit, invocation(1))
        await anyio.sleep(0.1)
        answer = await aws.synchronous().submit(invocation(2))
    assert (answer.outcome, answer.status_code) == (Outcome.FAILED, 424)
    assert str(answer.failure_reason).startswith("ModelError 503: Received server error (503)")


@pytest.mark.parametrize("fault", ["resets", "lost_replies"])
async def test_a_connection_that_breaks_is_no_answer_either_way(kind: str, by: str, fault: str) -> None:
    async with endpoint(kind, by, faults={fault: 1.0}) as aws:
        with pytest.raises(Unacknowledged) as failure:
            await aws.synchronous().submit(invocation())
    assert failure.value.cause == "connection reset"


async def test_a_throttle_and_a_broken_service_are_rejections(kind: str, by: str) -> None:
    async with endpoint(kind, by, faults={"throttled": 1.0}) as aws:
        assert await refusal(aws) == (400, "ThrottlingException", "")
    async with endpoint(kind, by, faults={"server_errors": 1.0}) as aws:
        status, code, _ = await refusal(aws)
    assert (status, code) in {(500, "InternalFailure"), (503, "ServiceUnavailable")}


async def test_what_the_endpoint_does_not_have_is_a_rejection(kind: str, by: str) -> None:
    async with endpoint(kind, by) as aws:
        assert await refusal(aws, "gone") == (
            400,
            "ValidationError",
            "Endpoint gone of account 123456789012 not found.",
        )
        assert (await refusal(aws, target_variant="other"))[:2] == (400, "ValidationError")
        for names in ("inference_component", "target_model", "target_container", "explanations"):
            assert (await refusal(aws, **{names: "other"}))[:2] == (400, "ValidationError"), names
        answer = await aws.synchronous().submit(invocation(target_variant="AllTraffic"))
    assert answer.outcome is Outcome.COMPLETED


async def test_each_call_is_for_its_kind_of_endpoint_alone(kind: str, by: str) -> None:
    async with endpoint(kind, by) as aws:
        with pytest.raises(Rejected, match="is not an asynchronous inference endpoint"):
            await aws.transport().submit(Invocation(1, "run-0-1", input_location="s3://bucket/in.json"))
    async with emulated_aws(by=by) as aws:
        status, code, message = await refusal(aws)
    assert (status, code) == (400, "ValidationError")
    assert message == (
        "Endpoint smbench-emulated is an asynchronous inference endpoint and does not support this invocation type."
    )


async def test_a_body_above_the_limit_is_a_rejection(by: str) -> None:
    async with endpoint("serverless", by) as aws:
        with pytest.raises(Rejected) as refused:
            await aws.synchronous().submit(Invocation(1, "run-0-1", body=b"x" * (4 * 2**20 + 1)))
    assert (refused.value.status_code, refused.value.code) == (400, "ValidationError")
    assert refused.value.message.endswith("Member must have length less than or equal to 4194304")
