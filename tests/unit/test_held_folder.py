"""Goal: what a killed process left is removed by the next one, and nothing that anybody still uses.

Method: a folder whose lock is given back without its removal, which is what the system does when it ends a process.
"""

import os
import tempfile
from pathlib import Path

import pytest

from smbench.api.emulate import Emulation
from smbench.held_folder import HeldFolder


def killed(folder: HeldFolder) -> Path:
    """As its process leaves it when it is killed."""
    (folder.path / "run").write_bytes(b"left")
    assert folder._lock is not None
    os.close(folder._lock)
    return folder.path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_next_process_removes_what_a_killed_one_left_and_nothing_of_one_that_lives(place: Path) -> None:
    lives, dead = HeldFolder.make("run"), killed(HeldFolder.make("image"))
    ours = HeldFolder.make("job")
    assert not dead.exists()
    assert lives.path.is_dir()
    assert ours.path.is_dir()
    for one in (lives, ours, ours):
        one.remove()
    assert list(place.iterdir()) == []


def test_nothing_is_removed_that_only_has_the_name_or_is_kept_on_purpose(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = tmp_path_factory.mktemp("kept")
    (kept / "rows").write_bytes(b"rows")
    (place / ".smbench-held-run-link").symlink_to(kept)
    (place / ".smbench-held-run-file").write_bytes(b"text")
    (place / "smbench-shard-1").mkdir()
    before = set(place.iterdir())
    HeldFolder.make("run").remove()
    assert set(place.iterdir()) == before
    assert (kept / "rows").exists()


def test_a_folder_that_another_process_took_for_abandoned_before_it_was_locked_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    mkdtemp = tempfile.mkdtemp  # noqa: TID251  # what the product calls

    def taken_once(*, prefix: str, dir: Path) -> str:  # as the library has it
        made.append(mkdtemp(prefix=prefix, dir=dir))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", taken_once)
    folder = HeldFolder.make("run")
    assert len(made) == 2
    assert folder.path.is_dir()
    folder.remove()
    assert list(place.iterdir()) == []


def test_the_next_emulator_removes_the_image_of_a_killed_one(place: Path) -> None:
    first = Emulation(None, truth=None, verify_signatures=False)
    image = killed(first._image)
    first._remove_image.detach()
    second = Emulation(None, truth=None, verify_signatures=False)
    assert not image.exists()
    second._remove_image()
    assert list(place.iterdir()) == []
