"""What parent, worker and emulator say to each other: these few values, and nothing else.

Nothing here means one thing on this machine and another elsewhere: instants are UTC, and no path of the file system is
in an order. Where a worker finds files and leaves its parts, its `Workplace`, comes from the code that starts it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smbench.errors import ExitCode, SmbenchError
from smbench.generator.shares import Share
from smbench.generator.stopping import SeenWindow
from smbench.generator.taking_up import TakingUp
from smbench.records import Event, NotSent, Reading
from smbench.results.ceiling import Trial
from smbench.results.manifest import EmulatorEffort
from smbench.snapshot import Snapshot
from smbench.targets.base import AwsAccess, Facts


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """What a worker is started with.

    Args:
        scenario_json: The scenario with every default written out.
        share: Which part of the load is its own.
        schedule_digest: Of the schedule that the parent drew; a worker that draws another refuses to begin.
        epoch_ns: UTC nanoseconds at scenario time zero, where the scenario's time is not the wall's.
        taking_up: How a run that was killed goes on; None: this is a new run.
        found: Of a run taken up, the target as it was found.
        held: Of a run taken up, what this worker made before; None: nothing is left of it.
        is_alone: No parent watches: the worker judges the errors of its own answers, and the first of all workers
            reads the endpoint's gauges.
    """

    scenario_json: str
    share: Share
    schedule_digest: str
    access: AwsAccess
    epoch_ns: int
    taking_up: TakingUp | None = None
    found: Facts = field(default_factory=dict)
    held: Facts | None = None
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a worker finds the files that the scenario names, and where it leaves its parts, on its own machine."""

    base_dir: Path
    run_dir: Path


@dataclass(frozen=True, slots=True)
class Ready:
    """A child has prepared everything and waits: a worker with its target, the emulator with its address.

    Args:
        found: The target as the worker found it.
        held: What must be removed if the worker dies; None: nothing.
        url: Of the emulator.
        niceness: Of a worker in real time: below 0 it goes before ordinary processes; None: the system has none.
    """

    found: Facts | None = None
    held: Facts | None = None
    url: str = ""
    niceness: int | None = None


@dataclass(frozen=True, slots=True)
class Preparing:
    """What a worker is doing before it is ready, for a person to read."""

    text: str


@dataclass(frozen=True, slots=True)
class Announce:
    """The go is near: do what takes time (a worker writes the first version of its rows), then acknowledge.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero. A later announcement replaces it.
        later_ns: Of a run that is continued, how much later than it was all that is sent is due.
    """

    epoch_ns: int
    later_ns: int = 0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the announcement asked for is done; nothing but the go is missing."""


@dataclass(frozen=True, slots=True)
class Go:
    """Scenario time zero.

    Args:
        begins_utc_ns: When the wall clock shows this.
        epoch_ns: UTC nanoseconds of scenario time zero in the results.
        scale: Scenario seconds per real second.
    """

    begins_utc_ns: int
    epoch_ns: int
    scale: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Send no more, follow what was sent, end. `reason` says why to a person."""

    why: NotSent
    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop now, keep the ledger. `reason` as in `Stop`.

    Args:
        is_target_gone: The emulated endpoint has ended, so nothing more is asked of it.
    """

    reason: str
    is_target_gone: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """To a worker that outlives a lost parent: this one is not lost, but ends the run, and the worker with it."""


@dataclass(frozen=True, slots=True)
class Finish:
    """To the emulator: write the truth into its workplace and end."""


@dataclass(frozen=True, slots=True)
class Alive:
    """From the emulator, about once a second while the run goes on: its loop turns."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker's state, and what its gauges read since the last one.

    Args:
        seen: Windows of phases that stop by themselves, where several workers share them.
    """

    snapshot: Snapshot
    readings: Sequence[Reading] = ()
    events: Sequence[Event] = ()
    seen: Sequence[SeenWindow] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one rate, while a machine's ceiling is sought."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Done:
    """A child ended as it should.

    Args:
        notes: Sentences for the manifest.
        effort: The emulator's.
        held: What a worker left in its place, because requests may still end; None: nothing.
    """

    notes: Sequence[str] = ()
    effort: EmulatorEffort | None = None
    held: Facts | None = None


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


Message = (
    Ready
    | Preparing
    | Announce
    | Acknowledged
    | Go
    | Stop
    | Cancel
    | Leave
    | Finish
    | Alive
    | Beat
    | Tried
    | Done
    | Failed
)
