"""A whole run as the parent lives it: start the children, say go, draw, watch the endpoint, collect what is left.

Whatever ends first (the run, Ctrl-C, a worker, the emulator, the disk), what is known is kept and reported.
"""

import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import anyio.abc

from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.endpoint.gauges import AwsGauges
from smbench.aws.setup.run_queue import queue_name
from smbench.clock import MonotonicClock, TimeKind, real_ns, wall_ns
from smbench.errors import ExitCode, ResultsError, SmbenchError, TargetError
from smbench.generator.journal import Journal
from smbench.generator.monitors import watch
from smbench.generator.plan import AwsAccess, RunPlan, WorkerOrder
from smbench.processes.child import Child, leave_all, sole_error, start_child
from smbench.processes.endpoint import endpoint_main
from smbench.processes.leftovers import remove_queues, write_missing_rows
from smbench.processes.messages import Cancel, Done, Failed, Finish, Go, Ready, Stop
from smbench.processes.worker import worker_main
from smbench.processes.workers import Watcher, Workers
from smbench.records import Ending, Event, NotSent, Reading
from smbench.results.manifest import EmulatorEffort
from smbench.results.store import PartWriter

_HEAD_START_S = 0.3  # between the go and scenario time zero: every child has read it by then
_HEAD_START_PER_ROW_S = 5e-6  # and has written the first version of its rows (2.5 us each), which needs the go's epoch
_PARENT_WRITER = "parent"
_FINISH_S = 30.0
_REFRESH_S = 0.5


@dataclass(slots=True)
class SessionEnd:
    """How it went. `failure` is None when the run came to its own end or was stopped by the user."""

    ended: Ending = Ending.FINISHED
    reason: str = ""
    failure: Failed | None = None
    target: TargetFound | None = None
    epoch_ns: int = 0
    notes: list[str] = field(default_factory=list)
    is_begun: bool = False
    emulator: EmulatorEffort | None = None


async def run_session(
    plan: RunPlan,
    access: AwsAccess,
    n_workers: int,
    run_dir: Path,
    run_id: str,
    watcher: Watcher,
    on_ready: Callable[[SessionEnd], None],
) -> SessionEnd:
    """Run the plan.

    Args:
        on_ready: Called once the target is found and before anything is sent: the place to write the manifest.

    Returns:
        How it ended; the part files are in `run_dir`, not yet compacted.

    Raises:
        SmbenchError: the run could not begin, a TargetError where the endpoint cannot be used; nothing was sent.
    """
    end = SessionEnd(epoch_ns=plan.virtual_epoch_ns())
    async with _emulator(plan, end) as (emulator, url):
        if url is not None:
            access = AwsAccess(access.region, access.profile, url)
        with _workers(plan, access, n_workers, run_dir, run_id, end.epoch_ns) as workers:
            session = _Session(plan, access, run_dir, watcher, on_ready, workers, emulator, end)
            try:
                await session.live()
            except BaseExceptionGroup as group:  # task groups wrap what ends them; only our own errors are taken out
                error = sole_error(group)
                if not isinstance(error, SmbenchError):
                    raise
                session.failed(error.message, Failed(error.message, error.advice, ExitCode(error.exit_code)))
        end.notes += await session.tidied_up(run_id)
        if end.failure is not None and not end.is_begun:
            advice = "; ".join(filter(None, (end.failure.advice, *end.notes)))
            raise replace(end.failure, advice=advice).error()
        if emulator is not None and end.is_begun:
            await _finish(emulator, run_dir, end)
    return end


@contextmanager
def _workers(
    plan: RunPlan, access: AwsAccess, n_workers: int, run_dir: Path, run_id: str, epoch_ns: int
) -> Iterator[list[Child]]:
    """The workers' processes, by their number."""
    scenario_json = plan.scenario.model_dump_json(by_alias=True)
    workers: list[Child] = []
    try:
        for index in range(n_workers):
            order = WorkerOrder(
                scenario_json=scenario_json,
                base_dir=plan.base_dir,
                run_dir=run_dir,
                run_id=run_id,
                worker=index,
                of=n_workers,
                schedule_digest=plan.schedule.digest,
                access=access,
                epoch_ns=epoch_ns,
            )
            name = "worker" if n_workers == 1 else f"worker {index}"
            workers.append(start_child(name, worker_main, order))
        yield workers
    finally:
        leave_all(workers)


