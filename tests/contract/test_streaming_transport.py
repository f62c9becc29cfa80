"""Goal: InvokeEndpointWithResponseStream means the same through the SDK and on the wire, at endpoints of both kinds.

Method: one suite for both against the emulator over HTTP, which checks their signatures, in virtual time: so the first
part of k comes at f, and each of the others d after the one before, to the microsecond. What the endpoint alone decides
is asked over the wire only. Streams of a scripted server are in `test_streamed_answers`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from emulated_aws import ENDPOINT, WARP, EmulatedAws, emulated_aws
from smbench.records import Answered, Invocation, Outcome, Parts, Rejected, Unacknowledged

pytestmark = pytest.mark.slow  # clients for each test

KINDS: dict[str, dict[str, Any]] = {
    "realtime": {"instances": {"min": 1, "concurrency": 1}},
    "serverless": {"serverless": {"max_concurrency": 2, "cold_start": "3s"}},
}
STREAM = {"parts": 5, "gap": "250ms"}
NAME = "sagemaker:InvokeEndpointWithResponseStream"


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(params=["sdk", "wire"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def endpoint(kind: str, by: str, **emulated: Any) -> AsyncIterator[EmulatedAws]:
    settings = {"instances": {}, "stream": STREAM} | KINDS[kind] | emulated
    async with emulated_aws(settings, kind=kind, by=by, answer_s=700) as aws:
        yield aws


async def call(aws: EmulatedAws, seq: int = 1, name: str = ENDPOINT) -> Answered:
    transport = aws.streaming(name)
    answer = await transport.submit(Invocation(seq, f"run-0-{seq}", body=b"{}", content_type="application/json"))
    return answer


async def test_k_parts_spaced_d_have_the_gap_d_and_the_first_comes_when_the_work_is_done(kind: str, by: str) -> None:
    async with endpoint(kind, by) as aws:
        for wait_s in (3.0 if kind == "serverless" else 0.0, 0.0):  # the first finds nothing warm
            begin_ns = aws.clock.now_ns()
            answer = await call(aws)
            first_ns = begin_ns + round((wait_s + 1.0) * 1e9)
            assert answer.outcome is Outcome.COMPLETED
            assert answer.parts is not None
            assert answer.parts == Parts(5, answer.parts.first_ns, 250_000_000, 250_000_000)
            assert answer.parts.first_ns == pytest.approx(first_ns, abs=1000)
            assert aws.clock.now_ns() == pytest.approx(first_ns + 1e9, abs=1000)
        assert answer.size_bytes == sum(len(b'{"inferenceId":"run-0-1","part":%d}\n' % place) for place in range(5))


async def test_a_single_part_has_no_gap() -> None:
    async with endpoint("realtime", "wire", stream={"parts": 1}) as aws:
        answer = await call(aws)
    assert answer.parts is not None
    assert answer.parts == Parts(1, answer.parts.first_ns)


async def test_a_stream_holds_its_slot_until_its_last_part() -> None:
    firsts_ns: list[int] = []
    async with endpoint("realtime", "wire") as aws:
        begin_ns = aws.clock.now_ns()

        async def note(seq: int) -> None:
            answer = await call(aws, seq)
            assert answer.parts is not None
            assert answer.parts.first_ns is not None
            firsts_ns.append(answer.parts.first_ns - begin_ns)

        async with anyio.create_task_group() as calls:
            for seq in range(3):
                calls.start_soon(note, seq)
    assert firsts_ns == pytest.approx([1e9, 3e9, 5e9], abs=1000)


TROUBLES = {
    "torn_stream": "torn stream: connection closed",
    "stream_error": "ModelStreamError StreamBroken: The Transmission Control Protocol (TCP) connection between the "
    "client and the model was reset or closed.",
    "stream_failure": "InternalStreamFailure: The stream processing failed because of an unknown error, exception or "
    "failure. Try your request again.",
}


async def test_a_stream_that_breaks_in_its_middle_was_taken_and_failed(by: str) -> None:
    plan = [{"calls": [NAME], "trouble": name, "nth": [nth]} for nth, name in enumerate(TROUBLES, 1)]
    async with endpoint("realtime", by, faults={"plan": plan}) as aws:
        for reason in TROUBLES.values():
            answer = await call(aws)
            assert (answer.outcome, answer.status_code, answer.failure_reason) == (Outcome.FAILED, 200, reason)
            assert answer.parts is not None
            assert (answer.parts.n, answer.parts.gap_max_ns) == (2, 250_000_000)
        assert (await call(aws)).outcome is Outcome.COMPLETED
        truth = aws.emulator.truth.frame()
    assert truth["fault"].to_list() == [*TROUBLES, None]
    assert truth["accepted"].all()
    assert truth["status_code"].to_list() == [200] * 4


async def test_a_container_s_error_before_the_first_part_is_no_stream(by: str) -> None:
    async with endpoint("realtime", by, faults={"container_errors": 1.0}) as aws:
        answer = await call(aws)
    assert (answer.outcome, answer.status_code, answer.parts) == (Outcome.FAILED, 424, None)
    assert str(answer.failure_reason).startswith("ModelError 500: ")


async def test_a_container_has_eight_minutes_to_finish_its_stream(kind: str) -> None:
    async with endpoint(kind, "wire", stream={"parts": 3, "gap": "4m"}) as aws:
        begin_ns = aws.clock.now_ns()
        answer = await call(aws)
        took_ns = aws.clock.now_ns() - begin_ns
    assert (answer.outcome, answer.status_code) == (Outcome.FAILED, 200)
    assert str(answer.failure_reason).startswith("ModelStreamError ModelInvocationTimeExceeded: The model failed")
    assert answer.parts is not None
    assert answer.parts.n == 2
    assert took_ns == pytest.approx((483 if kind == "serverless" else 480) * 1e9, abs=1000)


async def test_an_instance_that_dies_amid_a_stream_breaks_it() -> None:
    dying = {"instance_life": "1500ms"}
    async with endpoint("realtime", "wire", faults=dying, stream={"parts": 10, "gap": "300ms"}) as aws:
        answer = await call(aws)
    assert answer.parts is not None
    assert answer.parts.n == 2
    assert str(answer.failure_reason).startswith("ModelStreamError StreamBroken: ")


async def test_an_outage_of_the_region_takes_the_streams_under_way_along() -> None:
    plan = [{"calls": ["*"], "trouble": "reset", "at": "1300ms", "for": "1s"}]
    async with endpoint("realtime", "wire", faults={"plan": plan}) as aws:
        answer = await call(aws)
    assert (answer.outcome, answer.failure_reason) == (Outcome.FAILED, "torn stream: connection closed")
    assert answer.parts is not None
    assert answer.parts.n == 2


async def test_what_goes_wrong_before_the_first_part_is_as_with_every_call(by: str) -> None:
    named = [("throttle", {}), ("lost_reply", {}), ("slow", {"delay": "600ms"})]
    plan = [{"calls": [NAME], "trouble": name, "nth": [nth], **more} for nth, (name, more) in enumerate(named, 1)]
    async with endpoint("realtime", by, faults={"plan": plan}) as aws:
        with pytest.raises(Rejected, match="ThrottlingException"):
            await call(aws)
        with pytest.raises(Unacknowledged, match="connection reset"):
            await call(aws)
        await anyio.sleep(10)  # the lost one is done
        begin_ns = aws.clock.now_ns()
        late = await call(aws)  # what came meanwhile comes at once
        with pytest.raises(Rejected, match="Endpoint gone of account 123456789012 not found"):
            await call(aws, name="gone")
    assert late.parts is not None
    assert late.parts.first_ns == pytest.approx(begin_ns + 1.6e9, abs=1000)
    assert (late.parts.gap_max_ns, late.parts.gap_mean_ns) == pytest.approx((0.25e9, 0.1e9), abs=1000)
