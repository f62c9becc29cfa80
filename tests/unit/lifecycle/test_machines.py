"""Goal: shards that no parent leads make one ledger, whatever became of each, and none is started twice.

Method: the worker of every run, on virtual time and an endpoint in memory; a kill is the files of that instant. Real
processes: `tests/cli/test_machines.py`.
"""

import datetime
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import orjson
import polars as pl
import pytest

import sharing
from sharing import SCENARIO, MemoryTarget, kill_at, memory_target, ordered, plan_of, send
from smbench.analysis.rows.frames import load
from smbench.clock import wall_ns
from smbench.errors import DiskError, ExitCode, NotBegunError, OrderError, SmbenchError, TargetError, UsageError
from smbench.generator.plan import make_plan
from smbench.generator.shares import Share
from smbench.generator.taking_up import put_back
from smbench.lifecycle.collect import collect
from smbench.lifecycle.order import ORDER, agreed_instant, read_order, write_order
from smbench.lifecycle.origin import Origin
from smbench.processes.alone import AloneChannel
from smbench.processes.interrupts import Interrupts
from smbench.processes.messages import Beat
from smbench.records import Ending, Rejected
from smbench.results.law import Counts, row_violations
from smbench.results.place import FolderPlace
from smbench.results.shards import ShardFiles, ShardState
from smbench.results.store import RunFiles, open_run
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess

__all__ = ["memory_target"]  # a fixture
NOW_NS = 1_795_230_000_000_000_000
PLAN = plan_of()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "order"


def lawful(run: RunFiles) -> pl.DataFrame:
    """The rows, after the law has been held against them."""
    rows = run.requests.collect()
    assert Counts.of(rows).violations() == []
    assert row_violations(rows, run.manifest.n_scheduled) == []
    return rows


def collected(folder: Path) -> RunFiles:
    """Collected a minute later: what was sent in virtual time may be ahead of the wall's."""
    with mock.patch("smbench.lifecycle.collect.wall_ns", return_value=wall_ns() + 60_000_000_000):
        done = collect(FolderPlace(folder), folder.parent / "results", None)
    assert done.problems == ()
    return open_run(done.path)


def interrupted(name: str) -> Interrupts:
    interrupts = Interrupts()
    interrupts.give(name)
    return interrupts


