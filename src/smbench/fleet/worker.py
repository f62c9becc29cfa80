"""A worker process: prepare, say ready, wait for the go, run one shard, clean up.

In warp time the emulator lives on this worker's loop; else the worker cannot tell the emulator from AWS.
"""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

import anyio
import anyio.to_thread

from smbench.aws.clients import AwsClients, AwsSettings
from smbench.aws.gauges import AwsGauges
from smbench.aws.invoke import SdkTransport
from smbench.aws.notices import SqsNotices
from smbench.aws.outputs import S3Outputs
from smbench.aws.payloads import upload
from smbench.aws.queue import run_queue
from smbench.aws.target import TargetFound, discover
from smbench.clock import Clock, LoopClock, MonotonicClock, TimeKind, WarpLoop
from smbench.emulator.server import Emulator
from smbench.errors import SmbenchError
from smbench.fleet.messages import Beat, Cancel, Done, Go, Preparing, Ready, Stop, receive
from smbench.fleet.plan import RunPlan, WorkerOrder, make_plan
from smbench.fleet.requests import invocations
from smbench.records import Event, Reading
from smbench.results.store import PartWriter
from smbench.run.control import Control
from smbench.run.engine import Load
from smbench.run.journal import FLUSH_EVERY_S, Journal
from smbench.run.ledger import Ledger
from smbench.run.runner import Bounds, Outside, Runner
from smbench.scenario.model import Scenario
from smbench.scenario.seeds import stream

_BEAT_S = 0.25
_EMULATED_ENDPOINT = "smbench-emulated"


def worker_main(pipe: Connection, order: WorkerOrder) -> None:
    """Run one shard to its end; every way out but a kill says so through the pipe."""
    scenario = Scenario.model_validate_json(order.scenario_json)
    plan = make_plan(scenario, order.base_dir)
    if plan.schedule.digest != order.schedule_digest:
        raise SmbenchError("the worker drew another schedule than the parent: a payload or trace file has changed")
    if plan.time_kind is TimeKind.WARP:
        on_beat: list[Callable[[], None]] = []
        options = {"loop_factory": lambda: WarpLoop(lambda: [beat() for beat in on_beat] and None, _BEAT_S)}
        anyio.run(_in_warp, pipe, order, plan, on_beat, backend_options=options)
    else:
        anyio.run(_in_real, pipe, order, plan, backend_options={"use_uvloop": sys.platform != "win32"})


async def _in_real(pipe: Connection, order: WorkerOrder, plan: RunPlan) -> None:
    async with _prepared(pipe, order, plan, order.access.endpoint_url) as (outside, target, locations):
        del target  # the parent watches the endpoint
        pipe_go = await _wait_go(pipe)
        clock = MonotonicClock(pipe_go.anchor_ns, pipe_go.epoch_ns, pipe_go.scale)
        runner, _ = _assemble(order, plan, outside(None), clock, locations)
        async with anyio.create_task_group() as around:
            around.start_soon(_obey, pipe, runner.control)
            around.start_soon(_tell, pipe, runner)
            await runner.run()
            around.cancel_scope.cancel()
        pipe.send(Beat(runner.snapshot()))


async def _in_warp(pipe: Connection, order: WorkerOrder, plan: RunPlan, on_beat: list[Callable[[], None]]) -> None:
    emulator = Emulator(plan.scenario, plan.base_dir, order.epoch_ns)
    url = await emulator.start()
    try:
        async with _prepared(pipe, order, plan, url) as (outside, target, locations):
            await _wait_go(pipe)
            clock = LoopClock(order.epoch_ns)
            emulator.go(clock)
            runner, told = _assemble(order, plan, outside((target, clock)), clock, locations)
            beat = _WarpBeat(pipe, runner, told)
            on_beat.append(beat)
            async with anyio.create_task_group() as around:
                around.start_soon(_obey, pipe, runner.control)
                await runner.run()
                around.cancel_scope.cancel()
            on_beat.clear()
            beat()
        emulator.write_truth(order.run_dir / "truth.parquet")
    finally:
        await emulator.stop()
    pipe.send(Done())


class _WarpBeat:
    """Called a few times a real second between two turns of the loop: tells the parent, and flushes the journal."""

    def __init__(self, pipe: Connection, runner: Runner, told: "_Told") -> None:
        self.pipe, self.runner, self.told, self.count = pipe, runner, told, 0

    def __call__(self) -> None:
        self.pipe.send(Beat(self.runner.snapshot(), *self.told.take()))
        self.count += 1
        if self.count % round(FLUSH_EVERY_S / _BEAT_S) == 0:
            self.runner.journal.write()


