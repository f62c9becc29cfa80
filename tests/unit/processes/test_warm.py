"""Goal: one process serves many runs, and a run that fails or hangs takes no other with it.

Method: real processes; what they do is in `support/children.py`.
"""

import os
import signal

import pytest

from children import fails, hangs, says_its_pid
from smbench.processes.child import Child
from smbench.processes.messages import Failed, Preparing
from smbench.processes.warm import WarmWorkers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]  # each start of a process imports the worker


async def pid_of(child: Child, word: str) -> str:
    """What it says of itself, and then its end."""
    message = await child.receive()
    assert isinstance(message, Preparing)
    said, _, pid = message.text.partition(" ")
    assert said == word
    assert await child.receive() is None
    child.leave()
    assert child.process.exitcode == 0
    assert not child.process.is_alive()
    return pid


async def test_a_process_that_was_killed_while_it_waited_is_not_lent() -> None:
    with WarmWorkers() as warm:
        first = await pid_of(warm.start("worker", says_its_pid, "one"), "one")
        os.kill(int(first), signal.SIGKILL)
        warm._idle[0].process.join(10)
        assert await pid_of(warm.start("worker", says_its_pid, "two"), "two") != first


async def test_a_process_serves_one_run_after_another_and_one_that_fails_or_hangs_is_not_lent_again() -> None:
    with WarmWorkers() as warm:
        first = await pid_of(warm.start("worker", says_its_pid, "one"), "one")
        assert await pid_of(warm.start("worker", says_its_pid, "two"), "two") == first

        failed = warm.start("worker", fails)
        message = await failed.receive()
        assert isinstance(message, Failed)
        assert message.message == "it cannot"
        assert await failed.receive() is None
        failed.leave(5)
        second = await pid_of(warm.start("worker", says_its_pid, "three"), "three")
        assert second != first

        stubborn = warm.start("worker", hangs)
        side_by_side = warm.start("worker", says_its_pid, "four")
        assert await pid_of(side_by_side, "four") != second
        assert await stubborn.receive() == Preparing("hangs")
        stubborn.leave(0.2)
        assert not stubborn.process.is_alive()
        assert stubborn.how_it_ended() == "the worker was killed by signal SIGKILL"
        assert await pid_of(warm.start("worker", says_its_pid, "five"), "five") != second