def is_one_workers_schedule(run: RunFiles) -> bool:
    """Row by row; each due instant counted from its own shard's time zero, to the microsecond of a file."""
    rows, alone = run.requests.collect(), PLAN.schedule.shard(0, 1)
    run_zero = datetime.datetime.fromtimestamp(run.manifest.clock.epoch_ns / 1e9, datetime.UTC)
    zeros_us = [round((shard.zero or run_zero).timestamp() * 1e6) for shard in run.manifest.shards]
    due_us = rows["sched"].dt.epoch("us").to_numpy() - np.array(zeros_us)[rows["worker"].to_numpy()]
    names = [PLAN.schedule.spans[phase].name for phase in alone.phase.tolist()]
    return (
        rows["seq"].to_list() == alone.seq.tolist()
        and rows["phase"].to_list() == names
        and due_us.tolist() == (alone.sched_ns // 1000).tolist()
        and rows["worker"].to_list() == [seq % run.manifest.workers for seq in alone.seq.tolist()]
    )


# ---- the ledger of all shards ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_worker_says_that_its_run_is_over_before_it_looks_into_silence_for_then_it_may_be_silent(
    memory_target: MemoryTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    send_to = AloneChannel.send

    def noted(channel: AloneChannel, message: Any) -> bool:
        said.append(message.snapshot.stage if isinstance(message, Beat) else "")
        return send_to(channel, message)

    async def examine(_prepared: object) -> None:
        said.append("examined")

    monkeypatch.setattr(AloneChannel, "send", noted)
    monkeypatch.setattr(sharing._Prepared, "examine", examine)
    ordered(tmp_path, 1, drain="0.1s")
    send(tmp_path, 0, 1)
    assert said.index("examined") > said.index("done")


@pytest.mark.slow  # fourteen shards are sent, each through the whole worker
@pytest.mark.parametrize("is_agreed", [False, True], ids=["each when it is ready", "at an agreed instant"])
def test_of_sixteen_shards_one_killed_and_one_never_started_make_one_ledger_that_says_so(
    folder: Path, memory_target: MemoryTarget, monkeypatch: pytest.MonkeyPatch, is_agreed: bool
) -> None:
    go_ns = wall_ns() // 1000 * 1000
    monkeypatch.setattr("smbench.lifecycle.shard.wall_ns", lambda: go_ns)  # all of them come in time
    order = ordered(folder, 16, go_ns if is_agreed else None)
    put_back = kill_at(memory_target, folder, 7, 2)
    for shard in range(16):
        if shard != 5:
            send(folder, shard, 16)
    put_back()
    run = collected(folder)
    rows = lawful(run)
    assert is_one_workers_schedule(run)
    assert run.manifest.ending == "failed"
    assert run.manifest.reason.startswith("14 of 16 shards came to their end: shard 5 never started; shard 7 lost (")
    told = {one.shard: one.ending for one in run.manifest.shards}
    assert told == {**dict.fromkeys(range(16), "finished"), 5: "never started", 7: "lost"}
    by_worker = {worker: part["outcome"].to_list() for (worker,), part in rows.group_by("worker", maintain_order=True)}
    n_lost, n_never = (len(PLAN.schedule.shard(shard, 16)) for shard in (7, 5))
    assert by_worker.pop(7) == ["unknown"] * 3 + ["not_sent"] * (n_lost - 3)  # three had left; no part says so
    assert by_worker.pop(5) == ["not_sent"] * n_never
    assert {outcome for outcomes in by_worker.values() for outcome in outcomes} == {"completed"}
    assert set(run.manifest.held) == {"7"}, "a resume removes its queue"
    assert run.manifest.run_id == order.manifest.run_id
    assert memory_target.watched_by == [0]
    zeros = {one.zero for one in run.manifest.shards if one.zero is not None}
    assert len(zeros) == (1 if is_agreed else 15)


@pytest.mark.slow
def test_shards_that_all_finished_are_a_finished_run_and_can_be_collected_again(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 2)
    for shard in (1, 0):
        send(folder, shard, 2)
    first, second = collected(folder), collected(folder)
    assert lawful(first)["outcome"].unique().to_list() == ["completed"]
    assert (first.manifest.ending, first.manifest.reason, first.manifest.held) == ("finished", "", {})
    assert first.path != second.path
    assert lawful(first).equals(lawful(second))
    zeros = [one.zero for one in first.manifest.shards]
    assert first.manifest.clock.epoch_ns == round(min(one.timestamp() for one in zeros if one) * 1e6) * 1000


@pytest.mark.slow
def test_the_clock_of_each_machine_is_held_against_aws_and_what_nothing_says_is_not_known(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 3)
    memory_target.ahead_s = {0: 0.0, 2: 2.0}
    for shard in (0, 2):
        send(folder, shard, 3)
    run = collected(folder)
    first, never, ahead = run.manifest.shards
    assert never.clock_offset_s is None
    assert first.clock_offset_s == pytest.approx(0, abs=0.01)
    assert ahead.clock_offset_s == pytest.approx(2, abs=0.01)
    rows = load(run).requests.filter(pl.col("outcome") == "completed")
    assert rows["sojourn_ns"].max() == pytest.approx(1e9, abs=1e7)
    assert rows["sojourn_ns"].min() == pytest.approx(1e9, abs=1e7)


@pytest.mark.slow
def test_what_a_shard_of_its_own_time_zero_planned_is_put_back_as_it_was(
    folder: Path, memory_target: MemoryTarget
) -> None:
    order = ordered(folder, 2)
    for shard in (0, 1):
        send(folder, shard, 2)
    run = collected(folder)
    epoch_ns = run.manifest.clock.epoch_ns
    for shard in (0, 1):
        ledger = put_back(PLAN, Share(order.manifest.run_id, shard, 2), run.path, epoch_ns)
        own = run.requests.filter(pl.col("worker") == shard).collect()
        due_us = (np.asarray(ledger.sched_ns) + epoch_ns) // 1000
        assert due_us.tolist() == own["sched"].dt.epoch("us").to_list()


@pytest.mark.slow
def test_a_shard_whose_parts_were_not_all_copied_is_named(folder: Path, memory_target: MemoryTarget) -> None:
    ordered(folder, 2)
    for shard in (0, 1):
        send(folder, shard, 2)
    for part in folder.glob("parts/requests-1-*"):
        part.unlink()
    run = collected(folder)
    rows = lawful(run).filter(pl.col("worker") == 1)
    n = rows.height
    assert set(rows["outcome"].to_list()) <= {"unknown", "not_sent"}
    assert f"shard 1 began, and no part has {n:,} of its rows: were all files copied?" in run.manifest.notes


@pytest.mark.slow
@pytest.mark.parametrize("what", ["parts", "shards"])
def test_files_of_another_run_are_refused_and_no_results_stay(
    folder: Path, memory_target: MemoryTarget, what: str
) -> None:
    other = folder.parent / "other"
    for place in (folder, other):
        ordered(place, 1)
        send(place, 0, 1)
    shutil.copytree(other / what, folder / what, dirs_exist_ok=True)
    with pytest.raises(OrderError, match="is of another run") as refused:
        collected(folder)
    assert refused.value.exit_code == ExitCode.TARGET
    assert list((folder.parent / "results").glob("*")) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_an_order_that_was_cut_short_is_damaged(folder: Path, share: float) -> None:
    ordered(folder, 1)
    whole = (folder / ORDER).read_bytes()
    (folder / ORDER).write_bytes(whole[: round(share * len(whole))])
    with pytest.raises(OrderError, match="is damaged"):
        send(folder, 0, 1)


# ---- nothing is started twice ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_shard_that_was_started_is_not_started_again(folder: Path, memory_target: MemoryTarget) -> None:
    ordered(folder, 2)
    send(folder, 1, 2)
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(OrderError, match="shard 1 is not started twice: process") as refused:
        send(folder, 1, 2)
    assert refused.value.exit_code == ExitCode.TARGET
    assert sorted(path.name for path in folder.rglob("*")) == before


@pytest.mark.slow
def test_a_shard_that_nobody_started_cannot_begin_once_it_was_counted(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 2)
    send(folder, 0, 2)
    collected(folder)
    with pytest.raises(OrderError, match="which counted it as not started"):
        send(folder, 1, 2)


@pytest.mark.slow
def test_a_collect_that_fails_counts_no_shard_and_each_may_still_be_started(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 2)
    send(folder, 0, 2)
    full = mock.patch("smbench.lifecycle.collect.link_parts", side_effect=DiskError("the disk is full"))
    with full, pytest.raises(DiskError):
        collected(folder)
    send(folder, 1, 2)
    assert collected(folder).manifest.ending is Ending.FINISHED


def test_a_shard_that_could_not_begin_is_accounted_for_and_may_be_started_again(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 1)
    memory_target.is_there = False
    with pytest.raises(TargetError, match="there is no endpoint"):
        send(folder, 0, 1)
    state = ShardFiles(FolderPlace(folder), 0).read()
    assert state is not None
    assert (state.ending, state.reason, state.may_have_sent) == ("failed", "there is no endpoint mine", False)
    memory_target.is_there = True
    assert send(folder, 0, 1).ending == "finished"
    assert collected(folder).manifest.ending == "finished"


class FullPlace(FolderPlace):
    """Has no room for what a shard says from the n-th word on, until it has room again."""

    def __init__(self, folder: Path, n_words: int) -> None:
        super().__init__(folder)
        self.n_left = n_words

    def write(self, name: str, content: bytes) -> None:
        self.n_left -= 1
        if self.n_left < 0:
            raise DiskError("no space left in this place")
        super().write(name, content)


@pytest.mark.slow
@pytest.mark.parametrize("n_words", [0, 1], ids=["its first word", "that it goes"])
def test_a_shard_that_cannot_say_a_word_before_its_go_sent_nothing_and_may_be_started_again(
    folder: Path, memory_target: MemoryTarget, n_words: int
) -> None:
    ordered(folder, 1)
    place = FullPlace(folder, n_words)
    with pytest.raises(DiskError, match="no space left in this place"):
        send(place, 0, 1)
    assert ShardFiles(FolderPlace(folder), 0).taken_by() is None
    place.n_left = 1_000_000
    assert send(place, 0, 1).ending == "finished"
    assert lawful(collected(folder))["outcome"].unique().to_list() == ["completed"]


@pytest.mark.slow
def test_what_was_interrupted_before_its_go_sent_nothing_and_may_be_started_again(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 1)
    with pytest.raises(NotBegunError):
        send(folder, 0, 1, interrupted("SIGTERM"))
    assert ShardFiles(FolderPlace(folder), 0).taken_by() is None
    run = collected(folder)
    assert lawful(run)["outcome"].unique().to_list() == ["not_sent"]
    assert [one.ending for one in run.manifest.shards] == ["failed"]


@pytest.mark.slow
def test_what_was_interrupted_after_its_go_follows_what_it_sent_and_says_who_stopped_it(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 1)
    given = Interrupts()
    memory_target.on_submit = lambda _shard, n: given.give("SIGTERM") if n == 20 else None
    state = send(folder, 0, 1, given)
    assert (state.ending, state.reason) == ("stopped", "stopped by SIGTERM")
    run = collected(folder)
    rows = lawful(run)
    assert dict(rows["outcome"].value_counts().iter_rows())["completed"] >= 20
    assert set(rows["why_not_sent"].to_list()) == {None, "stopped"}
    assert (run.manifest.ending, run.manifest.held) == ("stopped", {})
    assert run.manifest.reason == "0 of 1 shards came to their end: shard 0 stopped (stopped by SIGTERM)"


@pytest.mark.slow
def test_a_shard_stops_at_the_share_of_errors_by_its_own_answers(folder: Path, memory_target: MemoryTarget) -> None:
    ordered(folder, 2, limits={"errors": "5%", "errors_after": 10})
    memory_target.verdict = lambda _n: Rejected(500, "InternalFailure", "")
    send(folder, 0, 2)
    rows = lawful(collected(folder)).filter(pl.col("worker") == 0)
    assert rows["send"].count() < rows.height
    assert "error limit: 10 of 10 answers were errors" in set(rows["error"].to_list())


@pytest.mark.slow
def test_while_a_shard_is_at_work_nothing_is_collected(folder: Path, memory_target: MemoryTarget) -> None:
    ordered(folder, 2)

    def try_it(shard: int, n: int) -> None:
        if (shard, n) == (0, 1):
            with pytest.raises(OrderError, match="shard 0 is still at work"):
                collect(FolderPlace(folder), folder.parent / "results", None)

    memory_target.on_submit = try_it
    assert send(folder, 0, 2).ending == "finished"
    assert not list(folder.parent.glob("results/*"))


@pytest.mark.slow
def test_a_shard_of_another_machine_is_lost_once_it_has_said_nothing_for_a_minute(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder, 1)
    put_back = kill_at(memory_target, folder, 0, 1)
    send(folder, 0, 1)
    put_back()
    files = ShardFiles(FolderPlace(folder), 0)
    state = files.read()
    assert state is not None
    files.write(state.model_copy(update={"host": "elsewhere"}))
    with pytest.raises(OrderError, match=r"spoke \d+ s ago on elsewhere"):
        collect(FolderPlace(folder), folder.parent / "results", None)
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=61)
    files.write(state.model_copy(update={"host": "elsewhere", "said": long_ago}))
    assert collected(folder).manifest.shards[0].ending == "lost"


