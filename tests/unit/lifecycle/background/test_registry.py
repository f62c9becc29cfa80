"""Goal: `ps` and `attach` know which runs live, whatever became of their processes, and nothing torn is read as whole.

Method: entries of this process, of one that ended, and files cut short by hand.
"""

import os
from pathlib import Path

import pytest

from smbench.errors import ExitCode, ResultsError
from smbench.lifecycle.background import registry
from smbench.lifecycle.background.registry import Entry, known_run, known_runs, registry_place


def made(place: Path, folder: Path, scenario: str = "small") -> Entry:
    folder.mkdir(exist_ok=True)
    return Entry.make(place, folder, scenario, "/tmp/x/run")


def test_a_run_lives_as_long_as_its_process_holds_its_entry(tmp_path: Path) -> None:
    entry = made(tmp_path / "runs", tmp_path / "one")
    (known,) = known_runs(tmp_path / "runs")
    assert known.is_alive
    assert (known.folder, known.pid, known.exit_status) == (tmp_path / "one", os.getpid(), None)
    entry.close()  # what a kill does: the process number is still one that lives, and says nothing
    (known,) = known_runs(tmp_path / "runs")
    assert not known.is_alive
    assert known.exit_status is None


def test_how_it_ended_is_known_before_its_process_has_gone(tmp_path: Path) -> None:
    entry = made(tmp_path / "runs", tmp_path / "one")
    entry.ended(ExitCode.THRESHOLD)
    (known,) = known_runs(tmp_path / "runs")
    assert known.exit_status is ExitCode.THRESHOLD
    entry.close()


def test_a_run_taken_up_again_is_listed_once_and_the_latest_run_first(tmp_path: Path) -> None:
    place = tmp_path / "runs"
    for name in ("one", "two", "one"):
        made(place, tmp_path / name).close()
    assert [known.folder.name for known in known_runs(place)] == ["one", "two"]


def test_a_run_is_found_by_any_path_to_its_folder(tmp_path: Path) -> None:
    entry = made(tmp_path / "runs", tmp_path / "one")
    (tmp_path / "link").symlink_to(tmp_path / "one")
    for path in (tmp_path / "link", tmp_path / "one" / ".." / "one"):
        known = known_run(tmp_path / "runs", path)
        assert known is not None
        assert known.is_alive
    assert known_run(tmp_path / "runs", tmp_path) is None
    assert known_run(tmp_path / "runs", tmp_path / "nowhere") is None
    entry.close()


def test_a_line_that_was_not_written_to_its_end_is_not_read(tmp_path: Path) -> None:
    entry = made(tmp_path / "runs", tmp_path / "one")
    entry.ended(ExitCode.OK)
    entry.close()
    whole = entry.path.read_bytes()
    first = whole.index(b"\n") + 1
    for length in (0, 1, first - 1, first, first + 1, len(whole) - 1):
        entry.path.write_bytes(whole[:length])
        found = known_runs(tmp_path / "runs")
        assert len(found) == (length >= first)
        assert all(known.exit_status is None for known in found)


def test_a_run_that_never_began_is_taken_out(tmp_path: Path) -> None:
    made(tmp_path / "runs", tmp_path / "one").remove()
    assert known_runs(tmp_path / "runs") == []


def test_the_oldest_of_many_are_dropped_but_none_that_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_KEPT_MAX", 2)
    place = tmp_path / "runs"
    entries = [made(place, tmp_path / str(number)) for number in range(2)]
    for number, entry in enumerate(entries):
        os.utime(entry.path, (number, number))
    entries[1].close()
    for number in range(2, 5):
        entry = made(place, tmp_path / str(number))
        os.utime(entry.path, (number, number))  # they may all be made within one tick of the file system's clock
        entry.close()
    assert {known.folder.name for known in known_runs(place)} == {"0", "3", "4"}
    entries[0].close()


def test_an_entry_that_another_run_takes_out_meanwhile_hinders_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = made(tmp_path / "runs", tmp_path / "gone")
    glob = Path.glob

    def listed(folder: Path, pattern: str) -> list[Path]:
        found = list(glob(folder, pattern))
        gone.path.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Path, "glob", listed)
    entry = made(tmp_path / "runs", tmp_path / "one")
    assert [known.folder.name for known in known_runs(tmp_path / "runs")] == ["one"]
    gone.close()
    entry.close()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="cannot be entered in"):
        Entry.make(tmp_path / "file" / "runs", tmp_path, "small", "")


def test_the_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registry_place({"XDG_STATE_HOME": "/state"}) == Path("/state/smbench/runs")
    assert registry_place({"XDG_STATE_HOME": "relative"}) == tmp_path / ".local/state/smbench/runs"