class _Told:
    """Readings and events since the last beat."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.events: list[Event] = []

    def __call__(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        self.readings.extend(readings)
        self.events.extend(events)

    def take(self) -> tuple[list[Reading], list[Event]]:
        taken = self.readings, self.events
        self.readings, self.events = [], []
        return taken


_MakeOutside = Callable[[tuple[TargetFound, Clock] | None], Outside]


@asynccontextmanager
async def _prepared(
    pipe: Connection, order: WorkerOrder, plan: RunPlan, url: str | None
) -> AsyncIterator[tuple[_MakeOutside, TargetFound, list[str | None]]]:
    """Everything that must stand before the go, and is taken down after: clients, inputs in S3, the queue."""
    scenario = plan.scenario
    settings = AwsSettings(
        region=order.access.region,
        profile=order.access.profile,
        endpoint_url=url,
        emulated=plan.is_emulated,
        in_flight=scenario.limits.in_flight,
    )
    async with AwsClients(settings) as clients:
        endpoint = scenario.target.endpoint or _EMULATED_ENDPOINT
        target = await discover(clients, endpoint, scenario.target.variant, queue_given=bool(scenario.collector.queue))
        pipe.send(Preparing("uploading the inputs"))
        locations = await upload_inputs(clients, plan, order, target)
        async with run_queue(
            clients,
            target,
            run_id=order.run_id,
            worker=order.worker,
            existing_url=scenario.collector.queue,
        ) as queue:

            def outside(watched: tuple[TargetFound, Clock] | None) -> Outside:
                gauges = None if watched is None else AwsGauges(clients, *watched)
                return Outside(
                    SdkTransport(clients.runtime, endpoint),
                    SqsNotices(clients.sqs, queue.url, run_prefix=order.run_id),
                    S3Outputs(clients.s3),
                    gauges,
                )

            pipe.send(Ready(target.as_json()))
            yield outside, target, locations
    pipe.send(Preparing("cleaned up"))


async def upload_inputs(
    clients: AwsClients, plan: RunPlan, order: WorkerOrder, target: TargetFound
) -> list[str | None]:
    raise NotImplementedError(upload)


async def _wait_go(pipe: Connection) -> Go:
    while True:
        message = await receive(pipe)
        if isinstance(message, Go):
            return message
        if message is None or isinstance(message, Stop | Cancel):
            raise SmbenchError("interrupted before the run began")


async def _obey(pipe: Connection, control: Control) -> None:
    while True:
        message = await receive(pipe)
        if isinstance(message, Stop):
            control.stop(message.reason)
        elif isinstance(message, Cancel):
            control.cancel(message.reason)
        elif message is None:
            control.cancel("the parent process is gone")
            return


async def _tell(pipe: Connection, runner: Runner) -> None:
    while True:
        await anyio.sleep(_BEAT_S)
        # In a thread: a parent that draws slowly must not hold the load.
        await anyio.to_thread.run_sync(pipe.send, Beat(runner.snapshot()))


def _assemble(
    order: WorkerOrder, plan: RunPlan, outside: Outside, clock: Clock, locations: list[str | None]
) -> tuple[Runner, _Told]:
    scenario = plan.scenario
    shard = plan.schedule.shard(order.worker, order.of)
    ledger = Ledger(
        shard.seq,
        shard.sched_ns,
        shard.phase,
        shard.payload,
        phase_names=[span.name for span in plan.schedule.spans],
        warmup=[span.warmup for span in plan.schedule.spans],
        payload_names=[payload.payload_class for payload in plan.payloads],
        size_bytes=[payload.size_bytes for payload in plan.payloads],
        id_prefix=f"{order.run_id}-{order.worker}-",
        worker=order.worker,
        epoch_ns=clock.epoch_ns,
    )
    requests = PartWriter(order.run_dir, "requests", order.worker)
    requests.write(ledger.all_rows())  # the first version: not sent, whatever happens
    journal = Journal(
        ledger,
        requests,
        PartWriter(order.run_dir, "readings", order.worker),
        PartWriter(order.run_dir, "events", order.worker),
        clock.epoch_ns,
    )
    load = Load(
        spans=shard.spans,
        invocation=invocations(scenario.request, plan.payloads, ledger, locations),
        limits=scenario.limits,
        retry=scenario.request.retry,
        jitter=stream(scenario.seed_of("faults"), f"retry.{order.worker}"),
        patience_s=scenario.drain,
    )
    bounds = Bounds(scenario.drain, plan.longest_life_s, scenario.gauges_every, scenario.collector.receivers)
    told = _Told()
    control = Control()
    runner = Runner(ledger, load, outside, bounds, clock=clock, control=control, journal=journal, on_read=told)
    for span in shard.spans:
        journal.happened(
            Event("phase", span.name, span.start_ns, span.start_ns, span.kind, span.end_ns, detail={"n": span.n})
        )
    return runner, told
