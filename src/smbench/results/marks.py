"""How far a worker got, in a file that outlives it: the last row it handed to the network, and that it still lives.

A row's number is in the file before the row is sent, through a shared mapping, so a process that is killed at any
instant leaves it exact. A machine that loses its power may not: then the file counts for nothing, by its boot id. Nor
does a copy, which says how far the worker had got when it was copied: the file has its own number on the disk in it.
The worker locks the file; the lock ends with the process, whatever ends it.
"""

import contextlib
import mmap
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from smbench.errors import ResultsError
from smbench.results.damage import PARTS
from smbench.results.manifest import no_run

_LAYOUT = struct.Struct("=q36siQ")  # the last row handed over, the machine's boot id, the process, the file's inode
_STAT = Path("/proc/stat")
_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
MARK = "reached-"  # and the worker's number: the name of its file
_NONE = -1
_INODE_MAX = 2**64 - 1  # some file systems of Windows have longer ones


class InUseError(ResultsError):
    """Another process works on the run."""


class Mark:
    """One worker's mark, open and locked.

    Attributes:
        last: Place in the shard of the last row handed over; -1: none.
        is_exact: No row beyond `last` was ever handed over.
        is_from_before: It is no copy, and its machine has been started again since.
        boot: Of the machine that wrote it; empty: not known.
    """

    def __init__(self, descriptor: int, mapped: mmap.mmap, name: str) -> None:
        self._descriptor, self._mapped, self._name = descriptor, mapped, name
        self._rows = memoryview(mapped).cast("q")  # a row's number goes there in one store: no kill tears it
        self.last, boot, self._process, inode = _LAYOUT.unpack(mapped[: _LAYOUT.size])
        self.boot = boot.rstrip(b"\0")
        is_original = bool(_BOOT) and inode == _inode(descriptor)
        self.is_exact = is_original and self.boot == _BOOT
        self.is_from_before = is_original and self.boot not in (b"", _BOOT)

    @classmethod
    def open(cls, run_dir: Path, worker: int) -> Self:
        """Make the mark, or take it over from a worker that has ended.

        Raises:
            ResultsError: a worker that still lives holds it, or it cannot be written.
        """
        folder = run_dir / PARTS
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / f"{MARK}{worker}", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ResultsError(
                f"cannot write to {folder}: {error.strerror or error}", "free some space there"
            ) from error
        try:
            _require_lock(descriptor, run_dir, worker)
            if os.fstat(descriptor).st_size < _LAYOUT.size:  # without a boot id it is not exact, until `begin`
                os.write(descriptor, _LAYOUT.pack(_NONE, b"", os.getpid(), 0))
            return cls(descriptor, mmap.mmap(descriptor, _LAYOUT.size), f"/{PARTS}/{MARK}{worker}")
        except BaseException as error:  # whatever it is: the lock is given back
            os.close(descriptor)
            if isinstance(error, OSError):
                raise ResultsError(
                    f"cannot write to {folder}: {error.strerror or error}", "free some space there"
                ) from error
            raise

    def require_no_other_folder(self, run_dir: Path) -> None:
        """Refuse a copy of a run that goes on: its mark is no longer the worker's, and would say too little.

        Raises:
            InUseError: the process that wrote it lives, and has a mark of that name open.
        """
        if not _BOOT or self.boot != _BOOT or self._process == os.getpid():
            return
        try:
            opened = [os.readlink(one) for one in Path(f"/proc/{self._process}/fd").iterdir()]
        except OSError:  # it has ended, or the system does not say
            return
        if any(one.endswith(self._name) for one in opened):
            raise InUseError(
                f"{run_dir} is a copy of a run that goes on, as process {self._process}", "wait until it has ended"
            )

    def begin(self, last: int) -> None:
        """From now on the mark is exact: no row beyond this one was handed over until now."""
        self.last, self.is_exact = last, True
        self._mapped[: _LAYOUT.size] = _LAYOUT.pack(last, _BOOT, os.getpid(), _inode(self._descriptor))

    def reached(self, row: int) -> None:
        """This row is handed over next; rows come in ascending order."""
        self._rows[0] = row

    def close(self) -> None:
        """Unlock; what the file says stays."""
        self._rows.release()
        self._mapped.close()
        os.close(self._descriptor)


def _inode(descriptor: int) -> int:
    return os.fstat(descriptor).st_ino & _INODE_MAX


def copy_mark(source: Path, target: Path) -> None:
    """Make a mark in the place of one whose worker has ended: what that one says, this one says of itself.

    Raises:
        OSError: it cannot be read or written.
    """
    content = source.read_bytes()
    target.write_bytes(content)
    if len(content) == _LAYOUT.size:
        last, boot, process, inode = _LAYOUT.unpack(content)
        with target.open("r+b") as copy:
            is_original = inode == source.stat().st_ino & _INODE_MAX
            copy.write(_LAYOUT.pack(last, boot, process, _inode(copy.fileno()) if is_original else 0))


def _boot_id() -> bytes:
    """Of the machine since it was started; empty where the system does not say."""
    try:
        return _BOOT_ID_FILE.read_bytes().strip()[:36]
    except OSError:
        return b""


_BOOT = _boot_id()


def _require_lock(descriptor: int, run_dir: Path, worker: int) -> None:
    if not locked(descriptor):
        content = os.pread(descriptor, _LAYOUT.size, 0)
        process = f", as process {_LAYOUT.unpack(content)[2]}" if len(content) == _LAYOUT.size else ""
        at_work = f"worker {worker} of the run in {run_dir} is still at work{process}"
        raise InUseError(at_work, "wait until it has ended, or end it")


def locked(descriptor: int) -> bool:
    """Lock an open file until it is closed or the process ends; False where another process holds the lock.

    Raises:
        ResultsError: the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows: it does not say whether another process still has the file mapped
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems
        raise ResultsError(
            f"files there cannot be locked ({error.strerror or error}), and two processes could write one run",
            "name a folder on another file system",
        ) from error
    return True


@contextlib.contextmanager
def sole_user(run_dir: Path, what: str = "run") -> Iterator[None]:
    """While the block lasts no other process runs, resumes or closes the run, or whatever else the folder is of.

    Raises:
        InUseError: one does.
        ResultsError: there is no such folder.
    """
    if os.name == "nt":  # a folder cannot be opened there
        yield
        return
    try:
        descriptor = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)  # to open a pipe would wait for its writer
    except FileNotFoundError:
        raise no_run(run_dir) from None
    except OSError as error:
        raise ResultsError(f"cannot read {run_dir}: {error.strerror or error}") from error
    try:
        if not locked(descriptor):
            raise InUseError(f"the {what} in {run_dir} is going on in another process", "wait until it has ended")
        yield
    finally:
        os.close(descriptor)


def machine_started_utc_ns() -> int | None:
    """When this machine was started, UTC nanoseconds rounded up to the second; None where the system does not say."""
    try:
        lines = _STAT.read_text().splitlines()
    except OSError:
        return None
    started_s = next((int(line.split()[1]) for line in lines if line.startswith("btime ")), None)
    return None if started_s is None else min((started_s + 1) * 1_000_000_000, time.time_ns())
