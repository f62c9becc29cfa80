"""S3, SQS, SNS and STS served over real HTTP on loopback, and clients that check every reply against AWS's shapes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from anyio.abc import SocketStream
from botocore.loaders import Loader
from botocore.validate import ParamValidator

from smbench.clock import LoopClock
from smbench.emulator.driver import Driver
from smbench.emulator.messaging.sns import Sns
from smbench.emulator.messaging.sqs import Sqs
from smbench.emulator.protocol.front import Front
from smbench.emulator.protocol.http import HttpServer
from smbench.emulator.s3.service import S3
from smbench.emulator.site import Site
from smbench.emulator.sts import Sts
from smbench.model.event_queue import EventQueue

EPOCH_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
CONFIG = AioConfig(
    retries={"total_max_attempts": 1},
    proxies={},
    s3={"addressing_style": "path"},
    connect_timeout=3600,
    read_timeout=3600,
)

_LOADER = Loader()  # shared: reading the models again for each client is most of a test's time
# SQS as clients of before late 2023 know it: forms and XML.
_OLD_LOADER = Loader(extra_search_paths=[str(Path(__file__).parents[1] / "data" / "botocore-1.29.70")])


def isolate_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting of the machine reach the SDK."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def aws_client(
    service: str,
    url: str,
    key: str = "AKIDEXAMPLE",
    secret: str = "secret",
    *,
    token: str | None = None,
    is_old: bool = False,
) -> AsyncIterator[Any]:
    """An aiobotocore client that raises when a parsed reply breaks the operation's output shape.

    Args:
        token: Of temporary credentials.
        is_old: With the service models of early 2023, where there are any in `tests/data`.
    """
    session: Any = AioSession()
    session.register_component("data_loader", _OLD_LOADER if is_old else _LOADER)
    async with session.create_client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=CONFIG,
    ) as client:
        client.meta.events.register("after-call.*", check_reply)
        yield client


def check_reply(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    """Validate a parsed reply as botocore validates parameters."""
    if parsed["ResponseMetadata"]["HTTPStatusCode"] >= 300 or model.output_shape is None:
        return
    members = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    if model.service_model.metadata["protocol"] == "query":  # an empty flattened list leaves no trace in XML
        shapes = model.output_shape.members
        flat = [name for name, shape in shapes.items() if shape.serialization.get("flattened")]
        members = {name: [] for name in flat if shapes[name].type_name == "list"} | members
    report = ParamValidator().validate(members, model.output_shape)
    assert not report.has_errors(), f"{model.name}: {report.generate_report()}"


def check_stamps(parsed: dict[str, Any], **_: Any) -> None:
    """Every reply of ours, errors too, has an id that its SDK finds, and a date."""
    metadata = parsed["ResponseMetadata"]
    assert metadata["RequestId"]
    assert metadata["HTTPHeaders"]["date"]


@dataclass
class PlainServices:
    """One emulator without SageMaker: its parts, and its clients."""

    site: Site
    driver: Driver
    server: HttpServer
    front: Front
    sqs: Sqs
    sns: Sns
    s3: S3
    stack: AsyncExitStack

    async def client(self, service: str, *, is_old: bool = False) -> Any:
        client = await self.stack.enter_async_context(aws_client(service, self.site.url, is_old=is_old))
        client.meta.events.register("after-call.*", check_stamps)
        return client


@asynccontextmanager
async def serving(*, redelivered: float = 0.0, seed: int = 0, skew_ns: int = 0) -> AsyncIterator[PlainServices]:
    """Serve on a free port, with the loop's own time from 2026-01-01 on."""
    site = Site(EventQueue(), EPOCH_NS, skew_ns=skew_ns)
    driver, server = Driver(site.event_queue), HttpServer()
    front = Front(site, driver)
    sqs = Sqs(site, redelivered=redelivered, seed=seed)
    sns, s3 = Sns(site, sqs), S3(site)
    for service in (sqs, sns, s3, Sts(site)):
        front.add(service)
    await server.start(front.answer)
    site.url = f"http://127.0.0.1:{server.port}"
    driver.go(LoopClock(EPOCH_NS))
    try:
        async with AsyncExitStack() as stack:
            yield PlainServices(site, driver, server, front, sqs, sns, s3, stack)
    finally:
        driver.stop()
        await server.stop()


@dataclass
class Answer:
    """A reply as its bytes say."""

    status: int
    headers: dict[str, str]
    body: bytes


async def talk(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes on a new connection; everything that comes back until the server closes."""
    stream = await anyio.connect_tcp("127.0.0.1", port)
    async with stream:
        if data:
            await stream.send(data)
        if half_close:
            await stream.send_eof()
        return await rest_of(stream)


async def rest_of(stream: SocketStream) -> bytes:
    """Everything that comes until the other side closes or resets."""
    chunks = []
    try:
        while True:
            chunks.append(await stream.receive())
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return b"".join(chunks)


def answers(data: bytes) -> list[Answer]:
    """The replies in a stream of bytes, each with its Content-Length."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size_bytes = int(headers.get("content-length", "0"))
        found.append(Answer(int(status_line.split()[1]), headers, data[:size_bytes]))
        data = data[size_bytes:]
    return found
