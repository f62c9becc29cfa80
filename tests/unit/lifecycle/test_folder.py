"""Goal: a run's folder is opened, begun, closed and opened again without a row or a fact getting lost.

Method: folders in a temporary place, with parts written as workers write them.
"""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from smbench.errors import DiskError, ResultsError
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.tracking.rows import requests_frame
from smbench.lifecycle import folder as folder_module
from smbench.lifecycle.folder import RunFolder, planned_again
from smbench.lifecycle.origin import Origin
from smbench.records import Ending
from smbench.results import manifest as manifest_module
from smbench.results.files import write_whole
from smbench.results.manifest import ClockFacts, read_manifest
from smbench.results.marks import Mark
from smbench.results.store import PartWriter, open_run
from smbench.scenario.model import Scenario

SCENARIO: dict[str, Any] = {
    "name": "folder",
    "load": [{"constant": {"rate": "10/s", "for": "1s"}}],
    "payloads": {"files": ["a.json"]},
}


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    (tmp_path / "a.json").write_text("{}")
    return make_plan(Scenario.model_validate(SCENARIO), tmp_path)


def opened(plan: RunPlan, results: Path) -> RunFolder:
    return RunFolder.open(results, plan, Origin(plan.base_dir, "scenario.yaml", "digest"), ("smbench", "run"), 1)


def begun(plan: RunPlan, results: Path) -> RunFolder:
    folder = opened(plan, results)
    folder.begin({"endpoint": "one"}, ClockFacts(kind="real", epoch_ns=1_000_000_000))
    return folder


def write_rows(plan: RunPlan, folder: RunFolder, *, error: str | None = None, only: int | None = None) -> None:
    ledger = plan.ledger(plan.schedule.shard(0, 1), folder.manifest.run_id, 1_000_000_000)
    for row in range(ledger.n) if only is None else (only,):
        ledger.changed(row)
        ledger.attempts[row] = 0 if error is None else 7
    writer = PartWriter(folder.path, "requests", 0)
    for versions in ledger.take_changed():
        writer.write(requests_frame(versions))


def attempts(path: Path) -> list[int]:
    found: list[int] = open_run(path).requests.collect()["attempts"].to_list()
    return found


