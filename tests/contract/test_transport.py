"""Goal: every Transport means the same by accepted, rejected and unacknowledged.

Method: one suite for each: the SDK and the wire against the emulator over HTTP, which checks their signatures, and the
endpoint in memory that the engine's tests run on. A transport that fails here would make an engine test true and a run
false.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from doubles import FakeEndpoint
from emulated_aws import WARP, emulated_aws
from promptly import Promptly
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.clock import LoopClock
from smbench.records import Accepted, Invocation, Rejected, Unacknowledged

pytestmark = pytest.mark.slow

Transport = SdkTransport | WireTransport | Promptly[Accepted] | FakeEndpoint
_Make = Callable[[str], AbstractAsyncContextManager[Transport]]
FAULTS = {
    "well": {},
    "throttled": {"throttled": 1.0},
    "broken": {"server_errors": 1.0},
    "reset": {"resets": 1.0},
    "lost reply": {"lost_replies": 1.0},
}
IN_MEMORY = {
    "well": None,
    "throttled": Rejected(400, "ThrottlingException"),
    "broken": Rejected(500, "InternalFailure"),
    "reset": Unacknowledged("connection reset"),
    "lost reply": Unacknowledged("connection reset"),
}


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@asynccontextmanager
async def sdk(state: str) -> AsyncIterator[Transport]:
    async with emulated_aws({"faults": FAULTS[state]}) as aws:
        yield aws.transport()


@asynccontextmanager
async def wire(state: str) -> AsyncIterator[Transport]:
    async with emulated_aws({"faults": FAULTS[state]}, by="wire") as aws:
        yield aws.transport()


@asynccontextmanager
async def prompt(state: str) -> AsyncIterator[Transport]:
    async with emulated_aws({"faults": FAULTS[state]}, by="wire") as aws:
        transport = aws.transport()
        assert isinstance(transport, WireTransport)
        yield Promptly(transport)


@asynccontextmanager
async def in_memory(state: str) -> AsyncIterator[Transport]:
    yield FakeEndpoint(LoopClock(), verdict=lambda _n: IN_MEMORY[state])


@pytest.fixture(params=[sdk, wire, prompt, in_memory], ids=["sdk", "wire", "prompt", "in memory"])
def make(request: pytest.FixtureRequest) -> _Make:
    made: _Make = request.param
    return made


def invocation(seq: int = 1) -> Invocation:
    return Invocation(seq, f"run-0-{seq}", body=b"{}", content_type="application/json")


async def test_an_acceptance_tells_the_status_and_both_locations(make: _Make) -> None:
    async with make("well") as transport:
        accepted = await transport.submit(invocation())
    assert accepted.status_code == 202
    assert accepted.output_location is not None
    assert accepted.failure_location is not None
    assert accepted.output_location.startswith("s3://")
    assert accepted.failure_location.startswith("s3://")


async def test_each_acceptance_has_a_place_of_its_own(make: _Make) -> None:
    async with make("well") as transport:
        places = [(await transport.submit(invocation(seq))).output_location for seq in range(5)]
    assert len(set(places)) == 5


async def test_a_throttle_is_a_rejection_without_a_message(make: _Make) -> None:
    async with make("throttled") as transport:
        with pytest.raises(Rejected) as refusal:
            await transport.submit(invocation())
    assert (refusal.value.status_code, refusal.value.code, refusal.value.message) == (400, "ThrottlingException", "")


async def test_a_broken_service_is_a_rejection_with_its_status(make: _Make) -> None:
    async with make("broken") as transport:
        with pytest.raises(Rejected) as refusal:
            await transport.submit(invocation())
    assert refusal.value.status_code >= 500
    assert refusal.value.code


@pytest.mark.parametrize("state", ["reset", "lost reply"])
async def test_a_connection_that_breaks_is_no_answer_either_way(make: _Make, state: str) -> None:
    async with make(state) as transport:
        with pytest.raises(Unacknowledged) as failure:
            await transport.submit(invocation())
    assert failure.value.cause == "connection reset"


@pytest.mark.parametrize("by", ["sdk", "wire"])
async def test_an_endpoint_that_is_not_there_is_a_rejection(by: str) -> None:
    async with emulated_aws(by=by) as aws:
        with pytest.raises(Rejected) as refusal:
            await aws.transport("gone").submit(invocation())
    assert (refusal.value.status_code, refusal.value.code) == (400, "ValidationError")
    assert refusal.value.message == "Endpoint gone of account 123456789012 not found."
