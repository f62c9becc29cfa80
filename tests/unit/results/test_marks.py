"""Goal: a mark says exactly how far a process got that was killed, and that nobody works on a run twice.

Method: marks in a temporary folder, and a child process that is killed while it moves one.
"""

import contextlib
import errno
import fcntl
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest

from smbench.errors import ResultsError
from smbench.results import marks
from smbench.results.marks import MARK, InUseError, Mark, copy_mark, sole_user
from smbench.results.place import FolderPlace


def test_a_mark_is_exact_once_it_was_begun_and_keeps_the_last_row(tmp_path: Path) -> None:
    mark = Mark.open(tmp_path, 0)
    assert not mark.is_exact, "a mark that never began says nothing"
    mark.begin(-1)
    mark.reached(300)
    mark.close()
    again = Mark.open(tmp_path, 0)
    assert (again.last, again.is_exact) == (300, True)
    again.close()


def test_a_file_system_without_locks_is_refused_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    (tmp_path / "word").touch()
    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(ResultsError, match="cannot be locked") as of_mark:
        Mark.open(tmp_path, 0)
    assert "another file system" in of_mark.value.advice
    with pytest.raises(ResultsError, match="cannot be locked"), sole_user(tmp_path):
        pass
    assert FolderPlace(tmp_path).is_held("word") is None


def test_after_the_machine_was_started_again_a_mark_is_not_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = Mark.open(tmp_path, 0)
    mark.begin(7)
    mark.close()
    shutil.copytree(tmp_path, tmp_path / "copy")
    monkeypatch.setattr(marks, "_BOOT", b"another")
    for folder, is_from_before in ((tmp_path, True), (tmp_path / "copy", False)):
        with contextlib.closing(Mark.open(folder, 0)) as again:
            assert (again.last, again.is_exact, again.is_from_before) == (7, False, is_from_before)


def test_a_copy_of_a_mark_is_not_exact_for_its_worker_may_have_gone_on_and_one_that_was_moved_is(
    tmp_path: Path,
) -> None:
    with contextlib.closing(Mark.open(tmp_path / "run", 0)) as mark:
        mark.begin(5)
        shutil.copytree(tmp_path / "run", tmp_path / "copy")
        mark.reached(9)
    (tmp_path / "run").rename(tmp_path / "moved")
    for name, expected in (("copy", (5, False)), ("moved", (9, True))):
        with contextlib.closing(Mark.open(tmp_path / name, 0)) as mark:
            assert (mark.last, mark.is_exact) == expected


def test_a_mark_that_is_made_again_elsewhere_is_as_exact_as_the_one_that_it_was_made_of(tmp_path: Path) -> None:
    with contextlib.closing(Mark.open(tmp_path / "run", 0)) as mark:
        mark.begin(5)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    for name, is_exact in (("run", True), ("copy", False)):
        (tmp_path / f"{name} again" / "parts").mkdir(parents=True)
        copy_mark(*(tmp_path / folder / "parts" / f"{MARK}0" for folder in (name, f"{name} again")))
        with contextlib.closing(Mark.open(tmp_path / f"{name} again", 0)) as mark:
            assert (mark.last, mark.is_exact) == (5, is_exact)


def test_a_mark_belongs_to_one_worker_at_a_time(tmp_path: Path) -> None:
    mark = Mark.open(tmp_path, 0)
    with pytest.raises(InUseError, match=f"still at work, as process {os.getpid()}"):
        Mark.open(tmp_path, 0)
    Mark.open(tmp_path, 1).close()
    mark.close()
    Mark.open(tmp_path, 0).close()


def test_a_copy_of_a_run_that_goes_on_is_refused_until_its_worker_has_ended(tmp_path: Path) -> None:
    ours, theirs = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # the worker
        mark = Mark.open(tmp_path / "run", 0)
        mark.begin(5)
        os.write(ours[1], b"!")
        os.read(theirs[0], 1)
        os._exit(0)
    os.read(ours[0], 1)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    with contextlib.closing(Mark.open(tmp_path / "copy", 0)) as mark, pytest.raises(InUseError, match="is a copy of"):
        mark.require_no_other_folder(tmp_path / "copy")
    os.write(theirs[1], b"!")
    os.waitpid(child, 0)
    with contextlib.closing(Mark.open(tmp_path / "copy", 0)) as mark:
        mark.require_no_other_folder(tmp_path / "copy")
        assert mark.last == 5


def test_a_run_has_one_user_at_a_time(tmp_path: Path) -> None:
    with sole_user(tmp_path), pytest.raises(InUseError, match="going on in another process"), sole_user(tmp_path):
        pass
    with sole_user(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="has no named pipes")
def test_a_pipe_in_a_run_s_place_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run")
    with pytest.raises(ResultsError, match="cannot read"), sole_user(tmp_path / "run"):
        pass


def _count(folder: Path, begun: object) -> None:
    mark = Mark.open(folder, 0)
    mark.begin(-1)
    row = 0
    while True:
        mark.reached(row)
        if row == 1000:
            begun.set()  # type: ignore[attr-defined]
        row += 1


def test_a_process_that_is_killed_leaves_its_mark_and_frees_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    process = context.Process(target=_count, args=(tmp_path, begun))
    process.start()
    assert begun.wait(30)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    mark = Mark.open(tmp_path, 0)
    assert mark.is_exact
    assert mark.last >= 1000
    mark.close()
