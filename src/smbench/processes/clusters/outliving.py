"""A line that may lose its parent: the worker goes on.

Without a parent the worker sends what it has to send, and judges what a parent would have judged on the sum as far as
its own share says it. A new parent may take the line up. What the worker says last is in a file, too.
"""

import datetime
import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio

from smbench.errors import ResultsError
from smbench.processes.channel import Channel
from smbench.processes.messages import Beat, Done, Failed, Go, Leave, Message, Stop, WorkerOrder
from smbench.records import Ending, NotSent
from smbench.results.damage import PARTS
from smbench.results.manifest import Host
from smbench.results.place import FolderPlace
from smbench.results.shards import ShardFiles, ShardState
from smbench.scenario.model import Scenario
from smbench.snapshot import Snapshot

_LOOK_S = 0.25  # without a line: for a new parent, and for what this worker found itself
_WORD_S = 1.0  # between two words of a worker without a parent


def word_files(run_dir: Path, worker: int) -> ShardFiles:
    """Where a worker's last word is; it leaves with the parts."""
    return ShardFiles(FolderPlace(run_dir / PARTS), worker)


class OutlivingChannel:
    """The worker's end; see `processes.channel.Channel`. A parent that is lost before the go ends the worker, too.

    Args:
        line: To the parent.
        order: What the worker was started with.
        run_dir: Where its last word goes.
    """

    def __init__(self, line: Channel, order: WorkerOrder, run_dir: Path) -> None:
        scenario = Scenario.model_validate_json(order.scenario_json)
        self._share, self._limits = order.share, scenario.limits
        self._needs_all = order.share.of > 1 and any(phase.stop is not None for phase in scenario.load)
        self._line: Channel | None = line
        self._is_begun = self._is_left = self._is_stopped = self._is_over = False
        self._notes: list[str] = []
        self._found: deque[Stop] = deque()  # by this worker, in a parent's place
        self._files = word_files(run_dir, order.share.worker)
        self._lock = threading.Lock()  # a new parent comes in another thread
        self._started = self._said = _now()

    def send(self, message: Message) -> bool:
        """To the parent; without one, what is to be kept is kept."""
        if isinstance(message, Done | Failed):
            with self._lock:
                self._is_over = True
        if isinstance(message, Done):
            message = replace(message, notes=[*message.notes, *self._notes])
            self._say(Ending.FINISHED, notes=message.notes, held=message)
        elif isinstance(message, Failed):
            self._say(Ending.FAILED, message.message)
        line = self._line
        if line is not None and line.send(message):
            return True
        if isinstance(message, Beat) and self._is_begun:
            self._judge(message.snapshot)
            if (_now() - self._said).total_seconds() >= _WORD_S:
                self._say(Ending.RUNNING)
        return False

    async def receive(self) -> Message | None:
        """The next message, from whichever parent there is; None once one has ended the run."""
        while not self._is_left:
            if self._found:
                return self._found.popleft()
            line = self._line
            if line is None:
                await anyio.sleep(_LOOK_S)
                continue
            message = await line.receive()
            if isinstance(message, Leave) or (message is None and not self._is_begun):
                self._is_left = True
            elif message is None:
                self._lose(line)
            else:
                self._is_begun = self._is_begun or isinstance(message, Go)
                return message
        return None

    def close(self) -> None:
        """Close this end: no parent can come any more."""
        with self._lock:
            self._is_left = True
            if self._line is not None:
                self._line.close()

    def is_led(self) -> bool:
        """Whether a parent is there."""
        return self._line is not None

    def take_line(self, line: Channel) -> bool:
        """Have a new parent; False where there is one, or the work is over."""
        with self._lock:
            if self._line is not None or self._is_left or self._is_over:
                return False
            self._line = line
            return True

    async def parted(self) -> None:
        """Return when the parent has left, or is lost; at once where there is none."""
        line = self._line
        while line is not None and not isinstance(await line.receive(), Leave | None):
            pass

    def _lose(self, line: Channel) -> None:
        line.close()
        self._line = None
        number = self._share.worker
        self._notes.append(f"worker {number} lost its parent at {_now():%Y-%m-%d %H:%M:%S} UTC, and went on alone")
        if self._needs_all:
            self._stop(NotSent.STOPPED, "no parent judges any more when its phase stops")

    def _judge(self, snapshot: Snapshot) -> None:
        """Of the limits on the sum this worker keeps its own share; one that is alone of its run judges itself."""
        n_answers = snapshot.n_sent - snapshot.n_in_flight
        if self._share.of > 1 and (why := self._limits.broken_by(snapshot.n_bad_answers, n_answers)):
            self._stop(NotSent.ERROR_LIMIT, why)

    def _stop(self, why: NotSent, reason: str) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._notes.append(f"worker {self._share.worker} sent no more: {reason}")
            self._found.append(Stop(why, reason))

    def _say(self, ending: Ending, reason: str = "", notes: Sequence[str] = (), held: Done | None = None) -> None:
        """What cannot be written is missing; the parts say what became of the requests."""
        self._said = _now()
        state = ShardState(
            shard=self._share.worker,
            run_id=self._share.run_id,
            host=Host.this().name,
            process=os.getpid(),
            started=self._started,
            said=self._said,
            ending=ending,
            reason=reason,
            notes=tuple(notes),
            held=None if held is None or held.held is None else dict(held.held),
        )
        if self._is_begun:  # a run that does not begin leaves no folder
            with suppress(ResultsError):
                self._files.write(state)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
