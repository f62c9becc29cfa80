"""A whole emulator to test against, on the test's own time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from plain_services import aws_client
from smbench.clock import LoopClock
from smbench.emulator.server import Emulator
from smbench.scenario.model import Scenario

EPOCH_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC: a whole minute
REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/sagemaker"


def scenario(emulated: Mapping[str, Any] | None = None, **more: Any) -> Scenario:
    """A scenario whose endpoint is this; its load does not matter here."""
    document = {
        "name": "test",
        "target": {"emulated": dict(emulated or {})},
        "load": [{"constant": {"rate": "1/s", "for": "1s"}}],
    }
    return Scenario.model_validate(document | more)


FAST = {
    "instances": {"min": 0, "max": 4, "start": 1},
    "service": "1s",
    "provision": "60s",
    "remove": "30s",
    "notify_lag": "100ms",
    "metric_delay": "0s",
    "open_questions": {"alarm_phase": "0s"},
}


@asynccontextmanager
async def emulating(of: Scenario | None = None, base_dir: Path | None = None) -> AsyncIterator[Emulator]:
    """A running emulator whose time is the loop's: virtual on a WarpLoop."""
    emulator = Emulator(of, base_dir, EPOCH_NS)
    await emulator.start()
    emulator.go(LoopClock(EPOCH_NS))
    try:
        yield emulator
    finally:
        await emulator.stop()


def client(emulator: Emulator, service: str) -> AbstractAsyncContextManager[Any]:
    """An aiobotocore client of one service; a reply that breaks its shape fails the test."""
    return aws_client(service, emulator.url)


async def clients(stack: AsyncExitStack, emulator: Emulator, *services: str) -> list[Any]:
    """Clients of several services, closed with the stack."""
    return [await stack.enter_async_context(client(emulator, service)) for service in services]


async def advance(emulator: Emulator, seconds: float) -> None:
    """Let scenario time pass."""
    clock = emulator.driver.clock
    assert clock is not None, "it was told to go"
    await clock.sleep_until_ns(clock.now_ns() + round(seconds * 1e9))


def body_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """What SageMaker said, out of SQS's message and SNS's envelope."""
    envelope = orjson.loads(message["Body"])
    result: dict[str, Any] = orjson.loads(envelope["Message"])
    return result
