"""A worker process: prepare, say ready, wait for the go, run one shard, clean up.

In warp time the emulator lives on this worker's loop; else the worker cannot tell the emulator from AWS.
"""

import gc
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound, discover
from smbench.aws.endpoint.gauges import AwsGauges
from smbench.aws.setup.run_queue import RunQueue, run_queue
from smbench.aws.setup.uploads import Upload, input_prefix, upload
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.outputs import S3Outputs
from smbench.aws.transport.wire_clients import WireClients, try_runtime, wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.clock import Clock, LoopClock, MonotonicClock, TimeKind, WarpLoop
from smbench.emulator.server import Emulator
from smbench.errors import NotBegunError, SmbenchError, TargetError
from smbench.generator.control import Control
from smbench.generator.engine import Load
from smbench.generator.journal import FLUSH_EVERY_S, Journal
from smbench.generator.plan import RunPlan, WorkerOrder, make_plan
from smbench.generator.requests import invocations
from smbench.generator.runner import Bounds, Outside, Runner
from smbench.generator.shares import in_flight_share, share_of
from smbench.model.world import EMBEDDED
from smbench.processes.messages import Beat, Cancel, Done, Go, Preparing, Ready, Stop, receive
from smbench.records import Event, NotSent, Reading
from smbench.results.store import PartWriter
from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload
from smbench.scenario.values.seeds import stream

_BEAT_S = 0.25
_GC_THRESHOLD = (10_000, 20, 50)


def worker_main(pipe: Connection, order: WorkerOrder) -> None:
    """Run one shard to its end; every way out but a kill says so through the pipe."""
    scenario = Scenario.model_validate_json(order.scenario_json)
    plan = make_plan(scenario, order.base_dir)
    if plan.schedule.digest != order.schedule_digest:
        raise SmbenchError("the worker drew another schedule than the parent: a payload or trace file has changed")
    if plan.time_kind is TimeKind.WARP:
        beat = _WarpBeat(pipe)
        anyio.run(_in_warp, pipe, order, plan, beat, backend_options={"loop_factory": lambda: WarpLoop(beat, _BEAT_S)})
    else:
        anyio.run(_in_real, pipe, order, plan, backend_options={"use_uvloop": sys.platform != "win32"})


async def _in_real(pipe: Connection, order: WorkerOrder, plan: RunPlan) -> None:
    start = _Start()
    async with anyio.create_task_group() as hearing:
        hearing.start_soon(start.hear, pipe)
        async with _prepared(pipe, order, plan, order.access.endpoint_url) as prepared:
            go = await start.wait_given()
            clock = MonotonicClock(go.anchor_ns, go.epoch_ns, go.scale)
            outside = prepared.outside(None)  # the parent has the gauges
            runner, _ = assemble(order, plan, outside, clock, prepared.locations)
            async with anyio.create_task_group() as around:
                around.start_soon(_obey, pipe, runner.control)
                around.start_soon(_tell, pipe, runner)
                around.start_soon(prepared.clients.credentials.keep_fresh)
                await runner.run()
                around.cancel_scope.cancel()
            pipe.send(Beat(runner.snapshot()))
    pipe.send(Done(prepared.notes()))


async def _in_warp(pipe: Connection, order: WorkerOrder, plan: RunPlan, beat: "_WarpBeat") -> None:
    emulator = Emulator(plan.scenario, plan.base_dir, order.epoch_ns)
    url = await emulator.start()
    start = _Start()
    try:
        async with anyio.create_task_group() as hearing:
            hearing.start_soon(start.hear, pipe)
            async with _prepared(pipe, order, plan, url) as prepared:
                await start.wait_given()
                clock = LoopClock(order.epoch_ns)
                emulator.go(clock)
                runner, told = assemble(order, plan, prepared.outside(clock), clock, prepared.locations)
                beat.runner, beat.told = runner, told
                async with anyio.create_task_group() as around:
                    around.start_soon(_obey, pipe, runner.control)
                    await runner.run()
                    around.cancel_scope.cancel()
                beat()
                beat.runner = None
        emulator.write_truth(order.run_dir / "truth.parquet")
    finally:
        await emulator.stop()
    pipe.send(Done(prepared.notes()))


