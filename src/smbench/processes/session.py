"""A whole run as the parent lives it: start the children, say go, draw, watch the endpoint, collect what is left.

Whatever ends first (the run, Ctrl-C, a worker, the emulator, the disk), what is known is kept and reported.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import anyio.abc

from smbench import units
from smbench.clock import MonotonicClock, TimeKind, wall_ns
from smbench.errors import ExitCode, ResultsError, SmbenchError, out_of_groups
from smbench.generator.monitors import watch
from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.generator.stopping import stopping_phases
from smbench.generator.taking_up import TakingUp
from smbench.generator.tracking.journal import Journal
from smbench.memory import give_back
from smbench.processes.child import (
    Child,
    StartChild,
    leave_all,
    start_child,
    start_thread,
    worker_main,
)
from smbench.processes.emulator_child import emulator_child, finished, how_it_ended
from smbench.processes.interrupts import Interrupts
from smbench.processes.leftovers import settle_rows
from smbench.processes.messages import (
    Acknowledged,
    Announce,
    Cancel,
    Failed,
    Go,
    Stop,
    WorkerOrder,
    Workplace,
)
from smbench.processes.workers import Watcher, Workers
from smbench.records import Ending, Event, NotSent, Reading
from smbench.results.manifest import EmulatorEffort
from smbench.results.store import PartWriter
from smbench.targets.base import AwsAccess, Facts
from smbench.targets.kinds import target_of

_HEAD_START_S = 0.3  # between the go and scenario time zero: every child has read it by then
_PER_ROW_S = 5e-6  # what a worker takes to write the first version of a row (2.5 us), doubled
_ANNOUNCEMENTS_MAX = 3
_PARENT_WRITER = "parent"
_FINISH_S = 30.0
_HASTY_S = 3.0  # once a person wants it to end now
_REFRESH_S = 0.5
_OBEY_S = 10.0  # after the second interrupt; what a worker still has to write takes less


@dataclass(slots=True)
class SessionEnd:
    """How it went. `failure` is None when the run ended by itself or was stopped by the user.

    Attributes:
        found: The target as found before the run, as JSON values.
        held: What stays in place although the run is over, or has begun, by the worker's number.
        niceness: Of the workers' processes, by their number; empty in warp time.
        lacks_rows: What became of some rows could not be written, mostly because the disk is full.
    """

    ending: Ending = Ending.FINISHED
    reason: str = ""
    failure: Failed | None = None
    found: Facts = field(default_factory=dict)
    epoch_ns: int = 0
    notes: list[str] = field(default_factory=list)
    is_begun: bool = False
    emulator: EmulatorEffort | None = None
    held: dict[str, Facts] = field(default_factory=dict)
    niceness: dict[str, int] = field(default_factory=dict)
    lacks_rows: bool = False

    @property
    def patience_s(self) -> float:
        """How long a child may take for the last that is asked of it."""
        return _HASTY_S if self.ending is Ending.CANCELLED else _FINISH_S


@dataclass(frozen=True, slots=True)
class Before:
    """What there was of a run that is taken up.

    Args:
        epoch_ns: UTC nanoseconds at its time zero.
        found: The target as it was found.
        held: What its workers held, by their number.
        claims: What the claim in S3 says of the resumes that sent more from this folder, this one included.
    """

    taking_up: TakingUp
    epoch_ns: int
    found: Facts
    held: Mapping[str, Facts]
    claims: Sequence[str] = ()


async def run_session(
    plan: RunPlan,
    access: AwsAccess,
    n_workers: int,
    run_dir: Path,
    run_id: str,
    watcher: Watcher,
    interrupts: Interrupts,
    on_ready: Callable[[SessionEnd], None],
    before: Before | None = None,
    start: StartChild | None = None,
) -> SessionEnd:
    """Run the plan.

    Args:
        interrupts: The first stops sending, the second stops at once.
        on_ready: Called once the target is found and before anything is sent: the place to write the manifest.
        before: Of a run that was killed and is taken up, not on an emulated endpoint; None: a new run.
        start: How its processes are started; None: as such a run alone is, its worker in warp time as a thread.

    Returns:
        How it ended; the part files are in `run_dir`, not yet compacted.

    Raises:
        SmbenchError: the run could not begin, a TargetError where the endpoint cannot be used; nothing was sent.
    """
    if start is None:
        start = start_thread if plan.time_kind is TimeKind.WARP else start_child
    end = SessionEnd(epoch_ns=plan.virtual_epoch_ns() if before is None else before.epoch_ns)
    workplace = Workplace(plan.base_dir, run_dir)
    async with emulator_child(plan, workplace, end.epoch_ns, lambda: end.patience_s, start) as (emulator, url):
        if url is not None:
            access = AwsAccess(access.region, access.profile, url)
        shares = [Share(run_id, index, n_workers) for index in range(n_workers)]
        with _workers(plan, access, shares, workplace, end.epoch_ns, before, start) as workers:
            give_back()  # what drawing the plan took, and what looking at a run of before took, while they start
            session = Session(plan, access, shares, run_dir, watcher, interrupts, on_ready, workers, emulator, end)
            if before is not None:
                session.taking_up, session.claims = before.taking_up, before.claims
            try:
                await session.live()
            except BaseExceptionGroup as group:  # task groups wrap what ends them; only our own errors are taken out
                error = out_of_groups(group)
                if not isinstance(error, SmbenchError):
                    raise
                session.failed(error.message, Failed(error.message, error.advice, ExitCode(error.exit_code)))
        end.notes += await session.tidied_up()
        if end.failure is not None and not end.is_begun:
            advice = "; ".join(filter(None, (end.failure.advice, *end.notes)))
            raise replace(end.failure, advice=advice).error()
        if emulator is not None and end.is_begun:
            await _finish(emulator, end)
    return end


@contextmanager
def _workers(
    plan: RunPlan,
    access: AwsAccess,
    shares: Sequence[Share],
    workplace: Workplace,
    epoch_ns: int,
    before: Before | None,
    start: StartChild,
) -> Iterator[list[Child]]:
    """The workers' processes, by their number."""
    scenario_json = plan.scenario.model_dump_json(by_alias=True)
    workers: list[Child] = []
    try:
        for share in shares:
            order = WorkerOrder(scenario_json, share, plan.schedule.digest, access, epoch_ns)
            if before is not None:
                held = before.held.get(str(share.worker))
                order = replace(order, taking_up=before.taking_up, found=before.found, held=held)
            name = "worker" if share.of == 1 else f"worker {share.worker}"
            workers.append(start(name, worker_main, order, workplace))
        yield workers
    finally:
        leave_all(workers)


