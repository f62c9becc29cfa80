"""Goal: a run's files are whole or absent, whatever happened, and a request's last version is the one that is read.

Method: real folders and real parquet; a full disk is the process's own limit on file sizes; a kill is what is left.
"""

import datetime
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from runs import EPOCH_NS, Request, manifest_of, reading, requests_frame, span
from smbench.analysis.rows.frames import load
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.errors import ResultsError
from smbench.findings import Verdict
from smbench.generator.tracking.journal import events_frame, readings_frame
from smbench.records import Ending, Event, NotSent, Outcome
from smbench.results import store
from smbench.results.store import PartWriter, compact, keep_last_versions, link_parts, new_run_dir, open_run, uncompact

STARTED = datetime.datetime(2026, 11, 21, 3, 12, tzinfo=datetime.UTC)
NOT_YET = requests_frame([Request(float(due), Outcome.NOT_SENT) for due in range(4)])
WAITING = requests_frame([Request(float(due), Outcome.PENDING) for due in range(4)])
DONE = requests_frame([Request(float(due), done=due + 1.0) for due in range(4)])


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run that has begun: a manifest, no parts."""
    folder = new_run_dir(tmp_path, "by-hand", STARTED)
    manifest_of([span(4)], ending=Ending.RUNNING).write(folder)
    return folder


def read(run_dir: Path) -> pl.DataFrame:
    return open_run(run_dir).requests.collect()


def test_a_run_never_takes_the_folder_of_another(tmp_path: Path) -> None:
    made = [new_run_dir(tmp_path / "results", "x", STARTED).name for _ in range(3)]
    assert made == ["x-20261121T031200Z", "x-20261121T031200Z-2", "x-20261121T031200Z-3"]


def test_a_file_in_the_way_of_the_results_is_said(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(ResultsError, match="cannot make"):
        new_run_dir(tmp_path / "results", "x", STARTED)


@pytest.mark.parametrize("is_compacted", [False, True])
def test_the_last_version_of_a_row_is_the_row(run_dir: Path, is_compacted: bool) -> None:
    writer = PartWriter(run_dir, "requests", 0)
    for frame in (NOT_YET, WAITING[:3], DONE[1:2]):
        writer.write(frame)
    if is_compacted:
        compact(run_dir)
    assert read(run_dir)["outcome"].to_list() == ["pending", "completed", "pending", "not_sent"]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_what_several_workers_wrote_reads_as_one_run_in_the_order_of_the_schedule(
    run_dir: Path, is_compacted: bool
) -> None:
    ours = requests_frame([Request(due, done=due + 1.0, worker=due % 2) for due in range(6)])
    for worker in (1, 0):
        PartWriter(run_dir, "requests", worker).write(ours.filter(pl.col("worker") == worker))
    if is_compacted:
        compact(run_dir)
    assert_frame_equal(read(run_dir), ours)


def test_a_row_that_two_workers_claim_is_kept_twice_for_the_law_to_find(run_dir: Path) -> None:
    for worker in (0, 1):
        claimed = requests_frame([Request(0.0, done=1.0, worker=worker)])
        PartWriter(run_dir, "requests", worker).write(claimed)
    compact(run_dir)
    assert read(run_dir)["seq"].to_list() == [0, 0]


def test_compaction_leaves_three_files_and_no_parts(run_dir: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    PartWriter(run_dir, "readings", 99).write(readings_frame([reading("backlog_seen", 3.0, 1.0)], EPOCH_NS))
    PartWriter(run_dir, "events", 0).write(events_frame([Event("stop", "limit", 1, 1)], EPOCH_NS))
    compact(run_dir)
    names = sorted(path.name for path in run_dir.iterdir())
    assert names == ["events.parquet", "manifest.json", "readings.parquet", "requests.parquet"]
    run = open_run(run_dir)
    assert run.is_compacted
    assert run.readings.collect()["value"].to_list() == [3.0]
    assert run.events.collect()["name"].to_list() == ["limit"]


def test_compacting_twice_changes_nothing(run_dir: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    compact(run_dir)
    before = (run_dir / "requests.parquet").read_bytes()
    compact(run_dir)
    assert (run_dir / "requests.parquet").read_bytes() == before


def test_a_compaction_that_was_cut_short_is_done_again(run_dir: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    (run_dir / "requests.parquet.tmp").write_bytes(b"PAR1 half a file")
    NOT_YET.write_parquet(run_dir / "requests.parquet")  # in place already, when the parts were not yet gone
    assert_frame_equal(read(run_dir), DONE)
    compact(run_dir)
    assert_frame_equal(read(run_dir), DONE)


def test_compaction_goes_by_ranges_and_joins_them_in_order(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smbench.results.store._RANGE", 3)  # four rows become two ranges
    for frame in (NOT_YET, DONE[2:], DONE[:2]):
        PartWriter(run_dir, "requests", 0).write(frame)
    compact(run_dir)
    assert_frame_equal(read(run_dir), DONE)
    assert not list(run_dir.glob("*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_each_range_reads_the_parts_alone_that_have_rows_of_it(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    read_together: list[list[str]] = []
    versions = store._versions

    def noted(parts: Sequence[Path]) -> pl.LazyFrame:
        read_together.append([part.name.split("-")[2] for part in parts])
        return versions(parts)

    writer = PartWriter(run_dir, "requests", 0)
    for frame in (NOT_YET[:2], NOT_YET[2:], NOT_YET[:0], WAITING[1:3], DONE[3:]):
        writer.write(frame)
    expected = read(run_dir)
    monkeypatch.setattr(store, "_RANGE", at_once)
    monkeypatch.setattr(store, "_versions", noted)
    compact(run_dir)
    a, b, c, d = "000000", "000001", "000003", "000004"
    assert (
        read_together
        == {
            1: [[a], [a, c], [b, c], [b, d]],
            2: [[a, c], [b, c, d]],
            3: [[a, b, c], [b, d]],
        }[at_once]
    )
    assert_frame_equal(read(run_dir), expected)


def test_rows_that_get_lost_while_compacting_keep_the_parts(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)

    def lossy(_parts: Sequence[Path], target: Path) -> int:
        DONE[1:].write_parquet(target)
        return DONE.height

    monkeypatch.setattr(store, "_sink_requests", lossy)
    with pytest.raises(ResultsError, match="would hold 3 rows instead of 4"):
        compact(run_dir)
    assert not list(run_dir.glob("*.tmp"))
    assert_frame_equal(read(run_dir), DONE)


def test_a_row_that_no_range_reads_keeps_the_parts(run_dir: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE.with_columns(seq=pl.Series([0, 1, None, 3])))
    with pytest.raises(ResultsError, match="would be made of 3 rows instead of 4"):
        compact(run_dir)
    assert (run_dir / "parts").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", ["rename", "unlink", "never"])
def test_a_run_that_is_opened_again_counts_nothing_twice_whenever_it_is_killed(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    told = [reading("cpu_share", 0.5, 1.0), reading("cpu_share", 0.6, 2.0)]
    PartWriter(run_dir, "readings", 0).write(readings_frame(told, EPOCH_NS))
    PartWriter(run_dir, "requests", 0).write(requests_frame([Request(1.0)]))
    compact(run_dir)

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if killed_at != "never":
            patched.setattr(Path, killed_at, kill)
            with pytest.raises(KeyboardInterrupt):
                uncompact(run_dir)
    for _ in range(2):
        assert open_run(run_dir).readings.collect().height == 2
        uncompact(run_dir)
    assert open_run(run_dir).requests.collect().height == 1
    compact(run_dir)
    assert open_run(run_dir).readings.collect().height == 2


def taken_up_often(run_dir: Path) -> None:
    """Two workers, whose rows have several versions, beside a whole file of before."""
    PartWriter(run_dir, "requests", 0).write(NOT_YET[:1])
    compact(run_dir)
    uncompact(run_dir)
    for worker in range(2):
        writer = PartWriter(run_dir, "requests", worker)
        for frame in (NOT_YET, WAITING[:3], DONE[1:2]):
            writer.write(frame.with_columns(pl.lit(worker, pl.Int32).alias("worker")).cast(frame.schema))


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", [None, "replace", "unlink"])
def test_the_versions_that_count_are_kept_in_a_part_a_worker_whenever_that_is_cut_short(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str | None
) -> None:
    taken_up_often(run_dir)
    before = read(run_dir)

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if killed_at is not None:
        with monkeypatch.context() as patched:
            patched.setattr(Path, killed_at, kill)
            with pytest.raises(KeyboardInterrupt):
                keep_last_versions(run_dir)
        assert_frame_equal(read(run_dir), before)
    for _ in range(2):
        keep_last_versions(run_dir)
        assert_frame_equal(read(run_dir), before)
    names = [path.name for path in (run_dir / "parts").glob("requests-*.parquet")]
    assert sorted(name[:10] for name in names) == ["requests-+", "requests-0", "requests-1"]
    PartWriter(run_dir, "requests", 0).write(DONE)
    assert read(run_dir).filter(pl.col("worker") == 0)["outcome"].to_list() == ["completed"] * 4


@pytest.mark.slow
def test_what_is_damaged_is_kept_with_all_the_versions_of_its_worker(run_dir: Path) -> None:
    taken_up_often(run_dir)
    damaged = max((run_dir / "parts").glob("requests-0-*"))
    damaged.write_bytes(damaged.read_bytes()[:-40])
    before, n_before = read(run_dir), len(list((run_dir / "parts").glob("requests-0-*")))
    keep_last_versions(run_dir)
    assert_frame_equal(read(run_dir), before)
    assert len(list((run_dir / "parts").glob("requests-0-*"))) == n_before
    assert len(list((run_dir / "parts").glob("requests-1-*"))) == 1
    assert len(open_run(run_dir).damage) == 1


def test_whole_files_of_a_compaction_that_was_cut_short_count_no_second_time(run_dir: Path) -> None:
    PartWriter(run_dir, "readings", 0).write(readings_frame([reading("cpu_share", 0.5, 1.0)], EPOCH_NS))
    (part,) = (run_dir / "parts").glob("readings-*")
    (run_dir / "readings.parquet").write_bytes(part.read_bytes())
    uncompact(run_dir)
    assert open_run(run_dir).readings.collect().height == 1


def test_a_resumed_writer_goes_on_after_its_own_last_part(run_dir: Path) -> None:
    for version in (NOT_YET, WAITING, DONE):
        PartWriter(run_dir, "requests", 0).write(version)
    numbers = sorted(path.name.split("-")[2] for path in (run_dir / "parts").iterdir())
    assert numbers == ["000000", "000001", "000002"]
    assert_frame_equal(read(run_dir), DONE)


@pytest.mark.parametrize("is_compacted", [False, True])
def test_of_two_parts_with_the_same_number_none_hides_the_other(run_dir: Path, is_compacted: bool) -> None:
    for folder, rows in ((run_dir, DONE[:2]), (run_dir / "copy", DONE[2:])):  # two copies that were continued, joined
        PartWriter(folder, "requests", 0).write(rows)
    for part in (run_dir / "copy" / "parts").iterdir():
        part.rename(run_dir / "parts" / part.name)
    if is_compacted:
        compact(run_dir)
    assert_frame_equal(read(run_dir), DONE)


def test_the_whole_files_are_on_the_disk_before_the_parts_leave(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    done: list[str] = []

    def noting(what: str, move: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def noted(path: Path, target: Path) -> Path:
            done.append(what)
            return move(path, target)

        return noted

    monkeypatch.setattr(Path, "rename", noting("parts leave", Path.rename))
    monkeypatch.setattr(Path, "replace", noting("file", Path.replace))
    monkeypatch.setattr("smbench.results.store.sync_folder", lambda _folder: done.append("sync"))
    compact(run_dir)
    assert done == ["file", "file", "file", "sync", "parts leave", "sync"]


def test_where_there_are_no_links_a_copy_is_on_the_disk_before_its_original_leaves(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    compact(run_dir)
    synced: set[str] = set()
    sync, unlink = os.fsync, Path.unlink

    def refused(_file: Path, _name: Path) -> None:
        raise PermissionError

    def noted(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    def left(path: Path, missing_ok: bool = False) -> None:
        assert f"{path.stem}-+-000000.parquet" in synced
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Path, "unlink", left)
    uncompact(run_dir)
    assert_frame_equal(read(run_dir), DONE)


def test_a_collected_run_has_the_parts_and_the_marks_of_a_folder_alone(run_dir: Path, tmp_path: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    parts = run_dir / "parts"
    (parts / "reached-0").write_bytes(b"mark")
    (parts / "notes.txt").write_bytes(b"another's")
    link_parts(run_dir, tmp_path / "collected")
    collected = {path.name: path.read_bytes() for path in (tmp_path / "collected" / "parts").iterdir()}
    assert collected == {path.name: path.read_bytes() for path in parts.iterdir() if path.name != "notes.txt"}


def test_a_file_under_way_when_the_run_was_killed_is_not_read(run_dir: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(WAITING)
    (run_dir / "parts" / "requests-0-000001.parquet.tmp").write_bytes(b"PAR1 cut")
    assert_frame_equal(read(run_dir), WAITING)
    compact(run_dir)
    assert_frame_equal(read(run_dir), WAITING)


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_reading_says_which_worker_read_it_and_older_readings_that_nobody_did(
    run_dir: Path, is_compacted: bool
) -> None:
    told = [reading("cpu_share", 0.5, 1.0, source="generator")]
    PartWriter(run_dir, "readings", 1).write(readings_frame(told, EPOCH_NS, worker=1))
    PartWriter(run_dir, "readings", "parent").write(readings_frame(told, EPOCH_NS))
    older = readings_frame(told, EPOCH_NS).drop("worker")
    older.write_parquet(run_dir / "parts" / "readings-0-000000.parquet")
    if is_compacted:
        compact(run_dir)
    assert open_run(run_dir).readings.collect()["worker"].to_list() == [None, 1, None]  # parts by name: 0, 1, parent


def test_a_whole_file_of_readings_from_before_workers_were_counted_is_read(run_dir: Path) -> None:
    older = readings_frame([reading("cpu_share", 0.5, 1.0)], EPOCH_NS).drop("worker")
    older.write_parquet(run_dir / "readings.parquet")
    assert_frame_equal(open_run(run_dir).readings.collect(), readings_frame([reading("cpu_share", 0.5, 1.0)], EPOCH_NS))


OLDER_REASONS = {
    "in-flight limit": NotSent.IN_FLIGHT_LIMIT,
    "request limit": NotSent.REQUEST_LIMIT,
    "time limit": NotSent.TIME_LIMIT,
    "error limit: 20 of 50 answers were errors": NotSent.ERROR_LIMIT,
    "the closed phase ended first": NotSent.PHASE_ENDED,
    "stopped by SIGINT": NotSent.STOPPED,
    "the run ended first": NotSent.RUN_ENDED,
}


@pytest.mark.parametrize("where", ["parts", "whole", "parts, compacted now"])
def test_a_run_of_schema_1_is_read_with_its_reasons_and_instants(run_dir: Path, where: str) -> None:
    manifest_of().model_copy(update={"schema_version": 1}).write(run_dir)
    unsent = [Request(1.5, Outcome.NOT_SENT, error=words) for words in OLDER_REASONS]
    now = requests_frame([*unsent, Request(1.5, Outcome.FAILED, done=2.0, error="in-flight limit")])
    finer = [name for name, dtype in now.schema.items() if dtype == pl.Datetime]
    older = now.drop("why_not_sent", "open", "failure_location").with_columns(
        pl.col(finer).cast(pl.Datetime("ns", "UTC")) + pl.duration(nanoseconds=7)
    )
    if where == "whole":
        older.write_parquet(run_dir / "requests.parquet")
        readings_frame([], EPOCH_NS).write_parquet(run_dir / "readings.parquet")
        events_frame([], EPOCH_NS).write_parquet(run_dir / "events.parquet")
    else:
        (run_dir / "parts").mkdir()
        older.write_parquet(run_dir / "parts" / "requests-0-000000.parquet")
    if where.endswith("now"):
        compact(run_dir)
    rows = read(run_dir)
    assert rows["why_not_sent"].to_list() == [*OLDER_REASONS.values(), None]
    assert_frame_equal(rows.select(finer), now.select(finer))
    assert rows["open"].to_list() == [None] * len(now)


def test_a_run_without_a_single_row_can_be_opened(run_dir: Path) -> None:
    assert read(run_dir).is_empty()
    compact(run_dir)
    run = open_run(run_dir)
    assert run.truth is None
    assert run.readings.collect().is_empty()


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on file sizes")
def test_a_full_disk_says_where_and_what_was_kept(run_dir: Path) -> None:
    import resource

    writer = PartWriter(run_dir, "requests", 0)
    writer.write(DONE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # python ignores the signal: write raises
        with pytest.raises(ResultsError, match=r"parts: .*Kept of requests: 4 rows in 1 parts") as caught:
            writer.write(WAITING)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.advice.startswith("make room")
    assert_frame_equal(read(run_dir), DONE)
    assert not list((run_dir / "parts").glob("*.tmp"))
    writer.write(WAITING)  # room again: it goes on
    assert_frame_equal(read(run_dir), WAITING)


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on file sizes")
def test_a_disk_too_full_to_compact_keeps_every_part(run_dir: Path) -> None:
    import resource

    PartWriter(run_dir, "requests", 0).write(DONE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        with pytest.raises(ResultsError, match="cannot compact"):
            compact(run_dir)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_frame_equal(read(run_dir), DONE)
    assert not list(run_dir.glob("*.tmp"))
    compact(run_dir)
    assert_frame_equal(read(run_dir), DONE)


def test_a_part_that_was_cut_short_is_left_out_and_named(run_dir: Path) -> None:
    for frame in (NOT_YET, DONE):
        PartWriter(run_dir, "requests", 0).write(frame)
    first, last = sorted((run_dir / "parts").iterdir())
    last.write_bytes(last.read_bytes()[:-40])
    run = open_run(run_dir)
    assert_frame_equal(run.requests.collect(), NOT_YET)
    assert len(run.damage) == 1
    assert str(last) in run.damage[0]
    with pytest.raises(ResultsError, match="damaged"):
        compact(run_dir)
    assert first.exists(), "the parts are kept"


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_changed_byte_is_found_wherever_it_lies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    manifest_of().write(run_dir)
    PartWriter(run_dir, "requests", 0).write(DONE)
    (part,) = (run_dir / "parts").iterdir()
    content = bytearray(part.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    part.write_bytes(content)
    run = open_run(run_dir)
    assert run.requests.collect().is_empty()
    assert run.damage == (f"left out: {part} is damaged: its bytes are not those that were written",)


def test_a_part_without_a_checksum_is_of_an_older_smbench_and_read(run_dir: Path) -> None:
    (run_dir / "parts").mkdir()
    DONE.write_parquet(run_dir / "parts" / "requests-0-000000.parquet")
    PartWriter(run_dir, "requests", 0).write(DONE)
    run = open_run(run_dir)
    assert (run.requests.collect().height, run.damage) == (4, ())


def test_what_is_damaged_makes_the_verdict_unknown_and_is_named(run_dir: Path) -> None:
    manifest_of([span(4)]).write(run_dir)
    PartWriter(run_dir, "requests", 0).write(DONE[:2])
    PartWriter(run_dir, "requests", 0).write(DONE[2:])
    last = max((run_dir / "parts").iterdir())
    last.write_bytes(b"PAR1")
    frames = load(open_run(run_dir))
    found = {finding.name: finding for finding in check(frames, summarise(frames))}
    assert found["files whole"].verdict is Verdict.UNKNOWN
    assert last.name in found["files whole"].seen
    assert found["conservation"].verdict is Verdict.UNKNOWN, "two rows are missing, and it is known why"


@pytest.mark.slow
@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_run_whose_manifest_is_missing_is_read_with_what_its_rows_say(run_dir: Path, is_compacted: bool) -> None:
    phase = Event("phase", "load", 0, 0, "constant", 10 * 10**9, detail={"n": 4})
    PartWriter(run_dir, "requests", 0).write(DONE)
    PartWriter(run_dir, "readings", 0).write(readings_frame([reading("backlog_seen", 3.0, 1.0)], EPOCH_NS))
    PartWriter(run_dir, "events", 0).write(events_frame([phase], EPOCH_NS))
    if is_compacted:
        compact(run_dir)
    expected = summarise(load(open_run(run_dir)))
    (run_dir / "manifest.json").unlink()
    run = open_run(run_dir)
    assert_frame_equal(run.requests.collect(), DONE)
    assert "manifest.json is missing" in run.damage[0]
    assert (run.manifest.run_id, run.manifest.clock.epoch_ns, run.manifest.n_scheduled) == ("smb-test", EPOCH_NS, 4)
    found = summarise(load(run))
    assert (found.sojourn, found.phases, found.ending) == (expected.sojourn, expected.phases, "running")


@pytest.mark.parametrize("file", ["requests", "readings", "events"])
def test_a_whole_file_that_is_missing_is_named_as_a_cut_one_is(run_dir: Path, file: str) -> None:
    manifest_of([span(4)]).write(run_dir)
    PartWriter(run_dir, "requests", 0).write(DONE)
    compact(run_dir)
    (run_dir / f"{file}.parquet").unlink()
    with pytest.raises(ResultsError, match=rf"{file}\.parquet is missing") as caught:
        open_run(run_dir)
    assert caught.value.advice == "restore it from a copy"


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes")
@pytest.mark.parametrize("name", ["manifest.json", "requests.parquet", "events.parquet"])
def test_a_pipe_in_a_file_s_place_is_refused_and_not_waited_for(run_dir: Path, name: str) -> None:
    manifest_of([span(4)]).write(run_dir)
    PartWriter(run_dir, "requests", 0).write(DONE)
    compact(run_dir)
    (run_dir / name).unlink()
    os.mkfifo(run_dir / name)
    with pytest.raises(ResultsError, match="regular file"):
        open_run(run_dir)


def test_a_folder_that_is_no_run_is_named_with_the_runs_below_it(run_dir: Path) -> None:
    with pytest.raises(ResultsError, match="is not a run") as caught:
        open_run(run_dir.parent)
    assert run_dir.name in caught.value.advice


def test_results_of_a_later_schema_are_not_guessed_at(run_dir: Path) -> None:
    later = manifest_of().model_copy(update={"schema_version": 3, "smbench": "9.0.0"})
    later.write(run_dir)
    with pytest.raises(ResultsError, match=r"schema 3, written by smbench 9\.0\.0") as caught:
        open_run(run_dir)
    assert caught.value.advice == "upgrade smbench"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema_version": 1}', b'{"schema_version": "x"}', b"null"])
def test_a_damaged_manifest_is_an_error_of_results(run_dir: Path, content: bytes) -> None:
    (run_dir / "manifest.json").write_bytes(content)
    with pytest.raises(ResultsError):
        open_run(run_dir)


def test_a_parquet_file_that_was_cut_is_named(run_dir: Path) -> None:
    PartWriter(run_dir, "requests", 0).write(DONE)
    compact(run_dir)
    whole = (run_dir / "requests.parquet").read_bytes()
    (run_dir / "requests.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultsError, match=r"requests\.parquet cannot be read"):
        open_run(run_dir)


def test_a_file_with_other_columns_is_refused(run_dir: Path) -> None:
    DONE.drop("outcome").write_parquet(run_dir / "requests.parquet")
    with pytest.raises(ResultsError, match="has no column outcome"):
        open_run(run_dir)
    DONE.with_columns(pl.col("seq").cast(pl.String)).write_parquet(run_dir / "requests.parquet")
    with pytest.raises(ResultsError, match="column seq is String, not Int64"):
        open_run(run_dir)