def test_a_run_that_began_says_running_until_it_is_closed(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    running = read_manifest(folder.path)
    assert (running.ending, running.ended, running.target) == (Ending.RUNNING, None, {"endpoint": "one"})
    write_rows(plan, folder)
    assert folder.close(Ending.STOPPED, "stopped by SIGINT", ["a note"]) == []
    closed = read_manifest(folder.path)
    assert (closed.ending, closed.reason, closed.notes) == (Ending.STOPPED, "stopped by SIGINT", ("a note",))
    assert closed.ended is not None
    assert {path.name for path in folder.path.iterdir()} == {
        "manifest.json",
        "requests.parquet",
        "readings.parquet",
        "events.parquet",
    }


def test_a_run_that_never_began_leaves_no_folder_and_one_that_did_keeps_it(plan: RunPlan, tmp_path: Path) -> None:
    unused, used = opened(plan, tmp_path / "results"), begun(plan, tmp_path / "results")
    unused.discard_if_unused()
    used.discard_if_unused()
    assert not unused.path.exists()
    assert used.path.exists()
    unused.discard_if_unused()  # somebody else removed it: what ended the run is what is said


@pytest.mark.slow
def test_a_closed_run_can_be_opened_again_and_what_is_written_then_is_the_latest(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    write_rows(plan, folder)
    folder.close(Ending.FAILED, "the worker was killed by signal SIGKILL")
    before = open_run(folder.path).requests.collect()
    again = RunFolder.reopen(folder.path)
    assert again.manifest.run_id == folder.manifest.run_id
    assert read_manifest(again.path).ending is Ending.RUNNING
    assert open_run(again.path).requests.collect().equals(before)
    write_rows(plan, again, error="later", only=3)
    assert attempts(again.path) == [0, 0, 0, 7, 0, 0, 0, 0, 0, 0]
    assert again.close(Ending.FINISHED, "") == []
    assert attempts(again.path) == [0, 0, 0, 7, 0, 0, 0, 0, 0, 0]
    assert read_manifest(again.path).ending is Ending.FINISHED


def test_a_killed_run_can_be_opened_again_with_its_parts(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    write_rows(plan, folder)
    again = RunFolder.reopen(folder.path)
    write_rows(plan, again, error="later", only=0)
    assert attempts(again.path)[:2] == [7, 0]


def test_an_opened_run_is_planned_as_it_was(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    folder.close(Ending.FINISHED, "")
    again = RunFolder.reopen(folder.path).plan()
    assert again.schedule.digest == plan.schedule.digest
    assert again.payloads == plan.payloads
    assert again.scenario == plan.scenario


def test_a_payload_that_has_changed_since_is_refused(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ResultsError, match="has changed"):
        RunFolder.reopen(folder.path).plan()


def test_a_scenario_that_this_version_cannot_read_names_the_field_and_the_version_that_can(
    plan: RunPlan, tmp_path: Path
) -> None:
    folder = begun(plan, tmp_path / "results")
    for scenario, said in (({}, "name: is missing"), (SCENARIO | {"lode": []}, "lode: ")):
        manifest = folder.manifest.model_copy(update={"scenario": scenario, "smbench": "0.0.1"})
        with pytest.raises(ResultsError, match=said) as refused:
            planned_again(manifest, "there", None)
        assert "smbench 0.0.1" in refused.value.advice


def test_a_folder_that_is_no_run_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="is not a run"):
        RunFolder.reopen(tmp_path)


def test_when_nothing_can_be_compacted_the_manifest_is_closed_all_the_same(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    write_rows(plan, folder)
    (part,) = (folder.path / "parts").iterdir()
    part.write_bytes(part.read_bytes()[:100])
    problems = folder.close(Ending.FINISHED, "")
    assert [type(problem) for problem in problems] == [ResultsError]
    assert read_manifest(folder.path).ending is Ending.FINISHED


@pytest.mark.parametrize("held", [{}, {"0": {"queue": "q"}}], ids=["nothing held", "a queue held"])
def test_parts_and_marks_stay_for_a_resume_where_what_became_of_rows_could_not_be_written(
    plan: RunPlan, tmp_path: Path, held: dict[str, dict[str, str]]
) -> None:
    folder = begun(plan, tmp_path / "results")
    write_rows(plan, folder)
    mark = Mark.open(folder.path, 0)
    mark.begin(3)
    mark.close()
    assert folder.close(Ending.FAILED, "cannot write", held=held, lacks_rows=True) == []
    assert read_manifest(folder.path).ending is Ending.FAILED
    assert (folder.path / "requests.parquet").exists() == (not held)
    if held:
        again = Mark.open(folder.path, 0)
        assert (again.last, again.is_exact) == (3, True)
        again.close()


@pytest.mark.slow
def test_whole_files_and_parts_tell_the_same(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    write_rows(plan, folder)
    parts = open_run(folder.path).requests.collect()
    folder.close(Ending.FINISHED, "")
    whole = open_run(folder.path).requests.collect()
    assert whole.equals(parts)
    assert whole.schema == parts.schema


def test_on_a_full_disk_there_is_still_room_for_how_the_run_ended(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begun(plan, tmp_path / "results")
    reserve = folder.path / ".reserve"
    whole = write_whole

    def write_while_there_is_room(path: Path, content: bytes) -> None:
        if reserve.exists() or len(content) > 131_072:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(path, content)

    assert reserve.stat().st_size == 131_072
    monkeypatch.setattr(manifest_module, "write_whole", write_while_there_is_room)
    assert folder.close(Ending.FAILED, "cannot write") == []
    assert read_manifest(folder.path).ending is Ending.FAILED
    assert not reserve.exists()


def test_a_part_that_cannot_be_written_has_an_exit_status_of_its_own(plan: RunPlan, tmp_path: Path) -> None:
    folder = begun(plan, tmp_path / "results")
    (folder.path / "parts").write_text("a file is in the way")
    with pytest.raises(DiskError) as failed:
        write_rows(plan, folder)
    assert failed.value.exit_code == 74


def closed(plan: RunPlan, results: Path) -> Path:
    folder = begun(plan, results)
    write_rows(plan, folder)
    assert folder.close(Ending.FINISHED, "") == []
    return folder.path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["requests.parquet", "readings.parquet", "events.parquet"])
@pytest.mark.parametrize("place", [4, -5], ids=["a value", "the footer's length"])
def test_one_changed_byte_of_a_whole_file_is_found_and_the_file_named(
    plan: RunPlan, tmp_path: Path, name: str, place: int
) -> None:
    path = closed(plan, tmp_path / "results")
    content = bytearray((path / name).read_bytes())
    content[place] ^= 1
    (path / name).write_bytes(content)
    with pytest.raises(ResultsError, match=rf"{name} (is damaged|cannot be read)"):
        open_run(path)


def test_a_whole_file_with_other_rows_is_found_although_it_reads_well(plan: RunPlan, tmp_path: Path) -> None:
    path = closed(plan, tmp_path / "results")
    open_run(path).requests.collect().head(3).write_parquet(path / "requests.parquet")
    with pytest.raises(ResultsError, match=r"requests\.parquet is damaged or was changed") as caught:
        open_run(path)
    assert "file_checksums" in caught.value.advice


def test_a_whole_file_that_is_missing_is_named(plan: RunPlan, tmp_path: Path) -> None:
    path = closed(plan, tmp_path / "results")
    for name in ("requests.parquet", "readings.parquet"):
        (path / name).unlink()
        with pytest.raises(ResultsError, match=r"requests\.parquet is missing"):
            open_run(path)


@pytest.mark.slow
def test_a_copied_folder_reads_as_the_run_that_was_closed_and_an_older_one_has_no_checksums(
    plan: RunPlan, tmp_path: Path
) -> None:
    path = closed(plan, tmp_path / "results")
    copied = shutil.copytree(path, tmp_path / "copied")
    assert open_run(copied).requests.collect().equals(open_run(path).requests.collect())
    read_manifest(copied).model_copy(update={"file_checksums": {}}).write(copied)
    open_run(copied).requests.collect().head(3).write_parquet(copied / "requests.parquet")
    assert attempts(copied) == [0, 0, 0], "a folder without checksums is only tried"


@pytest.mark.slow
@pytest.mark.parametrize("killed_in", ["uncompact", "compact"])
def test_a_resume_that_is_killed_leaves_no_checksum_of_other_bytes(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    path = closed(plan, tmp_path / "results")
    real = getattr(folder_module, killed_in)

    def killed(run_dir: Path) -> None:
        real(run_dir)
        raise KeyboardInterrupt

    def resumed() -> None:
        again = RunFolder.reopen(path)
        write_rows(plan, again, error="later", only=3)
        again.close(Ending.FINISHED, "")

    with monkeypatch.context() as patched:
        patched.setattr(folder_module, killed_in, killed)
        with pytest.raises(KeyboardInterrupt):
            resumed()
    assert len(attempts(path)) == 10
    again = RunFolder.reopen(path)
    write_rows(plan, again, error="later", only=4)
    assert again.close(Ending.FINISHED, "") == []
    assert attempts(path)[4] == 7
    assert set(read_manifest(path).file_checksums) == {"requests.parquet", "readings.parquet", "events.parquet"}
