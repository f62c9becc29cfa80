"""What the shards of an order say of themselves, in files that outlive them: who took which, how far it is, its end.

A shard is taken by a file that only one process can make, so none is started twice. What it says later replaces what
it said before, each time whole.
"""

import datetime
import os
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.errors import DiskError, OrderError, ResultsError
from smbench.printable import printable_json
from smbench.records import Ending
from smbench.results.files import write_whole
from smbench.results.marks import locked
from smbench.results.secrets import redacted

_FOLDER = "shards"


class ShardState(BaseModel):
    """A shard's last word. Instants are UTC, by the clock of its machine."""

    model_config = ConfigDict(frozen=True)

    shard: int
    host: str = ""
    process: int = 0
    started: datetime.datetime
    said: datetime.datetime  # when it said this
    zero_ns: int | None = None  # UTC nanoseconds at its scenario time zero; None: it has not got there
    late_s: float | None = None  # by how much it began after its time zero
    ending: Ending = Ending.RUNNING
    reason: str = ""
    notes: tuple[str, ...] = ()
    found: dict[str, Any] = {}  # the target as it found it
    held: dict[str, Any] | None = None  # what must be removed if it dies
    snapshot: dict[str, Any] = {}  # the counts and histograms of `snapshot.Snapshot`

    @property
    def may_have_sent(self) -> bool:
        """False: it is certain that it sent nothing."""
        return self.zero_ns is not None


class ShardFiles:
    """The files of one shard in the folder of an order."""

    def __init__(self, folder: Path, shard: int) -> None:
        self.shard = shard
        self._folder = folder / _FOLDER
        self._taken, self._state = self._folder / f"{shard}.taken", self._folder / f"{shard}.json"
        self._descriptor: int | None = None  # locked, as long as this process has the shard

    def take(self, who: str) -> None:
        """Take the shard; from now on no other process can.

        Args:
            who: Takes it, in words for a person.

        Raises:
            OrderError: it is taken.
            DiskError: the folder cannot be written to.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._taken, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
            locked(self._descriptor)
            os.write(self._descriptor, who.encode())
        except FileExistsError:
            raise OrderError(
                f"shard {self.shard} is not started twice: {self.taken_by() or 'another process'} has it",
                "what it may have sent is not sent again; `smbench collect` says what is missing",
            ) from None
        except OSError as error:
            raise DiskError(f"cannot write to {self._folder}: {error.strerror or error}") from error

    def leave(self) -> None:
        """This process has ended its work on the shard; it stays taken."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def give_back(self) -> None:
        """It certainly sent nothing, and may be started again."""
        self._taken.unlink(missing_ok=True)
        self.leave()

    def taken_by(self) -> str | None:
        """Who took the shard; None: it is free.

        Raises:
            ResultsError: that cannot be read.
        """
        try:
            return self._taken.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ResultsError(f"cannot read {self._taken}: {error.strerror or error}") from error

    def is_locked(self) -> bool:
        """Whether a process that has the shard is known to live; one on another machine may live although it is not."""
        try:
            descriptor = os.open(self._taken, os.O_RDONLY)
        except OSError:
            return False
        try:
            return not locked(descriptor)
        finally:
            os.close(descriptor)

    def write(self, state: ShardState) -> None:
        """Replace what it said before.

        Raises:
            DiskError: it cannot be written.
        """
        content = printable_json(orjson.dumps(redacted(state.model_dump(mode="json"))))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._state, content)
        except OSError as error:
            raise DiskError(f"cannot write {self._state}: {error.strerror or error}") from error

    def read(self) -> ShardState | None:
        """What it said last; None: it never said anything.

        Raises:
            ResultsError: the file cannot be read.
        """
        try:
            return ShardState.model_validate_json(self._state.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ResultsError(f"{self._state} cannot be read, or is damaged") from error
