"""Goal: of a run whose parent was lost every worker is found or named, and none is taken for lost that may be at work.

Method: words in files, at an address where nothing answers; what an actor says of itself, without Ray. The real cluster
is in `tests/cli/test_ray.py`.
"""

import datetime
import shutil
import socket
from pathlib import Path

import pytest

from smbench.errors import TargetError
from smbench.generator.shares import Share
from smbench.lifecycle.bringing_home import _cluster
from smbench.processes.clusters.actor import Actor, RunsFolder
from smbench.processes.clusters.adopting import Orphans, orphans_led
from smbench.processes.clusters.outliving import word_files
from smbench.processes.messages import Done, Failed, Message, Workplace
from smbench.records import Ending
from smbench.results.manifest import Manifest, RayFacts
from smbench.results.shards import ShardState
from smbench.version import __version__


@pytest.fixture
def orphans(tmp_path: Path) -> Orphans:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    shares = [Share("r", worker, 2) for worker in range(2)]
    return Orphans(tmp_path, shares, f"ray://127.0.0.1:{port}", 0, {}, {}, ())


def said(
    orphans: Orphans, ending: Ending, ago_s: float = 0.0, run_id: str = "r", reason: str = ""
) -> datetime.datetime:
    """Returns when: so long ago from now on, for the suite may be minutes old."""
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago_s)
    state = ShardState(shard=0, run_id=run_id, started=at, said=at, ending=ending, reason=reason, notes=("a",))
    word_files(orphans.run_dir, 0).write(state)
    return at


async def words(orphans: Orphans) -> list[Message | None]:
    with orphans_led(orphans) as workers:
        first = [await worker.receive() for worker in workers]
        assert [await worker.receive() for worker in workers] == [None, None]
    return first


async def test_what_a_worker_said_last_counts_when_it_has_ended_and_one_without_a_word_is_lost(
    orphans: Orphans,
) -> None:
    said(orphans, Ending.FINISHED)
    first, second = await words(orphans)
    assert first == Done(("a",))
    assert isinstance(second, Failed)
    assert "never came to its end" in second.message
    said(orphans, Ending.FAILED, reason="the disk is full")
    first, _ = await words(orphans)
    assert isinstance(first, Failed)
    assert first.message == "the disk is full"


async def test_a_worker_that_spoke_within_a_minute_is_not_lost_because_ray_does_not_answer(orphans: Orphans) -> None:
    said(orphans, Ending.RUNNING, ago_s=20)
    with pytest.raises(TargetError, match="worker 0 was at work at"):
        await words(orphans)
    spoken = said(orphans, Ending.RUNNING, ago_s=75)
    first, _ = await words(orphans)
    assert isinstance(first, Failed)
    assert f"after {spoken:%Y-%m-%d %H:%M:%S} UTC" in first.message


async def test_the_word_of_another_run_is_none(orphans: Orphans) -> None:
    said(orphans, Ending.FINISHED, run_id="another")
    first, _ = await words(orphans)
    assert isinstance(first, Failed)


def test_an_actor_is_led_by_one_parent_of_its_version_in_its_own_folder(tmp_path: Path) -> None:
    own, copy = tmp_path / "run", tmp_path / "copy"
    own.mkdir()
    shutil.copytree(own, copy)
    actor = Actor()
    assert actor.unsuitable(__version__, Workplace(own, own)) == ""
    assert "another folder" in actor.engaged(__version__, RunsFolder.of(copy))
    assert "is of smbench" in actor.engaged("0.0.1", RunsFolder.of(own))
    assert "has a parent" in actor.engaged(__version__, RunsFolder.of(own))


def test_an_address_that_came_with_a_copy_is_never_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    run, copy = tmp_path / "run", tmp_path / "copy"
    run.mkdir()
    shutil.copytree(run, copy)
    facts = RayFacts(address="ray://head:10001", folder=run.stat().st_ino)
    manifest = Manifest(run_id="r", started=datetime.datetime.now(datetime.UTC), ray=facts)
    assert _cluster(run, manifest) == "ray://head:10001"
    with pytest.raises(TargetError, match="is a copy of a run"):
        _cluster(copy, manifest)
    monkeypatch.setenv("RAY_ADDRESS", "mine:6379")
    assert _cluster(copy, manifest) == "mine:6379"
