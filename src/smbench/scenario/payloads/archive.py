"""A tar archive of samples, packed by gzip or not: its files by name, read in memory and never written to disk."""

import gzip
import io
import tarfile
import zlib
from dataclasses import dataclass, field
from typing import IO, cast

MEMBERS_MAX = 1_000_000
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Unpacked:
    """The files of an archive, sorted by name, and how many were left out as some system's own notes."""

    members: list[tuple[str, bytes]] = field(default_factory=list)
    n_left_out: int = 0


def unpacked(content: bytes, limit_bytes: int) -> Unpacked:
    """Every regular file in the archive. Folders are passed over.

    Args:
        limit_bytes: Of the archive once gzip has unpacked it.

    Raises:
        ValueError: it is no archive, is damaged, unpacks to more, or has links, devices or two files of one name; the
            rest of a sentence about it.
    """
    stream: IO[bytes] = io.BytesIO(content)
    if content.startswith(_GZIP):
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    found: dict[str, bytes] = {}
    n_left_out = 0
    try:
        with tarfile.open(fileobj=cast(IO[bytes], _Bounded(stream, limit_bytes)), mode="r|") as archive:
            for member in archive:
                if member.isdir():
                    continue
                if _is_note_of_a_system(member.name):
                    n_left_out += 1
                    continue
                found[member.name] = _content(archive, member, found)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error):
        raise ValueError("is not a tar archive, or it is damaged or cut short") from None
    return Unpacked(sorted(found.items()), n_left_out)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, found: dict[str, bytes]) -> bytes:
    if not member.isreg() or member.issparse():
        raise ValueError(f"holds {member.name}, which is not an ordinary file: links and devices are not read")
    if member.name in found:
        raise ValueError(f"holds {member.name} twice")
    if len(found) == MEMBERS_MAX:
        raise ValueError(f"holds more than {MEMBERS_MAX:,} files")
    file = archive.extractfile(member)
    assert file is not None, "a regular member has content"
    return file.read()


def _is_note_of_a_system(name: str) -> bool:
    """What macOS puts beside files."""
    last = name.rpartition("/")[2]
    return last.startswith("._") or last == ".DS_Store" or name.startswith("__MACOSX/")


class _Bounded:
    """A stream that ends in an error beyond so many bytes: also where tarfile would skip or gather them."""

    def __init__(self, stream: IO[bytes], limit_bytes: int) -> None:
        self._stream, self._limit_bytes, self._n = stream, limit_bytes, 0

    def read(self, n: int) -> bytes:
        piece = self._stream.read(n)
        self._n += len(piece)
        if self._n > self._limit_bytes:
            raise ValueError(f"unpacks to more than {self._limit_bytes:,} bytes")
        return piece