class _WarpBeat:
    """Called a few times a real second between two turns of the loop: tells the parent, and flushes the journal."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe, self.count = pipe, 0
        self.runner: Runner | None = None  # None before the go and after the end: there is nothing to tell
        self.told = _Told()

    def __call__(self) -> None:
        if self.runner is None:
            return
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


@dataclass(slots=True)
class _Prepared:
    """What stands before the go."""

    clients: AwsClients
    wire: WireClients | None  # None: the hot calls go through the SDK
    endpoint: str
    target: TargetFound
    queue: RunQueue
    locations: list[str] | None
    id_prefix: str

    def outside(self, watching: Clock | None) -> Outside:
        """The ports. With a clock, this worker also watches the endpoint."""
        gauges = None if watching is None else AwsGauges(self.clients, self.target, watching)
        if self.wire is None:
            return Outside(
                SdkTransport(self.clients.runtime, self.endpoint),
                SqsNotices(self.clients.sqs, self.queue.url, run_prefix=self.id_prefix),
                S3Outputs(self.clients.s3),
                gauges,
            )
        return Outside(
            WireTransport(self.wire.runtime, self.endpoint),
            WireNotices(self.wire.sqs, self.queue.url, run_prefix=self.id_prefix),
            S3Outputs(self.wire.s3),
            gauges,
        )

    def notes(self) -> list[str]:
        """For the manifest, once everything is taken down."""
        return [*self.target.notes, *self.queue.notes, *(f"left behind: {one}" for one in self.queue.left)]


@asynccontextmanager
async def _prepared(
    pipe: Connection,
    order: WorkerOrder,
    plan: RunPlan,
    url: str | None,
) -> AsyncIterator[_Prepared]:
    """Clients, inputs in S3 and the queue; said to be ready on entering, taken down on leaving."""
    scenario = plan.scenario
    settings = AwsSettings(
        region=order.access.region,
        profile=order.access.profile,
        endpoint_url=url,
        emulated=plan.is_emulated,
        in_flight=in_flight_share(scenario.limits, order.worker, order.of),
    )
    endpoint = scenario.target.endpoint or EMBEDDED
    async with AwsClients(settings) as clients:
        target = await discover(
            clients, endpoint, scenario.target.variant, queue_given=scenario.collector.queue is not None
        )
        async with AsyncExitStack() as stack:
            is_wire = scenario.transport == "wire"
            wire = await stack.enter_async_context(wire_clients(clients)) if is_wire else None
            if wire is None:
                await try_runtime(clients)
            store = clients.s3 if wire is None else wire.s3
            locations = await _upload_inputs(pipe, clients, store, plan, order, target)
            queue = await stack.enter_async_context(
                run_queue(
                    clients, target, run_id=order.run_id, worker=order.worker, existing_url=scenario.collector.queue
                )
            )
            pipe.send(Ready(target, queue=queue if scenario.collector.queue is None else None))
            yield _Prepared(clients, wire, endpoint, target, queue, locations, f"{order.run_id}-{order.worker}-")


async def _upload_inputs(
    pipe: Connection, clients: AwsClients, store: Any, plan: RunPlan, order: WorkerOrder, target: TargetFound
) -> list[str] | None:
    """Every input this shard needs, in S3; None when bodies go inline. One a payload, or one a row when unique."""
    scenario, payloads = plan.scenario, plan.payloads
    if scenario.payloads.inline:
        return None
    if scenario.payloads.prefix is None and target.output_path is None:
        raise TargetError("where inputs may go is not known: the endpoint names no output path", "set payloads.prefix")
    prefix = scenario.payloads.prefix or input_prefix(str(target.output_path))
    shard = plan.schedule.shard(order.worker, order.of)
    rows = zip(shard.seq.tolist(), shard.payload.tolist(), strict=True)
    n = len(shard) if scenario.payloads.unique else len(payloads)

    def progress(n_done: int) -> None:
        if n_done % 100 == 0 or n_done == n:
            pipe.send(Preparing(f"uploading the inputs: {n_done:,} of {n:,}"))

    if scenario.payloads.unique:
        made = (_upload_of(payloads[place], payloads[place].unique(seq)) for seq, place in rows)
        return await upload(clients, made, prefix, store=store, progress=progress)
    wanted = (_upload_of(payload, body) for payload in payloads if (body := payload.body) is not None)
    places = iter(await upload(clients, wanted, prefix, store=store, progress=progress))
    return [payload.input_location or next(places) for payload in payloads]


def _upload_of(payload: Payload, body: bytes) -> Upload:
    return Upload(payload.payload_class, body, payload.content_type, Path(payload.name).suffix)


class _Start:
    """The go, heard while preparing goes on, so that a person need not wait for an upload to stop it."""

    def __init__(self) -> None:
        self._given: Go | None = None
        self._heard = anyio.Event()

    async def hear(self, pipe: Connection) -> None:
        """Take the first message.

        Raises:
            NotBegunError: it is no go, or the parent is gone.
        """
        message = await receive(pipe)
        if not isinstance(message, Go):
            raise NotBegunError("interrupted before the run began; nothing was sent")
        self._given = message
        self._heard.set()

    async def wait_given(self) -> Go:
        spare_collections()
        await self._heard.wait()
        assert self._given is not None
        return self._given


def spare_collections() -> None:
    """What stands now stays; a full collection of it would hold the load up for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)


async def _obey(pipe: Connection, control: Control) -> None:
    while True:
        message = await receive(pipe)
        if isinstance(message, Stop):
            control.stop(message.why, message.reason)
        elif isinstance(message, Cancel):
            control.cancel(NotSent.STOPPED, message.reason)
        elif message is None:
            control.cancel(NotSent.STOPPED, "the parent process is gone")
            return


async def _tell(pipe: Connection, runner: Runner) -> None:
    while True:
        await anyio.sleep(_BEAT_S)
        # In a thread: a parent that draws slowly must not hold the load.
        await anyio.to_thread.run_sync(pipe.send, Beat(runner.snapshot()))


def assemble(
    order: WorkerOrder, plan: RunPlan, outside: Outside, clock: Clock, locations: list[str] | None
) -> tuple[Runner, _Told]:
    """A worker's runner, the first version of every row on disk, and what its gauges tell."""
    scenario = plan.scenario
    shard = plan.schedule.shard(order.worker, order.of)
    ledger = plan.ledger(shard, order.run_id, clock.epoch_ns)
    journal = Journal(
        ledger,
        PartWriter(order.run_dir, "requests", order.worker),
        PartWriter(order.run_dir, "readings", order.worker),
        PartWriter(order.run_dir, "events", order.worker),
        clock.epoch_ns,
    )
    journal.write_all()  # the first version of every row: not sent, whatever happens
    load = Load(
        spans=shard.spans,
        invocation=invocations(scenario, plan.payloads, ledger, locations),
        limits=share_of(scenario.limits, shard),
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
