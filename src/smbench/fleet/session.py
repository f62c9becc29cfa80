"""A whole run as the parent lives it: start the children, say go, draw, watch the endpoint, collect what is left.

Whatever ends first (the run, Ctrl-C, a worker, the emulator, the disk), what is known is kept and reported.
"""

import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio
import anyio.abc

from smbench.aws.clients import AwsClients, AwsSettings
from smbench.aws.gauges import AwsGauges
from smbench.aws.target import TargetFound
from smbench.clock import MonotonicClock, TimeKind, real_ns, wall_ns
from smbench.errors import ExitCode, SmbenchError, TargetError
from smbench.fleet.child import Child, sole_error, start_child
from smbench.fleet.endpoint import endpoint_main
from smbench.fleet.messages import Beat, Cancel, Done, Failed, Finish, Go, Preparing, Ready, Stop
from smbench.fleet.plan import AwsAccess, RunPlan, WorkerOrder
from smbench.fleet.worker import worker_main
from smbench.records import Event, Reading
from smbench.results.store import PartWriter
from smbench.run.journal import Journal
from smbench.run.monitors import watch
from smbench.snapshot import Snapshot

_HEAD_START_S = 0.2  # between the go and scenario time zero: every child has read it by then
_PARENT_WRITER = "parent"
_FINISH_S = 30.0
_REFRESH_S = 0.5


class Watcher(Protocol):
    """Whoever draws. Calls are cheap and never raise for what is drawn."""

    def preparing(self, text: str) -> None: ...

    def refresh(self) -> None: ...

    def update(self, snapshots: Sequence[Snapshot]) -> None: ...

    def read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None: ...


@dataclass(slots=True)
class SessionEnd:
    """How it went. `failure` is None when the run came to its own end or was stopped by the user."""

    ended: str = "finished"  # finished | stopped | cancelled | failed
    reason: str = ""
    failure: Failed | None = None
    target: TargetFound | None = None
    epoch_ns: int = 0
    notes: list[str] = field(default_factory=list)
    is_begun: bool = False