async def _finish(emulator: Child, end: SessionEnd) -> None:
    done = await finished(emulator, end.patience_s)
    if done is None:
        end.notes.append("the emulator left no truth.parquet")
    else:
        end.emulator = done.effort
        end.notes.extend(done.notes)


class Session:
    """The parent's task tree while the workers run."""

    def __init__(
        self,
        plan: RunPlan,
        access: AwsAccess,
        shares: Sequence[Share],
        run_dir: Path,
        watcher: Watcher,
        interrupts: Interrupts,
        on_ready: Callable[[SessionEnd], None],
        workers: Sequence[Child],
        emulator: Child | None,
        end: SessionEnd,
    ) -> None:
        self.plan, self.shares, self.run_dir = plan, shares, run_dir
        self.access = access
        self.watcher, self.interrupts, self.on_ready, self.end = watcher, interrupts, on_ready, end
        stops = stopping_phases(plan.scenario.load, plan.schedule.spans)
        self.crew = Workers(workers, plan.scenario.limits, watcher, self._lost, stops)
        self.emulator = emulator
        self.taking_up: TakingUp | None = None
        self.claims: Sequence[str] = ()
        self._is_stopping = self._is_second = False
        self._clock: MonotonicClock | None = None  # None: not begun, or in warp time, which only the worker knows
        self._lost_ns: dict[int, int] = {}  # by the worker's number

    async def live(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._obey_interrupts, tasks)
            tasks.start_soon(self._refresh)
            failure = await self.crew.prepare() or self._stopped_early()
            if failure is None:
                self.end.found = self.crew.ready[0].found or {}
                ready = {str(index): one for index, one in self.crew.ready.items()}
                self.end.held = {index: one.held for index, one in ready.items() if one.held is not None}
                self.end.niceness = {index: one.niceness for index, one in ready.items() if one.niceness is not None}
                failure = await self._announce() or self._stopped_early()
            if failure is not None:
                self.failed(failure.message, failure)
            else:
                self.on_ready(self.end)
                clock = self._go()
                if self.emulator is not None:
                    tasks.start_soon(self._watch_emulator, self.emulator)
                if self.plan.time_kind is TimeKind.WARP:
                    await self.crew.follow()
                else:
                    self._clock = clock
                    await self._follow_and_watch(clock)
            tasks.cancel_scope.cancel()

    async def follow_on(self, clock: MonotonicClock) -> None:
        """Follow workers that were at work before this parent: one that was lost meanwhile stops no other."""
        self._is_second = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._obey_interrupts, tasks)
            tasks.start_soon(self._refresh)
            self._clock = clock
            await self._follow_and_watch(clock)
            tasks.cancel_scope.cancel()

    def _stopped_early(self) -> Failed | None:
        """When the last became ready before the run was stopped."""
        if not self._is_stopping:
            return None
        return Failed("interrupted before the run began; nothing was sent", "", ExitCode.INTERRUPTED)

    async def _refresh(self) -> None:
        """So that a silent worker is seen to be silent."""
        while True:
            self.watcher.refresh()
            self.crew.name_silent()
            await anyio.sleep(_REFRESH_S)

    async def _announce(self) -> Failed | None:
        """Have every child do what takes time, and wait until all have: only then is time zero set.

        A real endpoint's results speak wall time, so there the first versions of the rows need time zero: where the
        children took longer than was thought, it is announced again, later. What a continued run still sends is due
        anew from here, too: the target is ready only now.
        """
        head_start_s = _HEAD_START_S + _PER_ROW_S * len(self.plan.schedule)
        is_zero_known = self.plan.is_emulated or self.taking_up is not None
        for _ in range(_ANNOUNCEMENTS_MAX):
            self.watcher.preparing(f"writing down the schedule of {units.counted(len(self.plan.schedule), 'request')}")
            announced_ns = wall_ns()
            begins_utc_ns = announced_ns + round((head_start_s + _HEAD_START_S) * 1e9)
            if not is_zero_known:
                self.end.epoch_ns = begins_utc_ns
            later_ns = 0 if self.taking_up is None else self.taking_up.later_ns(begins_utc_ns - self.end.epoch_ns)
            self.crew.tell(Announce(self.end.epoch_ns, later_ns))
            if failure := await self.crew.acknowledge() or await self._emulator_acknowledges():
                return failure
            took_s = (wall_ns() - announced_ns) / 1e9
            if is_zero_known or took_s <= head_start_s:
                break
            head_start_s = 2 * took_s
        return None

    async def _emulator_acknowledges(self) -> Failed | None:
        if self.emulator is None:
            return None
        self.emulator.tell(Announce(self.end.epoch_ns))
        message = await self.emulator.receive()
        if isinstance(message, Acknowledged | Failed):
            return message if isinstance(message, Failed) else None
        return Failed(f"before the run began {self.emulator.how_it_ended()}", "", ExitCode.BUG)

    def _go(self) -> MonotonicClock:
        """Set time zero a little ahead, so that the go is read before it."""
        begins_utc_ns = wall_ns() + round(_HEAD_START_S * 1e9) if self.plan.is_emulated else self.end.epoch_ns
        go = Go(begins_utc_ns, self.end.epoch_ns, self.plan.scale)
        if self.emulator is not None:
            self.emulator.tell(go)
        self.crew.tell(go)
        self.end.is_begun = True
        return MonotonicClock.beginning(go.begins_utc_ns, go.epoch_ns, go.scale)

    async def _follow_and_watch(self, clock: MonotonicClock) -> None:
        """The endpoint is watched from here, where a look costs the load nothing."""
        readings = PartWriter(self.run_dir, "readings", _PARENT_WRITER)
        journal = Journal(None, None, readings, PartWriter(self.run_dir, "events", _PARENT_WRITER), clock.epoch_ns)

        def on_read(readings: Sequence[Reading], events: Sequence[Event]) -> None:
            journal.read(readings)
            for event in events:
                journal.happened(event)
            self.watcher.read(readings, events)

        async with target_of(self.plan, self.access).watched(self.end.found, clock) as gauges:
            try:
                async with anyio.create_task_group() as watching:
                    watching.start_soon(watch, gauges, clock, self.plan.scenario.gauges_every, on_read)
                    watching.start_soon(journal.run)
                    if (self.taking_up is None or self.taking_up.sends) and not self.plan.is_emulated:
                        watching.start_soon(self._watch_claim)
                    await self.crew.follow()
                    watching.cancel_scope.cancel()
                with anyio.move_on_after(self.end.patience_s):
                    on_read(*await gauges.read())
            finally:
                journal.write()

    async def _watch_claim(self) -> None:
        """A copy of the folder may be continued elsewhere at any time: from then on it sends, and this run no more."""
        async with target_of(self.plan, self.access).claim(self.shares[0].run_id, self.end.found) as claim:
            if claim is None:
                return
            holder = await claim.lost(self.claims)
        self._is_stopping = True
        self.failed(f"a copy of the run was continued at {holder.since} by {holder.where}, which sends the rest")
        self.crew.tell(Stop(NotSent.STOPPED, self.end.reason))
        self.watcher.preparing(f"{self.end.reason}: no more is sent, waiting for ends")

    async def _watch_emulator(self, emulator: Child) -> None:
        """Nothing is expected of it while the run goes on but that it lives, and says so."""
        self.failed(*await how_it_ended(emulator, self.watcher.preparing))
        self.crew.tell(Cancel(self.end.reason, is_target_gone=True))

    def _lost(self, reason: str, failure: Failed | None) -> None:
        """The load is no longer what was asked for: the others send no more, and follow what they sent."""
        if self.end.ending is Ending.CANCELLED:  # it was ended by hand, as the rest
            self.end.notes.append(reason)
        else:
            self.failed(reason, failure)
        if self._clock is not None:
            self._lost_ns[self.crew.lost[-1]] = self._clock.now_ns()
        if self._is_second:
            self.watcher.preparing(f"{reason}; the others go on")
            return
        self._is_stopping = True
        self.crew.tell(Stop(NotSent.STOPPED, self.end.reason))
        if len(self.crew.lost) < len(self.crew.workers):
            self.watcher.preparing(f"{reason}: no more is sent, waiting for ends; Ctrl-C to stop now")

    def failed(self, reason: str, failure: Failed | None = None) -> None:
        """Note why the run could not begin or go on; what fails after that is often a consequence."""
        if self.end.ending is Ending.FAILED:
            self.end.notes.append(f"after that: {reason}")
        else:
            self.end.ending, self.end.reason, self.end.failure = Ending.FAILED, reason, failure

    async def _kill_after_cancel(self) -> None:
        """A worker that hangs does not obey: after a while it is ended, and what is on disk is reported."""
        await anyio.sleep(_OBEY_S)
        if names := self.crew.kill():
            self.end.notes.append(f"killed, for it did not stop within {_OBEY_S:.0f} s: {', '.join(names)}")

    async def _obey_interrupts(self, tasks: anyio.abc.TaskGroup) -> None:
        """First: stop sending, drain, report. Second: stop now, keep the ledger."""
        n_taken = 0
        while True:
            name = await self.interrupts.wait(n_taken + 1)
            n_taken += 1
            at_once = self.interrupts.at_once(n_taken)
            if at_once or (at_once is None and self._is_stopping):
                self._is_stopping = True
                self._ended_by_hand(Ending.CANCELLED, f"stopped at once by {name}")
                self.crew.tell(Cancel(self.end.reason))
                tasks.start_soon(self._kill_after_cancel)
            elif not self._is_stopping:
                self._is_stopping = True
                self._ended_by_hand(Ending.STOPPED, f"stopped by {name}")
                self.crew.tell(Stop(NotSent.STOPPED, self.end.reason))
                self.watcher.preparing("stopping: no more is sent, waiting for ends; once more to stop now")

    def _ended_by_hand(self, ending: Ending, reason: str) -> None:
        if self.end.ending is not Ending.FAILED:
            self.end.ending, self.end.reason = ending, reason

    async def tidied_up(self) -> list[str]:
        """Do what lost workers left undone, when all have ended; returns what the workers and this leave to say."""
        notes = list(self.crew.notes)
        if self.end.is_begun:
            self.crew.give_up()
        for index in self.crew.lost if self.end.is_begun else ():
            lost_ns = self._lost_ns.get(index)
            try:
                n_unknown = settle_rows(self.plan, self.shares[index], self.run_dir, self.end.epoch_ns, lost_ns)
            except ResultsError as error:
                notes.append(f"rows of worker {index} may be missing: {error.message}")
                self.end.lacks_rows = True
            else:
                if n_unknown:
                    notes.append(
                        f"worker {index} was lost: whether {n_unknown:,} of its requests were sent is not known"
                    )
        notes += await self._kept_or_removed()
        for index in self.crew.lost:
            if index not in self.crew.ready:
                made = target_of(self.plan, self.access).unconfirmed(self.shares[index])
                notes += [f"left behind, if it was made already: {one}" for one in made]
        return notes

    async def _kept_or_removed(self) -> list[str]:
        """What lost workers held stays for `smbench resume`, if the run began and the endpoint outlives it."""
        ready = {index: self.crew.ready[index].held for index in self.crew.lost if index in self.crew.ready}
        held = {str(index): one for index, one in ready.items() if one is not None}
        if self.end.is_begun and not self.plan.is_emulated:
            self.end.held = {**self.crew.held, **held}
            return []
        self.end.held = {}
        left = await target_of(self.plan, self.access).remove(list(held.values())) if held else []
        return [f"left behind: {one}" for one in left]
