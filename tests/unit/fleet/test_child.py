"""Goal: the end of a child is told in words, and one that hangs up and lives on holds nobody up.

Method: a process in memory whose sentinel is a pipe, on virtual time.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe
from typing import Any

import anyio
import pytest

from smbench.clock import WarpLoop
from smbench.fleet.child import Child


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@dataclass
class Process:
    """As far as a child is asked for it."""

    exitcode: int | None = None
    sentinel: int = field(init=False)

    def __post_init__(self) -> None:
        self.sentinel, self._alive = os.pipe()

    def end(self, exitcode: int) -> None:
        self.exitcode = exitcode
        os.close(self._alive)

    def join(self, timeout_s: float | None = None) -> None:
        pass


@pytest.fixture
def process() -> Iterator[Process]:
    one = Process()
    yield one
    os.close(one.sentinel)
    if one.exitcode is None:
        one.end(0)


def child(process: Process) -> Child:
    ours, theirs = Pipe()
    theirs.close()
    return Child("worker 1", process, ours)  # type: ignore[arg-type]  # a fake


@pytest.mark.parametrize(
    ("exitcode", "words"),
    [(-9, "worker 1 was killed by signal SIGKILL"), (3, "worker 1 ended with exit code 3")],
)
async def test_how_a_child_ended_is_said_with_its_name(process: Process, exitcode: int, words: str) -> None:
    gone = child(process)
    assert await gone.receive() is None
    process.end(exitcode)
    assert await gone.how_it_ended() == words


async def test_a_child_that_hangs_up_and_lives_on_is_waited_for_a_second(process: Process) -> None:
    silent = child(process)
    assert await silent.receive() is None
    began_s = anyio.current_time()
    assert await silent.how_it_ended() == "worker 1 hung up without a word, and is still there"
    assert anyio.current_time() - began_s == pytest.approx(1.0)
