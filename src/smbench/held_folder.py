"""Temporary folders that outlive no process: each is locked by its maker, and the next maker removes the others.

A process that is killed removes nothing. The system gives its locks back, though, so a folder whose lock is free has no
owner any more. Its prefix is used for nothing else: no folder that somebody keeps on purpose has it.
"""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import Self

if sys.platform != "win32":  # where folders cannot be opened: there each stays until it is removed by hand
    import fcntl

_PREFIX = ".smbench-held-"


class HeldFolder:
    """A folder of this process alone, that only its user can enter.

    Attributes:
        path: Absolute.
    """

    def __init__(self, path: Path, lock: int | None) -> None:
        self.path, self._lock = path, lock

    @classmethod
    def make(cls, purpose: str, beside: Path | None = None) -> Self:
        """A new, empty folder; what killed processes left there is removed first.

        Args:
            purpose: A word for its name.
            beside: The folder in which it is made; None: the system's for temporary files.

        Raises:
            OSError: it cannot be made.
        """
        place = Path(tempfile.gettempdir() if beside is None else beside)
        remove_abandoned(place)
        while True:
            path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-", dir=place))  # noqa: TID251
            lock = _opened(path)
            if sys.platform != "win32" and lock is not None:
                with contextlib.suppress(OSError):  # no locks there: then none takes it for abandoned, either
                    fcntl.flock(lock, fcntl.LOCK_SH)
            if _is_there(path, lock):
                return cls(path, lock)
            if lock is not None:  # another process took it for abandoned before it was locked
                os.close(lock)

    def remove(self) -> None:
        """Remove it with all that is in it, as far as that is possible. Can be repeated."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def remove_abandoned(place: Path) -> None:
    """Remove the user's folders whose process has ended, as far as that is possible."""
    if sys.platform == "win32":
        return
    for path in place.glob(f"{_PREFIX}*"):
        lock = _opened(path)
        if lock is None:
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:  # its process lives, or the file system knows no locks
            pass
        finally:
            os.close(lock)


def _opened(path: Path) -> int | None:
    """None: it is no folder, was removed meanwhile, or may not be opened."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return None


def _is_there(path: Path, lock: int | None) -> bool:
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        return stat.S_ISDIR(found.st_mode) and (lock is None or os.path.samestat(found, os.fstat(lock)))
    return False
