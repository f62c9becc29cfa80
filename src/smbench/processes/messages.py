"""What parent, worker and emulator say to each other over their pipes: these few values, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import anyio

from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.run_queue import RunQueue
from smbench.errors import ExitCode, SmbenchError
from smbench.records import Event, NotSent, Reading
from smbench.results.ceiling import Trial
from smbench.results.manifest import EmulatorEffort
from smbench.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Ready:
    """A child has prepared everything and waits for the go: a worker with its target, the emulator with its address.

    `queue` is the worker's own, which somebody must remove if the worker dies; None where it was given one.
    """

    target: TargetFound | None = None
    url: str = ""
    queue: RunQueue | None = None


@dataclass(frozen=True, slots=True)
class Preparing:
    """What a worker is doing before it is ready, for a person to read."""

    text: str


@dataclass(frozen=True, slots=True)
class Go:
    """Scenario time begins: when the machine's monotonic clock shows `anchor_ns`."""

    anchor_ns: int
    epoch_ns: int
    scale: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Send no more, drain, report. `reason` says why to a person."""

    why: NotSent
    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop now, keep the ledger. `reason` as in `Stop`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """To the emulator: write the truth and leave."""

    run_dir: str


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker's state, and what its gauges read since the last one."""

    snapshot: Snapshot
    readings: Sequence[Reading] = ()
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one rate, while a machine's ceiling is sought."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Done:
    """A child came to its end as it should. `notes` are sentences for the manifest; `effort` is the emulator's."""

    notes: Sequence[str] = ()
    effort: EmulatorEffort | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A child could not go on, and whose fault that is. `traceback` is set when it is ours."""

    message: str
    advice: str
    exit_code: ExitCode
    traceback: str = ""

    def error(self) -> SmbenchError:
        """The same error again, on this side of the pipe."""
        error = SmbenchError(self.message, self.advice)
        error.exit_code = self.exit_code
        return error


Message = Ready | Preparing | Go | Stop | Cancel | Finish | Beat | Tried | Done | Failed


async def receive(pipe: Connection) -> Message | None:
    """The next message; None when the other side is gone."""
    while not pipe.poll():
        await anyio.wait_readable(pipe.fileno())
    try:
        message: Message = pipe.recv()
    except (EOFError, OSError):
        return None
    return message
