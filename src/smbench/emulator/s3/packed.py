"""Objects that hardly anybody asks for, packed: a dozen bytes of memory each; still found, read, listed and deleted.

Blocks of several hundred are compressed and put into a temporary file, and an index of hashes says in which one a key
is. Its sorted arrays double in length, so there are few of them, and what one more block costs does not grow with the
run.
"""

import zlib
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from smbench.emulator.spilled import Spilled

Row = tuple[str, bytes, int, int]
"""Key, bytes, when it was written (scenario nanoseconds), and a number of the owner's."""

_HASH = 2**64 - 1


class Packed:
    """Rows by key. Each key is packed once in its life: what is deleted is never there again."""

    def __init__(self) -> None:
        self._blocks = Spilled()
        self._index: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]] = []  # hashes in order, their blocks
        self._gone: set[str] = set()
        self._n = 0

    def __len__(self) -> int:
        return self._n - len(self._gone)

    def __iter__(self) -> Iterator[str]:
        """Keys, in no order. Reads everything."""
        for number in range(len(self._blocks)):
            yield from (row[0] for row in self._block(number) if row[0] not in self._gone)

    def add(self, rows: Sequence[Row]) -> set[str]:
        """Pack these, each key once; returns the keys that are packed now: those that never were before."""
        hashes = np.array([hash(row[0]) & _HASH for row in rows], dtype=np.uint64)
        is_new = np.ones(len(rows), dtype=bool)
        for known, _ in self._index:
            is_new &= known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] != hashes
        kept = [row for row, may in zip(rows, is_new, strict=True) if may]
        if not kept:
            return set()
        block = self._blocks.add(zlib.compress(msgspec.msgpack.encode(tuple(zip(*kept, strict=True))), 1))
        ordered = np.sort(hashes[is_new])
        self._index.append((ordered, np.full(len(ordered), block, np.uint32)))
        self._n += len(kept)
        while len(self._index) > 1 and len(self._index[-2][0]) <= len(self._index[-1][0]):
            later, earlier = self._index.pop(), self._index.pop()
            both = np.concatenate((earlier[0], later[0]))
            order = np.argsort(both, kind="stable")
            self._index.append((both[order], np.concatenate((earlier[1], later[1]))[order]))
        return {row[0] for row in kept}

    def get(self, key: str) -> Row | None:
        """The row of a key; None where there is none."""
        if not self._n or key in self._gone:
            return None
        sought = np.uint64(hash(key) & _HASH)
        for hashes, blocks in self._index:
            place = int(np.searchsorted(hashes, sought))
            while place < len(hashes) and hashes[place] == sought:
                for row in self._block(int(blocks[place])):
                    if row[0] == key:
                        return row
                place += 1  # another key with the same hash
        return None

    def delete(self, key: str) -> bool:
        """Whether there was such a row."""
        if self.get(key) is None:
            return False
        self._gone.add(key)
        return True

    def _block(self, number: int) -> Iterator[Row]:
        return zip(*_COLUMNS.decode(zlib.decompress(self._blocks[number])), strict=True)


_COLUMNS = msgspec.msgpack.Decoder(tuple[list[str], list[bytes], list[int], list[int]])
