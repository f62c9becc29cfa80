"""What each shard of an order reports in files: who took it, how far it is, and how it ended; the files outlive the
shard.

A shard is taken by a file that only one process can make, so none is started twice. What it says later replaces what
it said before, each time whole.
"""

import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.errors import OrderError, ResultsError
from smbench.printable import printable_json
from smbench.records import Ending
from smbench.results.place import Place
from smbench.results.secrets import redacted

SHARDS = "shards"  # the folder of what they say


class ShardState(BaseModel):
    """A shard's last word. Instants are UTC, by the clock of its machine."""

    model_config = ConfigDict(frozen=True)

    shard: int
    run_id: str = ""  # of the order
    host: str = ""
    process: int = 0
    started: datetime.datetime
    said: datetime.datetime  # when it said this
    is_ready: bool = False  # it waits for the others, and can begin
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
    """The files of one shard in the place of an order."""

    def __init__(self, place: Place, shard: int) -> None:
        self.shard = shard
        self._place = place
        self._taken, self._state = f"{SHARDS}/{shard}.taken", f"{SHARDS}/{shard}.json"

    def take(self, who: str) -> None:
        """Take the shard; from now on no other process can.

        Args:
            who: Takes it, in words for a person.

        Raises:
            OrderError: it is taken.
            DiskError: the place cannot be written to.
        """
        if not self._place.make(self._taken, who.encode()):
            raise OrderError(
                f"shard {self.shard} is not started twice: {self.taken_by() or 'another process'} has it",
                "what it may have sent is not sent again; `smbench collect` says what is missing",
            )

    def leave(self) -> None:
        """This process has ended its work on the shard; it stays taken."""
        self._place.let_go(self._taken)

    def give_back(self) -> None:
        """It certainly sent nothing, and may be started again."""
        self._place.remove(self._taken)
        self.leave()

    def taken_by(self) -> str | None:
        """Who took the shard; None: it is free.

        Raises:
            ResultsError: that cannot be read.
        """
        content = self._place.read(self._taken)
        return None if content is None else content.decode(errors="replace")

    def is_locked(self) -> bool | None:
        """Whether a process of this machine that has the shard lives; None: the place cannot say."""
        return self._place.is_held(self._taken)

    def write(self, state: ShardState) -> None:
        """Replace what it said before.

        Raises:
            DiskError: it cannot be written.
        """
        self._place.write(self._state, printable_json(orjson.dumps(redacted(state.model_dump(mode="json")))))

    def read(self) -> ShardState | None:
        """What it said last; None: it never said anything.

        Raises:
            ResultsError: the file cannot be read.
        """
        content = self._place.read(self._state)
        try:
            return None if content is None else ShardState.model_validate_json(content)
        except ValidationError as error:
            raise ResultsError(f"{self._place}/{self._state} is damaged") from error
