"""A lost parent's workers on Ray: found, led to their ends by another parent, accounted for."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from smbench.clock import MonotonicClock
from smbench.errors import ExitCode, SmbenchError, TargetError, out_of_groups
from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.processes.channel import Channel
from smbench.processes.child import Child, Process
from smbench.processes.clusters.on_ray import adopted, connected, end_actors, is_reachable, still_there
from smbench.processes.clusters.outliving import word_files
from smbench.processes.interrupts import Interrupts
from smbench.processes.messages import Done, Failed, Message, Ready
from smbench.processes.session import Session, SessionEnd
from smbench.processes.workers import HANGS_S, Watcher
from smbench.records import Ending
from smbench.results.shards import ShardState
from smbench.targets.base import AwsAccess, Facts


@dataclass(frozen=True, slots=True)
class Orphans:
    """What the folder of a run says of it, whose workers may go on without a parent.

    Args:
        cluster: Address of the Ray cluster that they were started on.
        epoch_ns: UTC nanoseconds at its time zero.
        found: The target as it was found.
        held: What its workers made in AWS, by their number.
        claims: As `processes.session.Before`.
    """

    run_dir: Path
    shares: Sequence[Share]
    cluster: str
    epoch_ns: int
    found: Facts
    held: Mapping[str, Facts]
    claims: Sequence[str]


class _LastWord:
    """The line to a worker that has ended: it has one thing to say, and that was written down.

    Args:
        live: The line over which it may still say it; None: there is none.
    """

    def __init__(self, orphans: Orphans, share: Share, live: Channel | None) -> None:
        self._orphans, self._share, self._live = orphans, share, live
        self._is_said = False

    def send(self, message: Message) -> bool:
        return self._live is not None and self._live.send(message)

    async def receive(self) -> Message | None:
        if self._live is not None and (message := await self._live.receive()) is not None:
            self._is_said = self._is_said or isinstance(message, Done | Failed)
            return message
        if self._is_said:
            return None
        self._is_said = True
        return _last_word(_written(self._orphans, self._share))

    def close(self) -> None:
        if self._live is not None:
            self._live.close()


class _Ended:
    """A process that is no more; see `processes.child.Process`."""

    exitcode = 1

    def join(self, timeout: float | None = None) -> None:
        """It has ended."""

    def is_alive(self) -> bool:
        return False

    def kill(self) -> None:
        """It has ended."""


@contextmanager
def orphans_led(orphans: Orphans) -> Iterator[list[Child]]:
    """All workers of the run, by their number, also those that have ended or were lost.

    An error in the block leaves those that work alone again.

    Raises:
        InUseError: one has a parent.
        TargetError: Ray cannot be reached, and one was at work within this minute; or one does not answer.
        UsageError: Ray is not installed.
    """
    if not is_reachable(orphans.cluster):
        _require_silence(orphans)
        yield [_child(orphans, share, None) for share in orphans.shares]
        return
    with connected(orphans.cluster) as (ray, _):
        with ExitStack() as lines:
            children = []
            for share in orphans.shares:
                child = _child(orphans, share, adopted(ray, share, orphans.run_dir))
                lines.callback(child.channel.close)
                children.append(child)
            yield children
        # Only where the block has ended well: the run is closed, and none has anything to do any more.
        end_actors(ray, still_there(ray, orphans.shares), orphans.cluster)


def _child(orphans: Orphans, share: Share, found: Child | None) -> Child:
    name = "worker" if share.of == 1 else f"worker {share.worker}"
    process: Process = _Ended() if found is None else found.process
    return Child(name, process, _LastWord(orphans, share, None if found is None else found.channel))


def _written(orphans: Orphans, share: Share) -> ShardState | None:
    state = word_files(orphans.run_dir, share.worker).read()
    return state if state is not None and state.run_id == share.run_id else None


def _last_word(state: ShardState | None) -> Message:
    if state is not None and state.ending is Ending.FINISHED:
        return Done(state.notes, held=state.held)
    if state is not None and state.ending is Ending.FAILED:
        return Failed(state.reason, "", ExitCode.INVALID)
    when = "" if state is None else f", after {state.said:%Y-%m-%d %H:%M:%S} UTC"
    return Failed(f"it never came to its end: it was lost on Ray{when}", "see `ray status`", ExitCode.INVALID)


def _require_silence(orphans: Orphans) -> None:
    """Of a cluster that does not answer the files say whether a worker goes on."""
    now = datetime.datetime.now(datetime.UTC)
    for share in orphans.shares:
        state = _written(orphans, share)
        if state is not None and state.ending is Ending.RUNNING and (now - state.said).total_seconds() < HANGS_S:
            raise TargetError(
                f"Ray cannot be reached at {orphans.cluster}, and worker {share.worker} was at work at "
                f"{state.said:%H:%M:%S} UTC",
                f"try again when Ray answers, or when it has said nothing for {HANGS_S:.0f} s",
            )


async def follow_orphans(
    plan: RunPlan,
    access: AwsAccess,
    orphans: Orphans,
    workers: Sequence[Child],
    watcher: Watcher,
    interrupts: Interrupts,
) -> SessionEnd:
    """Follow them until each is done or lost; returns how it ended, as `run_session` does.

    Raises:
        SmbenchError: they cannot be followed from here; they go on.
    """
    end = SessionEnd(epoch_ns=orphans.epoch_ns, found=dict(orphans.found), is_begun=True)
    session = Session(
        plan, access, orphans.shares, orphans.run_dir, watcher, interrupts, lambda _end: None, workers, None, end
    )
    session.claims = orphans.claims
    for share in orphans.shares:
        session.crew.ready[share.worker] = Ready(orphans.found, orphans.held.get(str(share.worker)))
    try:
        await session.follow_on(MonotonicClock.beginning(orphans.epoch_ns, orphans.epoch_ns, plan.scale))
    except BaseExceptionGroup as group:
        error = out_of_groups(group)
        if isinstance(error, SmbenchError):
            raise error from None
        raise
    end.notes += await session.tidied_up()
    return end
