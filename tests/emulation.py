"""An emulator to test against, and clients that check every reply against the service's own output shapes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from smbench.clock import LoopClock
from smbench.emulator.server import Emulator
from smbench.scenario.model import Scenario

# One session for all tests: it keeps the service models it has read. Its stubs have an overload for each service,
# and `client` takes any of them.
_SESSION: Any = get_session()
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


@asynccontextmanager
async def client(emulator: Emulator, service: str) -> AsyncIterator[Any]:
    """An aiobotocore client of one service; a reply that breaks its shape fails the test."""
    async with _SESSION.create_client(
        service,
        region_name=REGION,
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=AioConfig(retries={"total_max_attempts": 1}, proxies={}, read_timeout=600, connect_timeout=600),
    ) as made:
        made.meta.events.register("after-call", check_shape)
        yield made


async def clients(stack: AsyncExitStack, emulator: Emulator, *services: str) -> list[Any]:
    """Clients of several services, closed with the stack."""
    return [await stack.enter_async_context(client(emulator, service)) for service in services]


def check_shape(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """botocore's own validator on what botocore parsed, and no member that the shape does not know."""
    shape = model.output_shape
    if shape is None or "Error" in parsed:
        return
    body = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
    if shape.serialization.get("payload"):
        return
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), f"{model.name}: {report.generate_report()}"


async def advance(emulator: Emulator, seconds: float) -> None:
    """Let scenario time pass."""
    clock = emulator.pump.clock
    assert clock is not None, "it was told to go"
    await clock.sleep_until_ns(clock.now_ns() + round(seconds * 1e9))


def body_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """What SageMaker said, out of SQS's message and SNS's envelope."""
    envelope = orjson.loads(message["Body"])
    result: dict[str, Any] = orjson.loads(envelope["Message"])
    return result
