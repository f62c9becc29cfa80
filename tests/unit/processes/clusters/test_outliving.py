"""Goal: a worker that loses its parent goes on as it was asked to, within its own limits, and its last word is kept.

Method: lines in memory; the parent is the test, and is lost when its end closes without a word.
"""

from pathlib import Path
from typing import Any

import anyio
import pytest

from smbench.errors import ExitCode
from smbench.generator.shares import Share
from smbench.processes.channel import MemoryChannel, memory_channels
from smbench.processes.clusters.outliving import OutlivingChannel, word_files
from smbench.processes.messages import Beat, Done, Failed, Go, Leave, Message, Preparing, Stop, WorkerOrder
from smbench.records import Ending, NotSent, Stage
from smbench.scenario.model import Scenario
from smbench.snapshot import Snapshot
from smbench.targets.base import AwsAccess

GO = Go(0, 0, 1.0)
LOAD = {"constant": {"rate": "10/s", "for": "60s"}}
STOPPED_WITHIN_S = 5.0


def line(run_dir: Path, of: int = 2, **changes: Any) -> tuple[MemoryChannel, OutlivingChannel]:
    scenario = Scenario.model_validate({"name": "a", "target": {"endpoint": "mine"}, "load": [LOAD], **changes})
    order = WorkerOrder(scenario.model_dump_json(by_alias=True), Share("r", 1, of), "digest", AwsAccess(), 0)
    parent, ours = memory_channels()
    return parent, OutlivingChannel(ours, order, run_dir)


async def begun(run_dir: Path, of: int = 2, **changes: Any) -> tuple[MemoryChannel, OutlivingChannel]:
    parent, channel = line(run_dir, of, **changes)
    parent.send(GO)
    assert await channel.receive() == GO
    return parent, channel


async def next_within(channel: OutlivingChannel, patience_s: float = STOPPED_WITHIN_S) -> Message | str | None:
    with anyio.move_on_after(patience_s):
        return await channel.receive()
    return "nothing"


def bad(n_bad: int, n_answers: int) -> Beat:
    return Beat(Snapshot(1, 0, 0.0, Stage.SENDING, n_sent=n_answers + 3, n_in_flight=3, n_bad_answers=n_bad))


async def test_a_parent_that_is_lost_after_the_go_ends_nothing(tmp_path: Path) -> None:
    parent, channel = await begun(tmp_path)
    parent.close()
    assert await next_within(channel) == "nothing"
    assert not channel.is_led()


async def test_a_parent_that_is_lost_before_the_go_ends_the_worker_and_leaves_no_file(tmp_path: Path) -> None:
    parent, channel = line(tmp_path)
    parent.close()
    assert await next_within(channel) is None
    channel.send(Failed("interrupted", "", ExitCode.INTERRUPTED))
    assert word_files(tmp_path, 1).read() is None


async def test_a_parent_that_leaves_ends_the_worker_as_a_lost_one_of_another_place_does(tmp_path: Path) -> None:
    parent, channel = await begun(tmp_path)
    parent.send(Leave())
    parent.close()
    assert await next_within(channel) is None


async def test_without_a_parent_a_worker_holds_the_share_of_errors_against_its_own_answers(tmp_path: Path) -> None:
    limits = {"errors": 0.1, "errors_after": 20}
    parent, channel = await begun(tmp_path, limits=limits)
    channel.send(bad(20, 20))  # a parent is there, and judges the sum
    parent.close()
    assert await next_within(channel) == "nothing"
    channel.send(bad(2, 20))
    assert await next_within(channel) == "nothing"
    channel.send(bad(3, 20))
    channel.send(bad(4, 20))
    stop = await next_within(channel)
    assert isinstance(stop, Stop)
    assert stop.why is NotSent.ERROR_LIMIT
    assert await next_within(channel) == "nothing", "it says so once"


async def test_a_phase_that_stops_by_what_all_see_is_not_sent_on_without_a_parent(tmp_path: Path) -> None:
    stops = {"steps": {"rates": ["10/s", "20/s"], "each": "30s", "stop": {"errors": "5%"}}}
    for of, stopped in ((2, True), (1, False)):
        parent, channel = await begun(tmp_path, of, load=[stops])
        parent.close()
        said = await next_within(channel)
        assert isinstance(said, Stop) is stopped


async def test_another_parent_leads_from_where_it_comes_and_never_beside_the_first(tmp_path: Path) -> None:
    parent, channel = await begun(tmp_path)
    second, ours = memory_channels()
    assert not channel.take_line(ours)
    parent.close()
    assert await next_within(channel) == "nothing"
    assert channel.take_line(ours)
    channel.send(Preparing("here"))
    assert await second.receive() == Preparing("here")
    second.send(Stop(NotSent.STOPPED, "enough"))
    assert await next_within(channel) == Stop(NotSent.STOPPED, "enough")


async def test_the_last_word_is_kept_with_what_stays_in_aws_and_nobody_is_led_after_it(tmp_path: Path) -> None:
    parent, channel = await begun(tmp_path)
    parent.close()
    assert await next_within(channel) == "nothing"
    assert not channel.send(Done(["all is well"], held={"queue": "q"}))
    state = word_files(tmp_path, 1).read()
    assert state is not None
    assert (state.run_id, state.ending, state.held) == ("r", Ending.FINISHED, {"queue": "q"})
    assert state.notes[0] == "all is well"
    assert "worker 1 lost its parent at" in state.notes[1]
    assert not channel.take_line(memory_channels()[0])


@pytest.mark.parametrize("is_led", [True, False])
async def test_a_failure_is_kept_whether_a_parent_reads_it_or_not(tmp_path: Path, is_led: bool) -> None:
    parent, channel = await begun(tmp_path)
    if not is_led:
        parent.close()
        assert await next_within(channel) == "nothing"
    assert channel.send(Failed("the disk is full", "", ExitCode.DISK)) is is_led
    state = word_files(tmp_path, 1).read()
    assert state is not None
    assert (state.ending, state.reason) == (Ending.FAILED, "the disk is full")
