"""The emulator and every AWS client of ours on one loop in virtual time: real HTTP, no waiting."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from promptly import Promptly
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import TargetFound, discover
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.invoke_stream import SdkStreamTransport
from smbench.aws.transport.invoke_sync import SdkSyncTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.outputs import S3Outputs
from smbench.aws.transport.wire_clients import WireClients, wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_invoke_stream import WireStreamTransport
from smbench.aws.transport.wire_invoke_sync import WireSyncTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.clock import LoopClock, WarpLoop
from smbench.emulator.server import Emulator
from smbench.ports import Notices
from smbench.records import Answered
from smbench.scenario.model import Scenario

ENDPOINT = "smbench-emulated"
EPOCH_NS = 1_795_230_000_000_000_000  # 2026-11-21T03:00:00Z
WARP = ("asyncio", {"loop_factory": WarpLoop})  # the `anyio_backend` these need


@dataclass
class EmulatedAws:
    """An embedded endpoint whose time runs, its clients, and what `discover` found of it.

    Attributes:
        by: The hot calls go through the `sdk`, over the `wire`, or over the wire without a task (`prompt`).
    """

    emulator: Emulator
    clients: AwsClients
    wire: WireClients
    target: TargetFound
    clock: LoopClock
    by: str

    def transport(self, endpoint: str = ENDPOINT) -> SdkTransport | WireTransport:
        if self.by == "wire":
            return WireTransport(self.wire.runtime, endpoint)
        return SdkTransport(self.clients.runtime, endpoint)

    def synchronous(self, endpoint: str = ENDPOINT) -> SdkSyncTransport | WireSyncTransport | Promptly[Answered]:
        if self.by == "sdk":
            return SdkSyncTransport(self.clients.runtime, endpoint)
        wire = WireSyncTransport(self.wire.runtime, endpoint)
        return Promptly(wire) if self.by == "prompt" else wire

    def streaming(self, endpoint: str = ENDPOINT) -> SdkStreamTransport | WireStreamTransport | Promptly[Answered]:
        if self.by == "sdk":
            return SdkStreamTransport(self.clients.runtime, endpoint, self.clock.now_ns, self.clients.settings.answer_s)
        wire = WireStreamTransport(self.wire.runtime, endpoint, self.clock.now_ns)
        return Promptly(wire) if self.by == "prompt" else wire

    def notices(self, url: str, *, run_prefix: str = "") -> Notices:
        if self.by == "wire":
            return WireNotices(self.wire.sqs, url, run_prefix=run_prefix)
        return SqsNotices(self.clients.sqs, url, run_prefix=run_prefix)

    @property
    def store(self) -> Any:
        return self.wire.s3 if self.by == "wire" else self.clients.s3

    def outputs(self) -> S3Outputs:
        return S3Outputs(self.store)


@asynccontextmanager
async def emulated_aws(
    emulated: Mapping[str, Any] | None = None,
    *,
    kind: str = "async",
    in_flight: int = 50,
    by: str = "sdk",
    answer_s: float = 70,
    silence_s: float | None = None,
) -> AsyncIterator[EmulatedAws]:
    """The embedded endpoint of a scenario with these settings, in its first second; it checks every signature."""
    settings = {"instances": {"min": 1}, "service": "1s"} | dict(emulated or {})
    scenario = Scenario.model_validate(
        {"name": "contract", "target": {"kind": kind, "emulated": settings}, "load": [{"burst": {"requests": 1}}]}
    )
    emulator = Emulator(scenario, None, EPOCH_NS, verify_signatures=True)
    url = await emulator.start()
    try:
        access = AwsSettings(
            endpoint_url=url, emulated=True, in_flight=in_flight, answer_s=answer_s, silence_s=silence_s
        )
        async with AwsClients(access) as clients, wire_clients(clients) as wire:
            target = await discover(clients, ENDPOINT, kind=kind)
            clock = LoopClock(EPOCH_NS)
            emulator.go(clock)
            yield EmulatedAws(emulator, clients, wire, target, clock, by)
    finally:
        await emulator.stop()
