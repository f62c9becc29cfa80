"""The emulator and every AWS client of ours on one loop in virtual time: real HTTP, no waiting."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from smbench.aws.clients import AwsClients, AwsSettings
from smbench.aws.target import TargetFound, discover
from smbench.clock import LoopClock, WarpLoop
from smbench.emulator.server import Emulator
from smbench.scenario.model import Scenario

ENDPOINT = "smbench-emulated"
EPOCH_NS = 1_795_230_000_000_000_000  # 2026-11-21T03:00:00Z
WARP = ("asyncio", {"loop_factory": WarpLoop})  # the `anyio_backend` these need


@dataclass
class EmulatedAws:
    """An embedded endpoint whose time runs, its clients, and what `discover` found of it."""

    emulator: Emulator
    clients: AwsClients
    target: TargetFound
    clock: LoopClock


@asynccontextmanager
async def emulated_aws(emulated: Mapping[str, Any] | None = None, *, in_flight: int = 50) -> AsyncIterator[EmulatedAws]:
    """The embedded endpoint of a scenario with these settings, in its first second."""
    settings = {"instances": {"min": 1}, "service": "1s"} | dict(emulated or {})
    scenario = Scenario.model_validate(
        {"name": "contract", "target": {"emulated": settings}, "load": [{"burst": {"requests": 1}}]}
    )
    emulator = Emulator(scenario, None, EPOCH_NS)
    url = await emulator.start()
    try:
        async with AwsClients(AwsSettings(endpoint_url=url, emulated=True, in_flight=in_flight)) as clients:
            target = await discover(clients, ENDPOINT)
            clock = LoopClock(EPOCH_NS)
            emulator.go(clock)
            yield EmulatedAws(emulator, clients, target, clock)
    finally:
        await emulator.stop()