async def run_session(
    plan: RunPlan,
    access: AwsAccess,
    run_dir: Path,
    run_id: str,
    watcher: Watcher,
    on_ready: Callable[[SessionEnd], None],
) -> SessionEnd:
    """Run the plan with one worker.

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
        order = WorkerOrder(
            scenario_json=plan.scenario.model_dump_json(by_alias=True),
            base_dir=plan.base_dir,
            run_dir=run_dir,
            run_id=run_id,
            worker=0,
            of=1,
            schedule_digest=plan.schedule.digest,
            access=access,
            epoch_ns=end.epoch_ns,
        )
        worker = start_child("worker", worker_main, order)
        session = _Session(plan, access, run_dir, watcher, on_ready, worker, emulator, end)
        try:
            await session.live()
        except BaseExceptionGroup as group:  # task groups wrap what ends them; only our own errors are taken out
            error = sole_error(group)
            if not isinstance(error, SmbenchError):
                raise
            session.failed(Failed(error.message, error.advice, ExitCode(error.exit_code)))
        finally:
            worker.leave()
        if end.failure is not None and not end.is_begun:
            raise end.failure.error()
        if emulator is not None and end.is_begun:
            await _finish(emulator, run_dir, end)
    return end


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
            return
    end.notes.append("the emulator left no truth.parquet")


class _Session:
    """The parent's task tree while a worker runs."""

    def __init__(
        self,
        plan: RunPlan,
        access: AwsAccess,
        run_dir: Path,
        watcher: Watcher,
        on_ready: Callable[[SessionEnd], None],
        worker: Child,
        emulator: Child | None,
        end: SessionEnd,
    ) -> None:
        self.plan, self.access, self.run_dir = plan, access, run_dir
        self.watcher, self.on_ready, self.end = watcher, on_ready, end
        self.worker, self.emulator = worker, emulator

    async def live(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear_signals)
            tasks.start_soon(self._refresh)
            await self._prepare()
            if self.end.failure is None:
                clock = self._go()
                if self.emulator is not None:
                    tasks.start_soon(self._watch_emulator, self.emulator)
                if self.plan.time_kind is TimeKind.WARP:
                    await self._follow()
                else:
                    await self._follow_and_watch(clock)
            tasks.cancel_scope.cancel()

    async def _refresh(self) -> None:
        """So that a silent worker is seen to be silent."""
        while True:
            self.watcher.refresh()
            await anyio.sleep(_REFRESH_S)

    async def _prepare(self) -> None:
        while True:
            message = await self.worker.receive()
            if isinstance(message, Preparing):
                self.watcher.preparing(message.text)
            elif isinstance(message, Ready):
                self.end.target = message.target
                self.on_ready(self.end)
                return
            elif isinstance(message, Failed):
                self.failed(message)
                return
            elif message is None:
                self.failed(Failed(f"before the run began {self.worker.how_it_ended()}", "", ExitCode.BUG))
                return

    def _go(self) -> MonotonicClock:
        anchor_ns = real_ns() + round(_HEAD_START_S * 1e9)
        if not self.plan.is_emulated:
            self.end.epoch_ns = wall_ns() + anchor_ns - real_ns()
        go = Go(anchor_ns, self.end.epoch_ns, self.plan.scale)
        if self.emulator is not None:
            self.emulator.tell(go)
        self.worker.tell(go)
        self.end.is_begun = True
        return MonotonicClock(go.anchor_ns, go.epoch_ns, go.scale)

    async def _follow(self) -> None:
        """Take what the worker tells until it is done, or gone."""
        while True:
            message = await self.worker.receive()
            if isinstance(message, Beat):
                self.watcher.update([message.snapshot])
                if message.readings or message.events:
                    self.watcher.read(message.readings, message.events)
            elif isinstance(message, Preparing):
                self.watcher.preparing(message.text)
            elif isinstance(message, Done):
                self.end.notes.extend(message.notes)
                return
            elif isinstance(message, Failed):
                self.failed(message)
                return
            elif message is None:
                self.end.ended, self.end.reason = "failed", self.worker.how_it_ended()
                return

    async def _follow_and_watch(self, clock: MonotonicClock) -> None:
        """The endpoint is watched from here, where a look costs the load nothing."""
        settings = AwsSettings(
            region=self.access.region,
            profile=self.access.profile,
            endpoint_url=self.access.endpoint_url,
            emulated=self.plan.is_emulated,
            in_flight=10,
        )
        readings = PartWriter(self.run_dir, "readings", _PARENT_WRITER)
        journal = Journal(None, None, readings, PartWriter(self.run_dir, "events", _PARENT_WRITER), clock.epoch_ns)

        def on_read(readings: Sequence[Reading], events: Sequence[Event]) -> None:
            journal.read(readings)
            for event in events:
                journal.happened(event)
            self.watcher.read(readings, events)

        assert self.end.target is not None  # the worker found it before the go
        async with AwsClients(settings) as clients:
            gauges = AwsGauges(clients, self.end.target, clock)
            try:
                async with anyio.create_task_group() as watching:
                    watching.start_soon(watch, gauges, clock, self.plan.scenario.gauges_every, on_read)
                    watching.start_soon(journal.run)
                    await self._follow()
                    watching.cancel_scope.cancel()
                with anyio.move_on_after(_FINISH_S):
                    on_read(*await gauges.read())
            finally:
                journal.write()

    async def _watch_emulator(self, emulator: Child) -> None:
        """Nothing is expected of it while the run goes on but that it lives."""
        message = await emulator.receive()
        if isinstance(message, Failed):
            self.failed(message)
        else:
            self.end.ended, self.end.reason = "failed", emulator.how_it_ended()
        self.worker.tell(Cancel(self.end.reason))

    def failed(self, message: Failed) -> None:
        """Note why the run could not begin or go on."""
        self.end.ended, self.end.reason, self.end.failure = "failed", message.message, message

    async def _hear_signals(self) -> None:
        """First Ctrl-C or SIGTERM: stop sending, drain, report. Second: stop now, keep the ledger."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                name = signal.Signals(number).name
                if self.end.ended == "finished":
                    self.end.ended, self.end.reason = "stopped", f"stopped by {name}"
                    self.worker.tell(Stop(self.end.reason))
                    self.watcher.preparing("stopping: no more is sent, waiting for ends; once more to stop now")
                else:
                    self.end.ended, self.end.reason = "cancelled", f"stopped at once by {name}"
                    self.worker.tell(Cancel(self.end.reason))
