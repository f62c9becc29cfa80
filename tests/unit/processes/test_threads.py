"""Goal: a worker as a thread is a child as any other: heard, ended by its parent, its failure said in words.

Method: small mains in threads of this process.
"""

import threading
import time
from typing import Any

from smbench.errors import ExitCode, TargetError
from smbench.processes.channel import Channel
from smbench.processes.child import leave_all, start_thread
from smbench.processes.messages import Cancel, Done, Failed, Preparing


def says(channel: Channel, *words: Any) -> None:
    for word in words:
        channel.send(word)


def fails(_channel: Channel, error: BaseException) -> None:
    raise error


def hangs(_channel: Channel) -> None:
    while True:
        time.sleep(0.001)


async def test_what_it_says_arrives_in_order_and_then_the_end() -> None:
    child = start_thread("worker", says, Preparing("uploading"), Done(["a note"]))
    assert [await child.receive() for _ in range(3)] == [Preparing("uploading"), Done(["a note"]), None]
    assert child.how_it_ended() == "the worker ended with exit code 0"


async def test_why_it_failed_is_said_with_its_advice_and_status() -> None:
    child = start_thread("worker", fails, TargetError("no such endpoint", "look at its name"))
    assert await child.receive() == Failed("no such endpoint", "look at its name", ExitCode(3))
    assert await child.receive() is None


async def test_one_that_hangs_is_ended_when_it_is_killed_and_when_it_is_left() -> None:
    killed, left = (start_thread("worker", hangs) for _ in range(2))
    assert killed.process.is_alive()
    killed.kill()
    assert isinstance(await killed.receive(), Failed)
    assert killed.how_it_ended() == "the worker ended with exit code 1"
    leave_all([left], within_s=0.01)
    assert not left.process.is_alive()


async def test_it_hears_its_parent_and_does_not_keep_the_process_alive() -> None:
    heard: list[Any] = []

    def listens(channel: Channel) -> None:
        import anyio

        heard.append(anyio.run(channel.receive))
        heard.append(threading.current_thread().daemon)

    child = start_thread("worker", listens)
    child.tell(Cancel("enough"))
    assert await child.receive() is None
    assert heard == [Cancel("enough"), True]
