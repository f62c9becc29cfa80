"""Bytes that are seldom asked for, in a file without a name: the memory of a long run is for what still changes.

The file is in the system's folder for temporary files and is gone with the process, however that ends. What the disk
does not take stays in memory.
"""

import tempfile
import weakref
from array import array
from typing import IO


class Spilled:
    """Pieces of bytes by number, from 0 on; each costs some twenty bytes of memory."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._starts, self._sizes, self._end = array("Q"), array("Q"), 0
        self._kept: dict[int, bytes] = {}  # what the disk refused

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, content: bytes) -> int:
        """Put one more away; its number."""
        number = len(self._starts)
        if not self._is_written(content):
            self._kept[number] = content
        self._starts.append(self._end)
        self._sizes.append(len(content))
        if number not in self._kept:
            self._end += len(content)
        return number

    def __getitem__(self, number: int) -> bytes:
        if number in self._kept:
            return self._kept[number]
        size = self._sizes[number]
        assert self._file is not None, "what is not in memory was written"
        self._file.seek(self._starts[number])
        content = self._file.read(size)
        if len(content) != size:
            raise OSError(f"a temporary file ends at byte {self._starts[number] + len(content):,}")
        return content

    def _is_written(self, content: bytes) -> bool:
        """A piece that was cut short is written over by the next."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # it is open as long as this lives
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            return self._file.write(content) == len(content)
        except OSError:
            return False
