"""Goal: parent and child speak through any channel alike, whether it is a pipe or in memory.

Method: one suite over each kind; both ends in one loop.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import anyio
import pytest

from smbench.processes.channel import Channel, PipeChannel, memory_channels
from smbench.processes.messages import Cancel, Message, Preparing, Stop, WorkerOrder
from smbench.records import NotSent

Ends = tuple[Channel, Channel]


def over_a_pipe() -> Ends:
    one, other = multiprocessing.get_context("spawn").Pipe()
    return PipeChannel(one), PipeChannel(other)


@pytest.fixture(params=[over_a_pipe, memory_channels], ids=["pipe", "memory"])
async def ends(request: pytest.FixtureRequest) -> Any:
    make: Callable[[], Ends] = request.param
    made = make()
    yield made
    for end in made:
        end.close()


async def soon(message: Any) -> Message | None:
    with anyio.fail_after(5):
        received: Message | None = await message
    return received


async def test_messages_arrive_whole_once_and_in_order(ends: Ends) -> None:
    parent, child = ends
    sent = [Stop(NotSent.STOPPED, str(number)) for number in range(20)]
    assert all(parent.send(message) for message in sent)
    assert [await soon(child.receive()) for _ in sent] == sent


async def test_both_ends_send_and_receive(ends: Ends) -> None:
    parent, child = ends
    parent.send(Stop(NotSent.STOPPED, "enough"))
    child.send(Preparing("uploading"))
    assert await soon(parent.receive()) == Preparing("uploading")
    assert await soon(child.receive()) == Stop(NotSent.STOPPED, "enough")


async def test_who_receives_first_waits_for_the_message(ends: Ends) -> None:
    parent, child = ends
    received = []

    async def receive() -> None:
        received.append(await child.receive())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await anyio.sleep(0.01)
            assert received == []
            parent.send(Stop(NotSent.STOPPED, "now"))
    assert received == [Stop(NotSent.STOPPED, "now")]


async def test_what_was_sent_before_the_end_is_still_received_and_then_none_for_ever(ends: Ends) -> None:
    parent, child = ends
    child.send(Preparing("the last"))
    child.close()
    assert await soon(parent.receive()) == Preparing("the last")
    assert [await soon(parent.receive()) for _ in range(3)] == [None] * 3


async def test_the_end_of_the_other_side_wakes_who_waits(ends: Ends) -> None:
    parent, child = ends
    received: list[Message | None] = []

    async def receive() -> None:
        received.append(await child.receive())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await anyio.sleep(0.01)
            parent.close()
    assert received == [None]


async def test_sending_to_a_side_that_has_ended_is_false_and_no_error(ends: Ends) -> None:
    parent, child = ends
    child.close()
    assert not parent.send(Stop(NotSent.STOPPED, "too late"))


async def test_a_cancelled_receive_takes_no_message(ends: Ends) -> None:
    parent, child = ends
    with anyio.move_on_after(0.01):
        await child.receive()
    parent.send(Cancel("now"))
    assert await soon(child.receive()) == Cancel("now")


async def test_closing_twice_is_allowed(ends: Ends) -> None:
    parent, _child = ends
    parent.close()
    parent.close()
    assert await soon(parent.receive()) is None


def leaves(of: Any) -> Iterator[Any]:
    """The types that a message is made of."""
    if is_dataclass(of):
        hints = get_type_hints(of)
        for field in fields(of):
            yield from leaves(hints[field.name])
    elif get_args(of):
        for part in get_args(of):
            yield from leaves(part)
    else:
        yield of


@pytest.mark.parametrize("kind", [WorkerOrder, *get_args(Message)], ids=lambda kind: kind.__name__)
def test_no_message_has_a_path_that_another_machine_could_not_understand(kind: Any) -> None:
    assert not [leaf for leaf in leaves(kind) if isinstance(leaf, type) and issubclass(leaf, Path)]