# ---- the order ------------------------------------------------------------------------------------------------


def changed(folder: Path, **values: Any) -> None:
    document = orjson.loads((folder / ORDER).read_bytes())
    (folder / ORDER).write_bytes(orjson.dumps({**document, **values}))


def test_an_order_is_read_as_it_was_written(folder: Path) -> None:
    written = ordered(folder, 4, NOW_NS)
    assert read_order(FolderPlace(folder)) == written
    assert written.plan(FolderPlace(folder), None).schedule.digest == PLAN.schedule.digest


@pytest.mark.parametrize("what", ["changed", "of another version", "damaged", "missing"])
def test_an_order_that_is_not_as_it_was_written_here_is_refused_in_a_sentence_and_nothing_starts(
    folder: Path, what: str
) -> None:
    order = ordered(folder, 4)
    if what == "changed":
        changed(folder, order={**order.model_dump(mode="json"), "go_utc_ns": 7})
    elif what == "of another version":
        changed(folder, smbench="0.0.1")
    elif what == "damaged":
        (folder / ORDER).write_text("{")
    else:
        (folder / ORDER).unlink()
    with pytest.raises(OrderError) as refused:
        send(folder, 0, 4)
    words = {"of another version": "is of smbench 0.0.1", "missing": "there is no", "changed": "was changed after"}
    assert words.get(what, what) in refused.value.message
    assert refused.value.exit_code == ExitCode.TARGET
    assert not (folder / "shards").exists()


