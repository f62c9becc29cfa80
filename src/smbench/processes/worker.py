"""A worker process: prepare the target, say ready, write its rows, wait for the go, send one share, take down.

In warp time the emulator lives on this worker's loop; else the worker cannot distinguish the emulator from AWS. What is
measured, and how it is reached, is the target's business (`targets`).
"""

import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from functools import partial

import anyio
import anyio.to_thread

from smbench.clock import LoopClock, MonotonicClock, TimeKind, WarpLoop, real_ns
from smbench.errors import NotBegunError, SmbenchError
from smbench.generator.assembly import ShareRun
from smbench.generator.control import Control
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.runner import Runner
from smbench.generator.taking_up import TakenUpShare
from smbench.generator.tracking.journal import FLUSH_EVERY_S
from smbench.generator.tracking.ledger import State
from smbench.memory import give_back
from smbench.processes.channel import Channel
from smbench.processes.messages import (
    Acknowledged,
    Announce,
    Beat,
    Cancel,
    Done,
    Go,
    Preparing,
    Ready,
    Stop,
    WorkerOrder,
    Workplace,
)
from smbench.processes.priority import niceness
from smbench.records import Event, NotSent, Reading
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess, Prepared, Target
from smbench.targets.kinds import target_of

_BEAT_S = 0.25
_GC_THRESHOLD = (10_000, 20, 50)
_LATE_S = 0.01  # what a loop needs to wake up is no late start


def work_ordered(channel: Channel, order: WorkerOrder, workplace: Workplace) -> None:
    """Draw the plan that was ordered and run one share of it to its end."""
    scenario = Scenario.model_validate_json(order.scenario_json)
    plan = make_plan(scenario, workplace.base_dir)
    if plan.schedule.digest != order.schedule_digest:
        raise SmbenchError("the worker drew another schedule than the parent: a payload or trace file has changed")
    work(channel, order, workplace, plan)


def work(channel: Channel, order: WorkerOrder, workplace: Workplace, plan: RunPlan) -> None:
    """As `work_ordered`, where the plan is drawn already."""
    if plan.time_kind is TimeKind.WARP:
        beat = _WarpBeat(channel)
        loop = {"loop_factory": lambda: WarpLoop(beat, _BEAT_S)}
        anyio.run(_in_warp, channel, order, workplace, plan, beat, backend_options=loop)
    else:
        loop_kind = {"use_uvloop": sys.platform != "win32"}
        anyio.run(_in_real, channel, order, workplace, plan, backend_options=loop_kind)


async def _in_real(channel: Channel, order: WorkerOrder, workplace: Workplace, plan: RunPlan) -> None:
    commands = Commands(channel)
    target = target_of(plan, order.access)
    how = order.taking_up
    share_run = (
        ShareRun(plan, order.share, workplace.run_dir, is_alone=order.is_alone)
        if how is None
        else TakenUpShare(plan, order.share, workplace.run_dir, how)
    )
    with closing(share_run):  # whatever ends it: the process may live on, and the lock with it
        async with anyio.create_task_group() as listening:
            listening.start_soon(commands.listen)
            async with _prepared(target, order, lambda text: _say(channel, text)) as prepared:
                commands.on_loss = partial(_after_loss, commands, prepared, plan)
                channel.send(Ready(prepared.found, prepared.held, niceness=niceness()))
                go = await commands.wait_for_go(share_run)
                clock = MonotonicClock.beginning(go.begins_utc_ns, go.epoch_ns, go.scale)
                ports = prepared.ports(clock, watches=order.is_alone and order.share.worker == 0)
                runner = share_run.runner(ports, clock, prepared.locations, commands.control)
                late_s = (real_ns() - clock.anchor_ns) / 1e9
                async with anyio.create_task_group() as around:
                    around.start_soon(_tell, channel, runner, share_run)
                    around.start_soon(prepared.keep_ready)
                    try:
                        await runner.run()
                    except BaseException:  # what was sent goes on without us, and a resume needs the queue
                        prepared.abandon()
                        raise
                    around.cancel_scope.cancel()
                channel.send(Beat(runner.snapshot(), seen=share_run.take_seen()))  # from now on it may be silent
                if runner.has_unheard and how is None and not commands.control.is_target_gone:
                    await prepared.examine()
                if how is not None and not runner.tracker.counts[State.PENDING]:
                    prepared.release()
                share_run.close()
            listening.cancel_scope.cancel()
    kept = None if plan.is_emulated else prepared.kept()  # an emulator's queue ended with it
    channel.send(Done([*prepared.notes(), *(_late_start(order, late_s) if how is None else [])], held=kept))


def _after_loss(commands: "Commands", prepared: Prepared, plan: RunPlan) -> None:
    """An emulator of the run's own ends with the parent; of a real endpoint the queue stays for `smbench resume`."""
    if plan.is_emulated or commands.is_begun:
        prepared.abandon()
    commands.control.is_target_gone = plan.is_emulated


def _prepared(
    target: Target, order: WorkerOrder, progress: Callable[[str], None]
) -> AbstractAsyncContextManager[Prepared]:
    if order.taking_up is None:
        return target.prepared(order.share, progress)
    return target.taken_up(order.share, progress, order.found, order.held, sends=order.taking_up.sends)