@asynccontextmanager
async def _emulator(plan: RunPlan, end: SessionEnd) -> AsyncIterator[tuple[Child | None, str | None]]:
    """The emulator's process, where the run wants one; in warp time it lives in the worker."""
    if not plan.is_emulated or plan.time_kind is TimeKind.WARP:
        yield None, None
        return
    scenario_json = plan.scenario.model_dump_json(by_alias=True)
    child = start_child("emulator", endpoint_main, scenario_json, plan.base_dir, end.epoch_ns)
    try:
        message = await child.receive()
        if isinstance(message, Failed):
            raise message.error()
        if not isinstance(message, Ready):
            raise TargetError(f"the emulated endpoint did not start: {child.how_it_ended()}")
        yield child, message.url
    finally:
        child.leave()


async def _finish(emulator: Child, run_dir: Path, end: SessionEnd) -> None:
    emulator.tell(Finish(str(run_dir)))
    with anyio.move_on_after(_FINISH_S):
        message = await emulator.receive()
        if isinstance(message, Done):
            end.emulator = message.effort
            return
    end.notes.append("the emulator left no truth.parquet")


class _Session:
    """The parent's task tree while the workers run."""

    def __init__(
        self,
        plan: RunPlan,
        access: AwsAccess,
        run_dir: Path,
        watcher: Watcher,
        on_ready: Callable[[SessionEnd], None],
        workers: Sequence[Child],
        emulator: Child | None,
        end: SessionEnd,
    ) -> None:
        self.plan, self.access, self.run_dir = plan, access, run_dir
        self.watcher, self.on_ready, self.end = watcher, on_ready, end
        self.workers, self.emulator = Workers(workers, plan.scenario.limits, watcher, self._lost), emulator
        self._is_stopping = False

    async def live(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear_signals)
            tasks.start_soon(self._refresh)
            failure = await self.workers.prepare()
            if failure is None and self._is_stopping:  # the last became ready before it was told
                failure = Failed("interrupted before the run began; nothing was sent", "", ExitCode.INTERRUPTED)
            if failure is not None:
                self.failed(failure.message, failure)
            else:
                self.end.target = self.workers.ready[0].target
                self.on_ready(self.end)
                clock = self._go()
                if self.emulator is not None:
                    tasks.start_soon(self._watch_emulator, self.emulator)
                if self.plan.time_kind is TimeKind.WARP:
                    await self.workers.follow()
                else:
                    await self._follow_and_watch(clock)
            tasks.cancel_scope.cancel()

    async def _refresh(self) -> None:
        """So that a silent worker is seen to be silent."""
        while True:
            self.watcher.refresh()
            await anyio.sleep(_REFRESH_S)

    def _go(self) -> MonotonicClock:
        head_start_s = _HEAD_START_S + _HEAD_START_PER_ROW_S * len(self.plan.schedule)
        anchor_ns = real_ns() + round(head_start_s * 1e9)
        self.watcher.preparing(f"writing down the schedule: the load begins in {head_start_s:.1f} s")
        if not self.plan.is_emulated:
            self.end.epoch_ns = wall_ns() + anchor_ns - real_ns()
        go = Go(anchor_ns, self.end.epoch_ns, self.plan.scale)
        if self.emulator is not None:
            self.emulator.tell(go)
        self.workers.tell(go)
        self.end.is_begun = True
        return MonotonicClock(go.anchor_ns, go.epoch_ns, go.scale)

    async def _follow_and_watch(self, clock: MonotonicClock) -> None:
        """The endpoint is watched from here, where a look costs the load nothing."""
        readings = PartWriter(self.run_dir, "readings", _PARENT_WRITER)
        journal = Journal(None, None, readings, PartWriter(self.run_dir, "events", _PARENT_WRITER), clock.epoch_ns)

        def on_read(readings: Sequence[Reading], events: Sequence[Event]) -> None:
            journal.read(readings)
            for event in events:
                journal.happened(event)
            self.watcher.read(readings, events)

        assert self.end.target is not None  # the workers found it before the go
        async with AwsClients(self._settings()) as clients:
            gauges = AwsGauges(clients, self.end.target, clock)
            try:
                async with anyio.create_task_group() as watching:
                    watching.start_soon(watch, gauges, clock, self.plan.scenario.gauges_every, on_read)
                    watching.start_soon(journal.run)
                    await self.workers.follow()
                    watching.cancel_scope.cancel()
                with anyio.move_on_after(_FINISH_S):
                    on_read(*await gauges.read())
            finally:
                journal.write()

    async def _watch_emulator(self, emulator: Child) -> None:
        """Nothing is expected of it while the run goes on but that it lives."""
        message = await emulator.receive()
        if isinstance(message, Failed):
            self.failed(message.message, message)
        else:
            self.failed(emulator.how_it_ended())
        self.workers.tell(Cancel(self.end.reason))

    def _lost(self, reason: str, failure: Failed | None) -> None:
        """The load is no longer what was asked for: the others send no more, and follow what they sent."""
        self.failed(reason, failure)
        self._is_stopping = True
        self.workers.tell(Stop(NotSent.STOPPED, self.end.reason))
        if len(self.workers.lost) < len(self.workers.workers):
            self.watcher.preparing(f"{reason}: no more is sent, waiting for ends; Ctrl-C to stop now")

    def failed(self, reason: str, failure: Failed | None = None) -> None:
        """Note why the run could not begin or go on; what fails after that is often a consequence."""
        if self.end.ended is Ending.FAILED:
            self.end.notes.append(f"after that: {reason}")
        else:
            self.end.ended, self.end.reason, self.end.failure = Ending.FAILED, reason, failure

    async def _hear_signals(self) -> None:
        """First Ctrl-C or SIGTERM: stop sending, drain, report. Second: stop now, keep the ledger."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                name = signal.Signals(number).name
                if not self._is_stopping:
                    self._is_stopping = True
                    self._ended_by_hand(Ending.STOPPED, f"stopped by {name}")
                    self.workers.tell(Stop(NotSent.STOPPED, self.end.reason))
                    self.watcher.preparing("stopping: no more is sent, waiting for ends; once more to stop now")
                else:
                    self._ended_by_hand(Ending.CANCELLED, f"stopped at once by {name}")
                    self.workers.tell(Cancel(self.end.reason))

    def _ended_by_hand(self, ended: Ending, reason: str) -> None:
        if self.end.ended is not Ending.FAILED:
            self.end.ended, self.end.reason = ended, reason

    def _settings(self) -> AwsSettings:
        return AwsSettings(
            region=self.access.region,
            profile=self.access.profile,
            endpoint_url=self.access.endpoint_url,
            emulated=self.plan.is_emulated,
            in_flight=10,
        )

    async def tidied_up(self, run_id: str) -> list[str]:
        """Do what lost workers left undone, when all have gone; returns what the workers and this leave to say."""
        notes, n_workers = list(self.workers.notes), len(self.workers.workers)
        for index in self.workers.lost if self.end.is_begun else ():
            shard = self.plan.schedule.shard(index, n_workers)
            try:
                write_missing_rows(self.plan, shard, self.run_dir, run_id, self.end.epoch_ns)
            except ResultsError as error:
                notes.append(f"rows of worker {index} may be missing: {error.message}")
        if self.workers.lost and not self.plan.is_emulated:  # the emulator's queues go with it
            ready = [self.workers.ready[index] for index in self.workers.lost if index in self.workers.ready]
            left = await remove_queues(self._settings(), [one.queue for one in ready if one.queue is not None])
            notes += [f"left behind: {one}" for one in left]
            unready = [queue_name(run_id, index) for index in self.workers.lost if index not in self.workers.ready]
            notes += [f"left behind, if it was made already: queue {name}" for name in unready]
        return notes
