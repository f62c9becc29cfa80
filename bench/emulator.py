"""What the emulator's process spends on the calls of an inference's life: CPU a call, in a process of its own.

Requests are made before the clock starts and go through raw sockets, so the client costs the emulator nothing but
their bytes. Their signatures have the right length and no worth: the emulator looks at them only when told to.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import anyio
import orjson

from machine import host
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import discover
from smbench.aws.setup.run_queue import run_queue
from smbench.clock import wall_ns
from smbench.model.world import EMBEDDED
from smbench.processes.child import Child, emulator_main, start_child
from smbench.processes.messages import Go, Ready, Workplace
from smbench.scenario.model import Scenario

CONNECTIONS = 16
BATCH = 10
BUCKET = "smbench-emulated"
INPUT_KEY = f"smbench/inputs/json/{'0' * 64}.json"
SETTLING_S = 0.5  # after the last invocation was taken: its service and its message's way are over
SCENARIO = {
    "name": "emulator",
    "target": {
        "emulated": {
            "instances": {"min": 50, "max": 50, "concurrency": 20},
            "service": "100ms",
            "notify_lag": "50ms",
            "time": "real",
        }
    },
    "load": [{"constant": {"rate": "1/s", "for": "1s"}}],
}
RUN_ID = "smb-bench"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--invocations", type=int, default=2500, metavar="N", help="in each repeat")
    given = options.parse_args()
    print(host())
    scenario = Scenario.model_validate(SCENARIO)
    epoch_ns = wall_ns()
    workplace = Workplace(Path.cwd(), Path.cwd())
    child = start_child("emulator", emulator_main, scenario.model_dump_json(by_alias=True), workplace, epoch_ns)
    try:
        repeats = anyio.run(measure, child, epoch_ns, given.repeats, given.invocations)
    finally:
        child.leave()
    report(repeats)


async def measure(child: Child, epoch_ns: int, n_repeats: int, n_invocations: int) -> list[dict[str, float]]:
    """CPU microseconds a call, by its name, once for each repeat."""
    ready = await child.receive()
    assert isinstance(ready, Ready), ready
    assert isinstance(child.process, BaseProcess)
    assert child.process.pid is not None
    child.tell(Go(wall_ns(), epoch_ns, 1.0))
    async with AwsClients(AwsSettings(endpoint_url=ready.url, emulated=True)) as clients:
        target = await discover(clients, EMBEDDED)
        async with run_queue(clients, target, run_id=RUN_ID, worker=0) as queue, blasting(ready.url) as blast:
            meter = Meter(child.process.pid, blast)
            await blast.send([put(INPUT_KEY)])
            return [await repeat(meter, number, n_invocations, queue.url) for number in range(n_repeats)]


async def repeat(meter: "Meter", number: int, n: int, queue_url: str) -> dict[str, float]:
    """A repeat's invocations, their messages received and deleted, and some objects."""
    ids = [f"{RUN_ID}-0-{number * n + index:08d}" for index in range(n)]
    keys = [f"bench/{number}/{index}" for index in range(n // 5)]
    found = {}
    found["InvokeEndpointAsync and its end"], _ = await meter.cost_us([invoke(name) for name in ids], SETTLING_S)
    found["ReceiveMessage of ten"], replies = await meter.cost_us([receive(queue_url)] * (n // BATCH))
    receipts = [[message["ReceiptHandle"] for message in orjson.loads(reply)["Messages"]] for reply in replies]
    assert sum(map(len, receipts)) == n, f"{n} invocations, {sum(map(len, receipts))} messages"
    found["DeleteMessageBatch of ten"], _ = await meter.cost_us([delete(queue_url, batch) for batch in receipts])
    found["PutObject of 1 KB"], _ = await meter.cost_us([put(key) for key in keys])
    found["HeadObject"], _ = await meter.cost_us([head(key) for key in keys])
    return found


def report(repeats: Sequence[dict[str, float]]) -> None:
    print(f"{'CPU of the emulator, us a call':<34}{'median':>8}{'least':>8}{'most':>8}")
    rows = {name: [repeat[name] for repeat in repeats] for name in repeats[0]}
    invoked, received, deleted = (rows[name] for name in list(rows)[:3])
    rows["a whole inference"] = [
        one + (two + three) / BATCH for one, two, three in zip(invoked, received, deleted, strict=True)
    ]
    for name, costs_us in rows.items():
        print(f"{name:<34}{median(costs_us):>8.1f}{min(costs_us):>8.1f}{max(costs_us):>8.1f}")


class Meter:
    """Sends requests, and reads what they cost another process."""

    def __init__(self, pid: int | None, blast: "Blast") -> None:
        assert pid is not None, "it was started"
        self._cpu_clock = (~pid << 3) | 2  # Linux's clock of a process's CPU (man 3 clock_getcpuclockid)
        self._blast = blast

    async def cost_us(self, requests: Sequence[bytes], settling_s: float = 0.0) -> tuple[float, list[bytes]]:
        """CPU microseconds a request, what it sets off within `settling_s` counted in, and the replies' bodies."""
        before_ns = time.clock_gettime_ns(self._cpu_clock)
        replies = await self._blast.send(requests)
        await anyio.sleep(settling_s)
        return (time.clock_gettime_ns(self._cpu_clock) - before_ns) / len(requests) / 1e3, replies


class Blast:
    """Some connections that share a pile of requests; each sends the next as soon as it has its answer."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []

    async def send(self, requests: Sequence[bytes]) -> list[bytes]:
        """The bodies of the replies, in the order in which they came."""
        pile, replies = iter(requests), list[bytes]()
        async with anyio.create_task_group() as group:
            for connection in self.connections:
                group.start_soon(connection.work, pile, replies)
        return replies


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    async def work(self, pile: Iterator[bytes], replies: list[bytes]) -> None:
        self._pile, self._replies = pile, replies
        self._idle = asyncio.get_running_loop().create_future()
        self._next()
        await self._idle

    def _next(self) -> None:
        request = next(self._pile, None)
        if request is None:
            self._idle.set_result(None)
            return
        self._is_head = request.startswith(b"HEAD")
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        start, end, body = self._received.partition(b"\r\n\r\n")
        if not end or (not self._is_head and len(body) < body_bytes(start)):
            return
        assert start.startswith(b"HTTP/1.1 20"), start
        self._replies.append(body)
        self._received = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._idle.done():
            self._idle.set_exception(exc or ConnectionResetError())


def body_bytes(head: bytes) -> int:
    _, _, length = head.lower().partition(b"content-length: ")
    return int(length.partition(b"\r\n")[0] or 0)


@asynccontextmanager
async def blasting(url: str) -> AsyncIterator[Blast]:
    blast, address = Blast(), urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    for _ in range(CONNECTIONS):
        _, connection = await asyncio.get_running_loop().create_connection(Connection, address.hostname, address.port)
        blast.connections.append(connection)
    yield blast


# the requests


def invoke(inference_id: str) -> bytes:
    headers = {
        "X-Amzn-SageMaker-Content-Type": "application/json",
        "X-Amzn-SageMaker-InputLocation": f"s3://{BUCKET}/{INPUT_KEY}",
        "X-Amzn-SageMaker-Inference-Id": inference_id,
    }
    return request("POST", f"/endpoints/{EMBEDDED}/async-invocations", "sagemaker", headers)


def receive(queue_url: str) -> bytes:
    asked = ["SentTimestamp"]
    return sqs(
        "ReceiveMessage",
        {
            "QueueUrl": queue_url,
            "MaxNumberOfMessages": BATCH,
            "WaitTimeSeconds": 20,
            "MessageSystemAttributeNames": asked,
        },
    )


def delete(queue_url: str, receipts: Sequence[str]) -> bytes:
    entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)]
    return sqs("DeleteMessageBatch", {"QueueUrl": queue_url, "Entries": entries})


def sqs(operation: str, parameters: dict[str, object]) -> bytes:
    headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    return request("POST", "/", "sqs", headers, orjson.dumps(parameters))


def put(key: str) -> bytes:
    return request("PUT", f"/{BUCKET}/{key}", "s3", {"Content-Type": "application/json"}, bytes(1024))


def head(key: str) -> bytes:
    return request("HEAD", f"/{BUCKET}/{key}", "s3", {})


def request(method: str, path: str, service: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    scope = f"smbench/20261121/us-east-1/{service}/aws4_request"
    signed = {
        "Host": "127.0.0.1:8000",
        **headers,
        "X-Amz-Date": "20261121T090000Z",
        "X-Amz-Content-SHA256": "0" * 64,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
        "Content-Length": str(len(body)),
    }
    return (
        "".join([f"{method} {path} HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in signed.items()), "\r\n"]).encode()
        + body
    )


if __name__ == "__main__":
    main()