def test_a_file_of_the_scenario_that_is_another_here_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text("{}")
    scenario = {"payloads": {"files": ["body.json"]}}
    plan = make_plan(Scenario.model_validate({**SCENARIO, **scenario}), tmp_path)
    write_order(FolderPlace(folder), plan, Origin(tmp_path, "x.yaml", "d"), AwsAccess(), 1, None, ())
    for change in ('{"a": 1}', None):
        (tmp_path / "body.json").unlink() if change is None else (tmp_path / "body.json").write_text(change)
        with pytest.raises(OrderError):
            send(folder, 0, 1)


@pytest.mark.parametrize(
    ("n_shards", "scenario", "words"),
    [
        (2, {"target": {"emulated": {"time": "real"}}}, "shards need one endpoint"),
        (2, {"collector": {"queue": "https://sqs/queue"}}, "--shards 2 cannot share the queue"),
        (900, {}, "--shards 900"),
    ],
)
def test_what_cannot_be_shared_is_not_ordered(
    folder: Path, n_shards: int, scenario: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        ordered(folder, n_shards, **scenario)
    assert not folder.exists()


def test_a_folder_takes_one_order(folder: Path) -> None:
    ordered(folder, 2)
    with pytest.raises(UsageError, match="has an order"):
        ordered(folder, 3)


@pytest.mark.parametrize(("shard", "of"), [(4, 4), (-1, 4), (0, 5)])
def test_a_shard_that_the_order_does_not_have_is_refused(folder: Path, shard: int, of: int) -> None:
    ordered(folder, 4)
    with pytest.raises(SmbenchError):
        send(folder, shard, of)
    assert not (folder / "shards").exists()


@pytest.mark.slow
def test_a_shard_of_which_all_is_overdue_sends_nothing_and_one_that_is_late_says_so(
    folder: Path, memory_target: MemoryTarget
) -> None:
    ordered(folder / "hours", 2, wall_ns() - 3_600_000_000_000)
    with pytest.raises(OrderError, match=r"came 3,600 s after the agreed go"):
        send(folder / "hours", 0, 2)
    ordered(folder / "second", 2, wall_ns() - 1_000_000_000)
    late_s = send(folder / "second", 0, 2).late_s
    assert late_s is not None
    assert late_s >= 1


@pytest.mark.parametrize(
    ("text", "after_ns"),
    [("+5m", 300_000_000_000), ("2026-11-21T06:00:01Z", None), ("2026-11-21T07:00:01+01:00", None)],
)
def test_a_go_is_an_instant_with_its_zone_or_a_time_from_now(text: str, after_ns: int | None) -> None:
    at = datetime.datetime(2026, 11, 21, 6, tzinfo=datetime.UTC)
    now_ns = round(at.timestamp()) * 1_000_000_000
    assert agreed_instant(text, now_ns) == now_ns + (1_000_000_000 if after_ns is None else after_ns)


@pytest.mark.parametrize("text", ["soon", "2026-11-21T06:00:01", "2026-11-21T05:59:00Z", "+0s", "+5", "5m"])
def test_a_go_that_is_none_or_has_passed_is_refused_with_how_to_write_it(text: str) -> None:
    now_ns = round(datetime.datetime(2026, 11, 21, 6, tzinfo=datetime.UTC).timestamp()) * 1_000_000_000
    with pytest.raises(UsageError) as refused:
        agreed_instant(text, now_ns)
    assert "+5m from now" in refused.value.advice


def together(folder: Path, n_shards: int) -> FolderPlace:
    """An order whose shards begin together."""
    place, origin = FolderPlace(folder), Origin(Path(), "shared.yaml", "digest")
    write_order(place, PLAN, origin, AwsAccess("eu-west-1"), n_shards, None, (), begins_together=True)
    return place


@pytest.mark.slow
def test_a_shard_that_waits_for_the_others_begins_at_the_instant_that_all_read(
    folder: Path, memory_target: MemoryTarget
) -> None:
    place, now = together(folder, 2), datetime.datetime.now(datetime.UTC)
    ShardFiles(place, 1).write(ShardState(shard=1, started=now, said=now, is_ready=True))
    state = send(folder, 0, 2)
    assert state.ending == "finished"
    assert state.zero_ns == int((folder / "go").read_bytes())
    assert state.late_s == 0


@pytest.mark.slow
def test_a_shard_that_ended_before_it_was_ready_is_not_waited_for(folder: Path, memory_target: MemoryTarget) -> None:
    place, now = together(folder, 2), datetime.datetime.now(datetime.UTC)
    ShardFiles(place, 1).write(ShardState(shard=1, started=now, said=now, ending=Ending.FAILED))
    assert send(folder, 0, 2).ending == "finished"
    run = collected(folder)
    assert set(lawful(run).filter(pl.col("worker") == 1)["outcome"]) == {"not_sent"}


def test_a_shard_that_is_interrupted_while_it_waits_sent_nothing_and_may_be_started_again(
    folder: Path, memory_target: MemoryTarget
) -> None:
    together(folder, 2)
    with pytest.raises(NotBegunError):
        send(folder, 0, 2, interrupted("SIGTERM"))
    assert ShardFiles(FolderPlace(folder), 0).taken_by() is None