def _late_start(order: WorkerOrder, late_s: float) -> list[str]:
    if late_s <= _LATE_S:
        return []
    name = "the worker" if order.share.of == 1 else f"worker {order.share.worker}"
    why = "it was started late, or its machine was busy" if order.is_alone else "because the machine was busy"
    return [f"late start: {name} began {late_s:.2f} s after time zero, {why}"]


async def _in_warp(
    channel: Channel, order: WorkerOrder, workplace: Workplace, plan: RunPlan, beat: "_WarpBeat"
) -> None:
    from smbench.emulator.server import Emulator  # in warp time alone: else it is another process

    emulator = Emulator(plan.scenario, workplace.base_dir, order.epoch_ns)
    access = AwsAccess(order.access.region, order.access.profile, await emulator.start())
    commands = Commands(channel)
    target = target_of(plan, access)
    share_run = ShareRun(plan, order.share, workplace.run_dir)
    try:
        async with anyio.create_task_group() as listening:
            listening.start_soon(commands.listen)
            async with target.prepared(order.share, lambda text: _say(channel, text)) as prepared:
                channel.send(Ready(prepared.found, prepared.held))
                await commands.wait_for_go(share_run, freezes=False)
                clock = LoopClock(order.epoch_ns)
                emulator.go(clock)
                runner = share_run.runner(
                    prepared.ports(clock, watches=True), clock, prepared.locations, commands.control, beat.observed
                )
                beat.runner = runner
                await runner.run()
                beat()
                beat.runner = None
                if runner.has_unheard:
                    await prepared.examine()
            listening.cancel_scope.cancel()
        emulator.write_truth(workplace.run_dir / "truth.parquet")
    finally:
        share_run.close()
        await emulator.stop()
    channel.send(Done(prepared.notes()))


class Commands:
    """What the parent says, taken from the first moment on, so that a person need not wait for an upload to stop it.

    Attributes:
        control: Stopped and cancelled by the parent's messages, and by the parent's end.
        is_begun: The go has come.
        on_loss: Called when the parent or its emulator has ended before the run did.
    """

    def __init__(self, channel: Channel) -> None:
        self.control = Control()
        self.on_loss: Callable[[], None] = lambda: None
        self._channel = channel
        self._before_the_go: list[Announce | Go] = []
        self.is_begun = False
        self._came = anyio.Event()

    async def listen(self) -> None:
        """Take messages until cancelled, or until the parent has ended.

        Raises:
            NotBegunError: before the go it said something else, or ended.
        """
        while True:
            message = await self._channel.receive()
            if message is None or (isinstance(message, Cancel) and message.is_target_gone):
                self.on_loss()
            if isinstance(message, Announce | Go):
                self._before_the_go.append(message)
                self.is_begun = isinstance(message, Go)
                self._came.set()
            elif not self.is_begun:
                raise NotBegunError("interrupted before the run began; nothing was sent")
            elif isinstance(message, Stop):
                self.control.stop(message.why, message.reason)
            elif isinstance(message, Cancel):
                self.control.cancel(NotSent.STOPPED, message.reason)
            elif message is None:
                self.control.cancel(NotSent.STOPPED, "the parent process has ended")
                return

    async def wait_for_go(self, share_run: ShareRun, *, freezes: bool = True) -> Go:
        """Write the rows and acknowledge as often as it is announced; returns with the go.

        Args:
            freezes: What this process holds is kept out of all later collections: for a process of its own.
        """
        while True:
            while not self._before_the_go:
                self._came = anyio.Event()
                await self._came.wait()
            message = self._before_the_go.pop(0)
            if isinstance(message, Go):
                return message
            share_run.write_first_versions(message.epoch_ns, message.later_ns)
            if freezes:
                freeze_collections()
            self._channel.send(Acknowledged())


class _WarpBeat:
    """Called a few times a real second between two turns of the loop: reports to the parent, flushes the journal."""

    def __init__(self, channel: Channel) -> None:
        self.channel, self.count = channel, 0
        self.runner: Runner | None = None  # None before the go and after the end: there is nothing to tell
        self._readings: list[Reading] = []
        self._events: list[Event] = []

    def observed(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        """Keep what the gauges read until the next beat."""
        self._readings.extend(readings)
        self._events.extend(events)

    def __call__(self) -> None:
        if self.runner is None:
            return
        readings, self._readings = self._readings, []
        events, self._events = self._events, []
        self.channel.send(Beat(self.runner.snapshot(), readings, events))
        self.count += 1
        if self.count % round(FLUSH_EVERY_S / _BEAT_S) == 0:
            self.runner.journal.write()


def freeze_collections() -> None:
    """What exists now stays; a full collection of it would hold the load up for tens of milliseconds.

    What drawing the plan and writing its rows took goes back to the system.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    give_back()


def _say(channel: Channel, text: str) -> None:
    channel.send(Preparing(text))


async def _tell(channel: Channel, runner: Runner, share_run: ShareRun) -> None:
    while True:
        await anyio.sleep(_BEAT_S)
        # In a thread: a parent that draws slowly must not hold the load.
        beat = Beat(runner.snapshot(), seen=share_run.take_seen())
        await anyio.to_thread.run_sync(channel.send, beat)
