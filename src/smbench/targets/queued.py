"""An asynchronous endpoint as a target: inputs in S3; ends by a queue of each worker's own, or looked for in S3."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from smbench.aws.access.clients import ANSWER_S, CONNECT_S, MEASURING, AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound, discover
from smbench.aws.endpoint.gauges import WATCHING, AwsGauges
from smbench.aws.setup.claim import Claim, claims_below
from smbench.aws.setup.run_queue import RunQueue, queue_name, remove, run_queue, run_queue_again
from smbench.aws.setup.silence import why_silent
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.outputs import S3Folders, S3Outputs
from smbench.aws.transport.wire_clients import WireClients, try_runtime, wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.clock import Clock
from smbench.errors import SmbenchError, TargetError
from smbench.generator.plan import RunPlan
from smbench.generator.runner import Outside
from smbench.generator.shares import Share, in_flight_share
from smbench.model.world import EMBEDDED
from smbench.ports import Gauges, Notices, Outputs, Transport
from smbench.records import Delivery
from smbench.targets.base import AwsAccess, Facts
from smbench.targets.inputs import upload_inputs

_REMOVE_S = _EXAMINE_S = 20.0
_FEW_CONNECTIONS = 10  # of a process that watches and removes, and sends nothing
_CLAIMING, _REMOVING = ("s3",), ("sqs", "sns")


class QueuedTarget:
    """The asynchronous endpoint of one run, real or emulated. All of a request's stages and all checks apply.

    Args:
        access: For an emulated endpoint its URL matters alone.
    """

    def __init__(self, plan: RunPlan, access: AwsAccess) -> None:
        self.plan, self.access = plan, access

    @asynccontextmanager
    async def prepared(self, share: Share, progress: Callable[[str], None]) -> AsyncIterator["PreparedQueued"]:
        """Clients, inputs in S3 and the queue; the queue is removed on leaving.

        Raises:
            TargetError: the endpoint cannot be used, or something it needs cannot be made.
        """
        scenario = self.plan.scenario
        given_queue = scenario.collector.queue
        in_flight = in_flight_share(scenario.limits, share.worker, share.of)
        endpoint = scenario.target.endpoint or EMBEDDED
        async with AwsClients(self._settings(in_flight)) as clients:
            found = await discover(
                clients,
                endpoint,
                scenario.target.variant,
                queue_given=given_queue is not None,
                tracking=scenario.collector.tracking,
            )
            async with AsyncExitStack() as stack:
                wire = await stack.enter_async_context(wire_clients(clients)) if scenario.transport == "wire" else None
                if wire is None:
                    await try_runtime(clients)
                store = clients.s3 if wire is None else wire.s3
                locations = await upload_inputs(clients, store, self.plan, share, found, progress)
                queue = RunQueue()
                if found.tracking == "sns":
                    queue = await stack.enter_async_context(
                        run_queue(clients, found, run_id=share.run_id, worker=share.worker, existing_url=given_queue)
                    )
                is_own = given_queue is None and bool(queue.url)
                yield PreparedQueued(clients, wire, found, queue, locations, share.id_prefix, is_own_queue=is_own)

    @asynccontextmanager
    async def taken_up(
        self, share: Share, progress: Callable[[str], None], found: Facts, held: Facts | None, *, sends: bool
    ) -> AsyncIterator["PreparedQueued"]:
        """As `prepared`, with the queue that the run left, or a new one where it was closed and more is sent.

        Raises:
            TargetError: the queue cannot be reached, or is gone and more would be sent; nothing is changed.
        """
        scenario = self.plan.scenario
        in_flight = in_flight_share(scenario.limits, share.worker, share.of)
        given_queue = scenario.collector.queue
        async with AwsClients(self._settings(in_flight)) as clients:
            target = TargetFound.from_json(found)  # as it was: the endpoint itself may be gone by now
            async with AsyncExitStack() as stack:
                wire = await stack.enter_async_context(wire_clients(clients)) if scenario.transport == "wire" else None
                store = clients.s3 if wire is None else wire.s3
                if sends and held is None and given_queue is None and target.tracking == "sns":
                    # The run was closed and its queue removed: what is sent now needs a queue as the rest had.
                    again = run_queue(clients, target, run_id=share.run_id, worker=share.worker)
                else:
                    again = run_queue_again(clients, held, given_queue)
                queue = await stack.enter_async_context(again)
                if sends and held is not None and not queue.url:
                    raise TargetError(
                        f"the queue {held['url']} does not exist any more: the run was cleaned, or taken up elsewhere, "
                        "where the rest may have been sent",
                        "resume it without --continue: nothing is sent twice",
                    )
                locations = await upload_inputs(clients, store, self.plan, share, target, progress) if sends else None
                is_own = given_queue is None and bool(queue.url)
                yield PreparedQueued(clients, wire, target, queue, locations, share.id_prefix, is_own_queue=is_own)

    @asynccontextmanager
    async def watched(self, found: Facts, clock: Clock) -> AsyncIterator[Gauges]:
        """CloudWatch, instances, scaling activities and alarms of the endpoint that was found."""
        async with AwsClients(self._settings(_FEW_CONNECTIONS, WATCHING)) as clients:
            yield AwsGauges(clients, TargetFound.from_json(found), clock)

    @asynccontextmanager
    async def claim(self, run_id: str, found: Facts) -> AsyncIterator[Claim]:
        """An object beside the inputs.

        Raises:
            TargetError: no place in S3 is known.
        """
        place = claims_below(self.plan.scenario.payloads.prefix, TargetFound.from_json(found).output_path)
        if place is None:
            raise TargetError(
                "who sends the rest of the run cannot be agreed upon: the endpoint names no output path, and the "
                "scenario no place for inputs",
                "resume it without --continue",
            )
        async with AwsClients(self._settings(_FEW_CONNECTIONS, _CLAIMING)) as clients:
            yield Claim(clients, f"{place}/{run_id}")

    async def remove(self, held: Sequence[Facts]) -> list[str]:
        """Remove queues of lost workers with their subscriptions, within 20 seconds; returns what is left.

        The emulator's queues end with the emulator, so there nothing is removed and nothing is left.
        """
        if self.plan.is_emulated:
            return []
        waiting = [RunQueue.from_json(one) for one in held]
        left: list[str] = []
        reason = "not removed in time"
        try:
            with anyio.move_on_after(_REMOVE_S):
                async with AwsClients(self._settings(_FEW_CONNECTIONS, _REMOVING)) as clients:
                    while waiting:
                        left += await remove(clients, waiting[0])
                        del waiting[0]
        except SmbenchError as error:  # the credentials have expired meanwhile: what is left is named all the same
            reason = error.message
        for queue in waiting:
            left += [f"{one} ({reason})" for one in (f"queue {queue.url}", *queue.subscriptions)]
        return left

    def unconfirmed(self, share: Share) -> list[str]:
        """The queue by its name, which is known before it is made."""
        collector = self.plan.scenario.collector
        if self.plan.is_emulated or collector.queue is not None or collector.tracking == "s3":
            return []
        return [f"queue {queue_name(share.run_id, share.worker)}"]

    def _settings(self, in_flight: int, services: tuple[str, ...] = MEASURING) -> AwsSettings:
        request = self.plan.scenario.request
        return AwsSettings(
            region=self.access.region,
            profile=self.access.profile,
            endpoint_url=self.access.endpoint_url,
            emulated=self.plan.is_emulated,
            in_flight=in_flight,
            connect_s=self.plan.loop_s(request.connect_timeout, CONNECT_S),
            answer_s=self.plan.loop_s(request.read_timeout, ANSWER_S),
            services=services,
        )


class NoNotices:
    """The queue of a run whose own was removed: nothing comes."""

    async def receive(self) -> list[Delivery]:
        """Wait until cancelled."""
        await anyio.sleep_forever()
        return []

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        """Nothing is left."""
        return []


class PreparedQueued:
    """An asynchronous endpoint that is ready for one share; see `targets.base.Prepared`."""

    def __init__(
        self,
        clients: AwsClients,
        wire: WireClients | None,  # None: the hot calls go through the SDK
        target: TargetFound,
        queue: RunQueue,
        locations: list[str] | None,
        id_prefix: str,
        *,
        is_own_queue: bool,
    ) -> None:
        self.found: Facts = target.as_json()
        self.held: Facts | None = queue.as_json() if is_own_queue else None
        self.locations = locations
        self._clients, self._wire, self._target, self._queue = clients, wire, target, queue
        self._id_prefix = id_prefix

    def ports(self, clock: Clock, *, watches: bool = False) -> Outside:
        """See `targets.base.Prepared`."""
        gauges = AwsGauges(self._clients, self._target, clock) if watches else None
        transport, notices, outputs = self._hot_calls()
        folders = S3Folders(self._clients.s3) if self._target.tracking == "s3" else None
        return Outside(transport, notices, outputs, gauges, folders)

    def _hot_calls(self) -> tuple[Transport, Notices, Outputs]:
        endpoint, url, prefix = self._target.endpoint, self._queue.url, self._id_prefix
        clients, wire = self._clients, self._wire
        if wire is None:
            return (
                SdkTransport(clients.runtime, endpoint),
                SqsNotices(clients.sqs, url, run_prefix=prefix) if url else NoNotices(),
                S3Outputs(clients.s3),
            )
        return (
            WireTransport(wire.runtime, endpoint),
            WireNotices(wire.sqs, url, run_prefix=prefix) if url else NoNotices(),
            S3Outputs(wire.s3),
        )

    async def keep_ready(self) -> None:
        """Refresh the credentials before they expire, until cancelled."""
        await self._clients.credentials.keep_fresh()

    async def examine(self) -> None:
        """Look whether the queue and its subscriptions are as they were made, for at most 20 seconds."""
        if not self._queue.url:
            return
        with anyio.move_on_after(_EXAMINE_S):
            self._queue.notes += await why_silent(
                self._clients, self._target, self._queue, self._id_prefix, is_own=self.held is not None
            )

    def abandon(self) -> None:
        """Leave the queue where it is: the emulator that holds it ends with the run, or the run will be taken up."""
        self._queue.is_abandoned = True

    def release(self) -> None:
        """Nothing more is expected of the queue: remove it on leaving."""
        self._queue.is_abandoned = False

    def kept(self) -> Facts | None:
        """The queue, where it was left."""
        return self.held if self._queue.is_abandoned else None

    def notes(self) -> list[str]:
        """What limits what a run can find out, what was strange about the queue, and what could not be removed."""
        return [*self._target.notes, *self._queue.notes, *(f"left behind: {one}" for one in self._queue.left)]
