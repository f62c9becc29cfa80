"""The runs of this machine, one small file each: where a run's folder is, how it is reached, whether it still lives.

A file is locked as long as the process that made it lives, whatever ends that process; a process number that another
one has got meanwhile says nothing. Its lines are JSON: what is known at the start, and how it ended.
"""

import contextlib
import datetime
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson

from smbench.errors import ExitCode, ResultsError

if sys.platform != "win32":  # where runs are not entered
    import fcntl

_KEPT_MAX = 200  # of runs that are over


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry says of one run.

    Args:
        folder: Absolute, as it was when the run began.
        socket: Where the run is served while it lives.
        is_alive: The process that runs it has not ended.
        exit_status: Of that process; None: it has not ended, or was killed.
    """

    folder: Path
    scenario: str
    started: datetime.datetime
    pid: int
    socket: str
    is_alive: bool
    exit_status: ExitCode | None


class Entry:
    """A run's own place in the registry, locked.

    Args:
        path: Of its file.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor

    @classmethod
    def make(cls, place: Path, folder: Path, scenario: str, socket: str) -> Self:
        """Enter a run that begins, and drop the oldest of those that are over, where they are many.

        Raises:
            ResultsError: it cannot be written.
        """
        path = place / f"{secrets.token_hex(6)}.jsonl"
        first = {
            "folder": str(folder.resolve()),
            "scenario": scenario,
            "started": datetime.datetime.now(datetime.UTC).isoformat(),
            "pid": os.getpid(),
            "socket": socket,
        }
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            entry = cls(path, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                os.write(descriptor, orjson.dumps(first) + b"\n")
                _drop_oldest(place)
            except BaseException:  # no entry stays of a run that could not be entered; the error goes on up
                entry.remove()
                raise
        except OSError as error:
            raise ResultsError(
                f"the run cannot be entered in {place}: {error.strerror or error}",
                "set XDG_STATE_HOME to a folder that you can write to",
            ) from error
        return entry

    def ended(self, status: ExitCode) -> None:
        """Note the exit status. What cannot be written is not noted."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, orjson.dumps({"exit_status": int(status)}) + b"\n")

    def remove(self) -> None:
        """Take the run out again: it never began."""
        with contextlib.suppress(OSError):  # `ps` finds that its process has ended
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Unlock: the process is about to end."""
        os.close(self._descriptor)


def registry_place(environ: Mapping[str, str] = os.environ) -> Path:
    """The registry's folder: below $XDG_STATE_HOME, else below ~/.local/state."""
    named = Path(environ.get("XDG_STATE_HOME", ""))
    if named.is_absolute():
        return named / "smbench" / "runs"
    try:
        home = Path.home()
    except RuntimeError:  # a container's user without a home
        return Path(tempfile.gettempdir()) / f"smbench-{os.getuid()}" / "runs"
    return home / ".local" / "state" / "smbench" / "runs"


def known_runs(place: Path) -> list[Known]:
    """All runs, the latest first; of a run that was taken up again the last time only."""
    entries = sorted(filter(None, map(_read, place.glob("*.jsonl"))), key=lambda one: one.started, reverse=True)
    latest: dict[Path, Known] = {}
    for one in entries:
        latest.setdefault(one.folder, one)
    return list(latest.values())


def known_run(place: Path, folder: Path) -> Known | None:
    """What is known of the run in this folder, by whatever path it is reached; None: nothing."""
    try:
        return next((one for one in known_runs(place) if one.folder.exists() and one.folder.samefile(folder)), None)
    except FileNotFoundError:
        return None


def _read(path: Path) -> Known | None:
    """None: it is gone meanwhile, not written yet, or damaged."""
    try:
        with path.open("rb") as file:
            is_alive = not _is_free(file.fileno())
            lines = file.read().split(b"\n")[:-1]  # what has no line end was not written to its end
        found = orjson.loads(lines[0])
        status = orjson.loads(lines[1])["exit_status"] if len(lines) > 1 else None
        return Known(
            folder=Path(found["folder"]),
            scenario=str(found["scenario"]),
            started=datetime.datetime.fromisoformat(found["started"]),
            pid=int(found["pid"]),
            socket=str(found["socket"]),
            is_alive=is_alive,
            exit_status=None if status is None else ExitCode(status),
        )
    except (OSError, IndexError, KeyError, TypeError, ValueError):
        return None


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _written_ns(path: Path) -> int:
    """0: another process has removed it meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _drop_oldest(place: Path) -> None:
    by_age = sorted(place.glob("*.jsonl"), key=_written_ns, reverse=True)
    for path in by_age[_KEPT_MAX:]:
        known = _read(path)
        if known is None or not known.is_alive:
            path.unlink(missing_ok=True)
