"""Goal: the null target answers as AWS does as far as our clients look, and tells every end once.

Method: the SDK's and the wire's own transport and notices against it, on one loop in virtual time; then bytes by hand.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from emulated_aws import WARP
from smbench.ceiling.null_target import NullTarget
from smbench.ceiling.trials import outside_of
from smbench.clock import wall_ns
from smbench.generator.runner import Outside
from smbench.records import Accepted, Delivery, Invocation, Notice, Outcome

pytestmark = pytest.mark.slow


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(params=["sdk", "wire"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def null_target(by: str) -> AsyncIterator[Outside]:
    target = NullTarget()
    url = await target.start()
    try:
        async with outside_of(url, by) as outside:
            yield outside
    finally:
        await target.stop()


def invocation(seq: int) -> Invocation:
    return Invocation(seq, f"Run-0-{seq}", input_location="s3://bucket/in.json", content_type="application/json")


def notice_in(delivery: Delivery) -> Notice:
    assert isinstance(delivery.content, Notice), delivery.content
    return delivery.content


async def test_an_invocation_is_taken_and_its_success_told_with_every_stamp(by: str) -> None:
    async with null_target(by) as outside:
        before_ns = wall_ns() // 1_000_000 * 1_000_000  # stamps are whole milliseconds
        accepted = await outside.transport.submit(invocation(7))
        after_ns = wall_ns()
        (delivery,) = await outside.notices.receive()
    notice = notice_in(delivery)
    assert isinstance(accepted, Accepted)
    assert accepted.status_code == 202
    assert accepted.output_location is not None
    assert accepted.output_location.startswith("s3://")
    assert accepted.failure_location is not None
    assert notice.inference_id == "Run-0-7"
    assert notice.outcome is Outcome.COMPLETED
    assert notice.output_location is not None
    for stamp_ns in (notice.recv_utc_ns, notice.done_utc_ns, notice.pub_utc_ns):
        assert stamp_ns is not None
        assert before_ns <= stamp_ns <= after_ns


async def test_every_end_is_told_once_at_most_ten_in_a_receive_and_deleted(by: str) -> None:
    async with null_target(by) as outside:
        for seq in range(23):
            await outside.transport.submit(invocation(seq))
        batches = [await outside.notices.receive() for _ in range(3)]
        for batch in batches:
            assert await outside.notices.delete([delivery.receipt for delivery in batch]) == []
    assert [len(batch) for batch in batches] == [10, 10, 3]
    deliveries = [delivery for batch in batches for delivery in batch]
    assert [notice_in(delivery).inference_id for delivery in deliveries] == [f"Run-0-{seq}" for seq in range(23)]
    assert len({delivery.receipt for delivery in deliveries}) == 23


async def test_polls_that_find_nothing_wait_and_are_served_in_turn(by: str) -> None:
    heard: list[tuple[int, str]] = []
    async with null_target(by) as outside:

        async def poll(number: int) -> None:
            heard.extend((number, notice_in(one).inference_id) for one in await outside.notices.receive())

        async with anyio.create_task_group() as polls:
            for number in range(3):
                polls.start_soon(poll, number)
                await anyio.sleep(1)
            for seq in range(3):
                await outside.transport.submit(invocation(seq))
    assert heard == [(0, "Run-0-0"), (1, "Run-0-1"), (2, "Run-0-2")]


async def test_a_poll_in_vain_ends_after_twenty_seconds_with_nothing(by: str) -> None:
    async with null_target(by) as outside:
        began_s = anyio.current_time()
        assert await outside.notices.receive() == []
        assert anyio.current_time() - began_s == pytest.approx(20, abs=0.1)


async def test_a_poll_that_was_given_up_takes_no_notice_with_it(by: str) -> None:
    async with null_target(by) as outside:
        with anyio.move_on_after(1):
            await outside.notices.receive()
        await anyio.sleep(0.1)  # its connection is closed by then
        await outside.transport.submit(invocation(1))
        (delivery,) = await outside.notices.receive()
    assert notice_in(delivery).inference_id == "Run-0-1"


async def test_a_request_that_comes_in_pieces_is_answered_once_it_is_whole() -> None:
    target = NullTarget()
    url = await target.start()
    request = b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.DeleteMessageBatch\r\nContent-Length: 19\r\n\r\n"
    body = b'{"ReceiptHandle":1}'
    async with await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2])) as stream:
        for at in range(0, len(request + body), 10):
            await stream.send((request + body)[at : at + 10])
            await anyio.sleep(0.01)
        answer = await stream.receive()
        await stream.send(b"GET / HTTP/1.1\r\n\r\n")
        refusal = await stream.receive()
    await target.stop()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"Successful":[{"Id":"0"}]}')
    assert refusal.startswith(b"HTTP/1.1 501 ")
