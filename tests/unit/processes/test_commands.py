"""Goal: a worker does what its parent says, from the first moment on, whatever it is doing.

Method: the parent is the other end of a channel in memory; what is written down is only noted.
"""

from pathlib import Path
from typing import Any

import anyio
import pytest

from smbench.errors import NotBegunError
from smbench.generator.plan import make_plan
from smbench.processes.channel import Channel, memory_channels
from smbench.processes.messages import Acknowledged, Announce, Cancel, Go, Stop
from smbench.processes.worker import Commands, _after_loss
from smbench.records import NotSent
from smbench.scenario.model import Scenario


class Rows:
    """What a share's rows are asked for."""

    def __init__(self) -> None:
        self.asked_ns: list[tuple[int, int]] = []

    def write_first_versions(self, epoch_ns: int, later_ns: int) -> None:
        self.asked_ns.append((epoch_ns, later_ns))


async def begun(commands: Commands, rows: Any) -> Go:
    with anyio.fail_after(5):
        return await commands.wait_for_go(rows)


async def listen(commands: Commands, parent: Channel, *messages: Any) -> None:
    """Take these, and then the parent's end."""
    for message in messages:
        parent.send(message)
    parent.close()
    with anyio.fail_after(5):
        await commands.listen()


@pytest.mark.slow
async def test_every_announcement_is_written_and_acknowledged_before_the_go_counts() -> None:
    parent, child = memory_channels()
    commands, rows, go = Commands(child), Rows(), Go(9, 8, 1.0)
    await listen(commands, parent, Announce(7), Announce(8, 5), go)
    assert await begun(commands, rows) == go
    assert rows.asked_ns == [(7, 0), (8, 5)]


async def test_an_acknowledgement_goes_back_to_the_parent() -> None:
    parent, child = memory_channels()
    commands, rows = Commands(child), Rows()
    parent.send(Announce(7))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(commands.listen)
            tasks.start_soon(begun, commands, rows)
            assert await parent.receive() == Acknowledged()
            assert rows.asked_ns == [(7, 0)]
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("message", [Stop(NotSent.STOPPED, "enough"), Cancel("now")])
@pytest.mark.parametrize("before", [[], [Announce(7)]])
async def test_to_be_stopped_before_the_go_is_not_to_begin(message: Any, before: list[Any]) -> None:
    parent, child = memory_channels()
    with pytest.raises(NotBegunError):
        await listen(Commands(child), parent, *before, message)


@pytest.mark.parametrize("messages", [[], [Cancel("the emulator ended", is_target_gone=True)]])
async def test_the_end_of_the_parent_or_its_emulator_before_the_go_is_not_to_begin(messages: list[Any]) -> None:
    parent, child = memory_channels()
    commands, lost = Commands(child), []
    commands.on_loss = lambda: lost.append(commands.is_begun)
    with pytest.raises(NotBegunError):
        await listen(commands, parent, *messages)
    assert lost == [False]


class Held:
    """Of what a target prepared: whether its queue is left."""

    is_abandoned = False

    def abandon(self) -> None:
        self.is_abandoned = True


@pytest.mark.parametrize(
    ("endpoint", "is_begun", "is_abandoned", "is_gone"),
    [(None, False, True, True), (None, True, True, True), ("real", False, False, False), ("real", True, True, False)],
)
async def test_with_the_parent_its_emulator_ends_and_nothing_more_is_asked_of_it(
    endpoint: str | None, is_begun: bool, is_abandoned: bool, is_gone: bool
) -> None:
    """Else the worker tries for many seconds to delete messages and a queue that are gone."""
    _, child = memory_channels()
    commands, held = Commands(child), Held()
    commands.is_begun = is_begun
    target: dict[str, Any] = {"emulated": {}} if endpoint is None else {"endpoint": endpoint}
    document = {"name": "test", "target": target, "load": [{"burst": {"requests": 1}}]}
    plan = make_plan(Scenario.model_validate(document), Path())
    _after_loss(commands, held, plan)  # type: ignore[arg-type]  # all of it that is asked
    assert (held.is_abandoned, commands.control.is_target_gone) == (is_abandoned, is_gone)


async def test_after_the_go_stop_and_cancel_reach_the_load_with_their_reasons() -> None:
    parent, child = memory_channels()
    commands = Commands(child)
    await listen(
        commands, parent, Go(9, 8, 1.0), Stop(NotSent.STOPPED, "stopped by SIGINT"), Cancel("stopped at once by SIGINT")
    )
    assert (commands.control.stop_reason, commands.control.cancel_reason) == (
        "stopped by SIGINT",
        "stopped at once by SIGINT",
    )


async def test_the_emulators_end_after_the_go_cancels_the_load_and_is_known_before_the_last_words() -> None:
    parent, child = memory_channels()
    commands, known = Commands(child), []
    commands.on_loss = lambda: known.append(commands.control.is_cancelled)
    await listen(commands, parent, Go(9, 8, 1.0), Cancel("the emulator was killed", is_target_gone=True))
    assert known == [False, True]  # the second is the parent's own end
    assert commands.control.cancel_reason == "the emulator was killed"


async def test_the_parents_end_after_the_go_cancels_the_load_and_leaves_what_ends_with_the_parent() -> None:
    parent, child = memory_channels()
    commands, abandoned = Commands(child), []
    commands.on_loss = lambda: abandoned.append(True)
    await listen(commands, parent, Go(9, 8, 1.0))
    assert commands.control.is_cancelled
    assert abandoned == [True]
