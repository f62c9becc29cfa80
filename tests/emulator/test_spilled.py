"""Goal: what is put away comes back to the byte, on a full disk too. Method: a file that refuses, or takes a part."""

import tempfile
from collections.abc import Callable
from typing import Any

import pytest

from smbench.emulator.spilled import Spilled

PIECES = [b"first", b"", b"\x00" * 4096, b"last"]


class FullAfter:
    """A temporary file on a disk that takes so many bytes."""

    def __init__(self, make: Callable[..., Any], room: int) -> None:
        self._file, self._room = make(), room

    def seek(self, place: int) -> None:
        self._file.seek(place)

    def read(self, size: int) -> bytes:
        content: bytes = self._file.read(size)
        return content

    def close(self) -> None:
        self._file.close()

    def write(self, content: bytes) -> int:
        if not self._room:
            raise OSError(28, "No space left on device")
        taken = min(self._room, len(content))
        self._room -= taken
        self._file.write(content[:taken])
        self._file.flush()
        return taken


def assert_all_come_back() -> None:
    spilled = Spilled()
    assert [spilled.add(piece) for piece in PIECES] == [0, 1, 2, 3]
    assert [spilled[number] for number in (3, 0, 2, 1)] == [PIECES[3], PIECES[0], PIECES[2], PIECES[1]]


def test_each_piece_comes_back_as_it_was_added_in_any_order() -> None:
    assert_all_come_back()


@pytest.mark.parametrize("room", [0, 3, 5, 100])
def test_what_the_disk_does_not_take_stays_in_memory(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make: Callable[..., Any] = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_how: FullAfter(make, room))
    assert_all_come_back()


def test_a_machine_without_a_folder_for_temporary_files_keeps_all_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder(**_how: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_folder)
    assert_all_come_back()
