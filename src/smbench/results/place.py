"""Where an order is, and what its shards leave: files by name, each whole or not there, in a folder or elsewhere.

A folder is a place that several machines may share. `aws.setup.s3_place` is another, and both keep the same promises.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from smbench.errors import DiskError, ResultsError
from smbench.results.files import sync_folder, write_whole
from smbench.results.marks import locked, sole_user


class Place(Protocol):
    """Files by their names, such as `shards/3.json`; as text it is what a person calls it. Safe in any thread.

    Every method raises ResultsError where it cannot read, and DiskError where it cannot write.
    """

    def read(self, name: str) -> bytes | None:
        """The whole file; None: there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file in its place, or replace it. All parts that were in `workplace` before are in the place first."""

    def make(self, name: str, content: bytes) -> bool:
        """Make a file that only one process on all machines can make, and hold it; False: it is there."""

    def let_go(self, name: str) -> None:
        """Hold a file no longer; it stays."""

    def remove(self, name: str) -> None:
        """Remove a file, or do nothing where there is none."""

    def is_held(self, name: str) -> bool | None:
        """Whether a process of this machine holds the file; None: this place cannot say."""

    def workplace(self) -> AbstractContextManager[Path]:
        """A folder for the parts of one shard. When the block ends without an error, all of them are in the place."""

    def copied(self, beside: Path) -> AbstractContextManager[Path]:
        """A folder that has all that the shards left, while no other process of this machine collects from it.

        Args:
            beside: Where a copy is made, if one is needed; removed again when the block ends.
        """


class FolderPlace:
    """A folder, on a file system where a file is made once for all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, int] = {}

    def __str__(self) -> str:
        return str(self.folder)

    def read(self, name: str) -> bytes | None:
        """The whole file; None: there is none."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ResultsError(f"cannot read {self.folder / name}: {error.strerror or error}") from error

    def write(self, name: str, content: bytes) -> None:
        """Put a file in its place; it is on the disk when this returns."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            raise DiskError(f"cannot write {path}: {error.strerror or error}") from error

    def make(self, name: str, content: bytes) -> bool:
        """Make a file and lock it, as long as this process lives. Who finds it finds all of it."""
        path = self.folder / name
        beside = path.with_name(f"{path.name}-{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, is_made = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644), False
            try:
                locked(descriptor)
                with os.fdopen(descriptor, "wb", closefd=False) as file:
                    file.write(content)
                os.fsync(descriptor)
                is_made = _named(descriptor, beside, path)
                beside.unlink(missing_ok=True)
                sync_folder(path.parent)
            except BaseException:  # a caller that has an error holds nothing: the name stays free for the next try
                for one in (beside, path) if is_made else (beside,):
                    with suppress(OSError):
                        one.unlink(missing_ok=True)
                os.close(descriptor)
                raise
        except OSError as error:
            raise DiskError(f"cannot write to {path.parent}: {error.strerror or error}") from error
        if is_made:
            self._held[name] = descriptor
        else:
            os.close(descriptor)
        return is_made

    def let_go(self, name: str) -> None:
        """Unlock a file; it stays."""
        descriptor = self._held.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, or do nothing where there is none."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise DiskError(f"cannot remove {self.folder / name}: {error.strerror or error}") from error

    def is_held(self, name: str) -> bool | None:
        """Whether a process of this machine has it locked; one on another machine may hold it although none has."""
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY)
        except OSError:
            return False
        try:
            return not locked(descriptor)
        except ResultsError:  # the file system does not say
            return None
        finally:
            os.close(descriptor)

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """The folder itself."""
        yield self.folder

    @contextmanager
    def copied(self, beside: Path) -> Iterator[Path]:  # no copy is needed
        """The folder itself, while no other process collects."""
        with sole_user(self.folder):
            yield self.folder


def _named(descriptor: int, file: Path, name: Path) -> bool:
    """Give an open file a name that no other has; False: one has it."""
    try:
        os.link(file, name)
    except FileExistsError:  # NFS says so, too, of a link that it made and whose first answer was lost
        return os.fstat(descriptor).st_nlink > 1
    except OSError:  # a file system without links: the name is taken first
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL, 0o644))
        except FileExistsError:
            return False
        try:
            file.replace(name)
        except OSError:
            name.unlink()
            raise
    return True
