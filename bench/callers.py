"""One client at work in a process of its own: 64 callers share so many calls; CPU and time of those, without the start.

Started by `clients.py`, which hands over an Order as JSON and reads a Measured or a problem from stdout. The process's
CPU counts as a whole, threads included, from the end of the warm-up to the last answer.
"""

import json
import resource
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass

import aiohttp
import anyio
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from origin import ENDPOINT, INPUT_LOCATION, INVOKE_PATH, QUEUE_PATH
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.invoke_sync import SdkSyncTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.wire_clients import wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_invoke_sync import WireSyncTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.ports import Notices
from smbench.processes.worker import freeze_collections
from smbench.records import Accepted, Answer, Invocation, Outcome, Rejected, Unacknowledged, Unreadable

CALLERS = 64
AT_ONCE = "wire, at once"
REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # AWS's own examples
_BODY = b'{"data":"%b"}' % (b"a" * 1013)  # of a synchronous call: 1,024 bytes
_WARM_UP_SHARE = 10  # of the calls: one in so many again, before

# What one call does, given its number; it tells how many units of work that was: invocations, or notices.
Call = Callable[[int], Awaitable[int]]


class WrongAnswerError(Exception):
    """An answer that a real call would not have; what was measured would be something else."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do. `loop` is None for a client that has none; `ca_file` vouches for an https `url`."""

    job: str
    client: str
    loop: str | None
    url: str
    ca_file: str
    n_calls: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What it took."""

    n_units: int
    cpu_s: float
    wall_s: float

    @property
    def cpu_us(self) -> float:
        """Of a unit."""
        return self.cpu_s / self.n_units * 1e6

    @property
    def rate_hz(self) -> float:
        return self.n_units / self.wall_s


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    try:
        print(json.dumps(asdict(_measured(order))))
    except* (WrongAnswerError, Rejected, Unacknowledged) as errors:
        print(json.dumps({"problem": _first(errors)}))


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _measured(order: Order) -> Measured:
    if order.loop is None:
        return _in_threads(order)
    return anyio.run(_on_loop, order, backend_options={"use_uvloop": order.loop == "uvloop"})


async def _on_loop(order: Order) -> Measured:
    if order.client == AT_ONCE:
        return await _at_once(order)
    async with CLIENTS[order.job, order.client](order) as call:
        await _drive(call, order.n_calls // _WARM_UP_SHARE)
        freeze_collections()  # as a run's worker does: what was imported is not collected again and again
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        n_units = await _drive(call, order.n_calls)
        return Measured(n_units, _cpu_s() - cpu_s, time.perf_counter() - wall_s)


async def _at_once(order: Order) -> Measured:
    """The wire as a run's engine uses it: no task a call, the next one begins in the answer of the one before."""
    async with _aws_clients(order) as clients, wire_clients(clients) as wire:
        transport = WireTransport(wire.runtime, ENDPOINT)
        await _drive(_submitting(transport), order.n_calls // _WARM_UP_SHARE)
        freeze_collections()
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        await _Chains(transport, order.n_calls).run()
        return Measured(order.n_calls, _cpu_s() - cpu_s, time.perf_counter() - wall_s)


class _Chains:
    """As many chains of calls as there are callers; they share the calls."""

    def __init__(self, transport: WireTransport, n_calls: int) -> None:
        self.numbers = iter(range(n_calls))
        self.n_open, self.over = CALLERS, anyio.Event()
        self.submit_now = transport.promptly(_invocation, self._ended)
        self.wrong: Exception | None = None

    async def run(self) -> None:
        for _ in range(CALLERS):
            self._next()
        await self.over.wait()
        if self.wrong is not None:
            raise self.wrong

    def _next(self) -> None:
        number = next(self.numbers, None)
        if number is None or self.wrong is not None:
            self.n_open -= 1
            if not self.n_open:
                self.over.set()
            return
        if not self.submit_now(number):
            raise WrongAnswerError("no connection was idle")

    def _ended(self, _number: int, answer: Answer) -> None:
        wrong: Exception | None = answer if isinstance(answer, Exception) else None
        if isinstance(answer, Accepted):
            try:
                _check(answer.status_code, answer.output_location)
            except WrongAnswerError as error:
                wrong = error
        if wrong is None:
            self._next()
        else:
            self.wrong = wrong
            self.over.set()


async def _drive(call: Call, n_calls: int) -> int:
    numbers, n_units = iter(range(n_calls)), 0

    async def caller() -> None:
        nonlocal n_units
        for number in numbers:
            done = await call(number)  # not in one line: that reads n_units before the others have added to it
            n_units += done

    async with anyio.create_task_group() as group:
        for _ in range(CALLERS):
            group.start_soon(caller)
    return n_units


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# boto3: the same calls from threads


def _in_threads(order: Order) -> Measured:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=CALLERS)
    client = boto3.client("sagemaker-runtime", endpoint_url=order.url, config=config)

    def caller(n_calls: int) -> None:
        for number in range(n_calls):
            answer = client.invoke_endpoint_async(
                EndpointName=ENDPOINT,
                InferenceId=_inference_id(number),
                InputLocation=INPUT_LOCATION,
                ContentType="application/json",
            )
            _check(answer["ResponseMetadata"]["HTTPStatusCode"], answer["OutputLocation"])

    each = order.n_calls // CALLERS
    with ThreadPoolExecutor(CALLERS) as threads:
        list(threads.map(caller, [each // _WARM_UP_SHARE + 1] * CALLERS))
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        list(threads.map(caller, [each] * CALLERS))
        return Measured(each * CALLERS, _cpu_s() - cpu_s, time.perf_counter() - wall_s)


# aiohttp, signed by botocore: what one writes who has no need of the rest of the SDK


@asynccontextmanager
async def _aiohttp(order: Order) -> AsyncIterator[Call]:
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "sagemaker", REGION)
    url = order.url + INVOKE_PATH
    context = ssl.create_default_context(cafile=order.ca_file)
    connector = aiohttp.TCPConnector(limit=CALLERS, ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call(number: int) -> int:
            request = AWSRequest(
                "POST",
                url,
                headers={
                    "X-Amzn-SageMaker-Inference-Id": _inference_id(number),
                    "X-Amzn-SageMaker-InputLocation": INPUT_LOCATION,
                    "X-Amzn-SageMaker-Content-Type": "application/json",
                },
                data=b"",
            )
            signer.add_auth(request)
            async with session.post(url, headers=dict(request.headers), data=b"") as answer:
                body = await answer.json()
            _check(answer.status, answer.headers.get("x-amzn-sagemaker-outputlocation"))
            if body["InferenceId"] != _inference_id(number):
                raise WrongAnswerError(f"another request's answer: {body}")
            return 1

        yield call


# smbench's own two, through the ports that a run uses


def _aws_clients(order: Order) -> AwsClients:
    """With credentials and certificate from the environment, as against AWS, and not as against the emulator."""
    return AwsClients(AwsSettings(endpoint_url=order.url, in_flight=CALLERS))


@asynccontextmanager
async def _sdk_transport(order: Order) -> AsyncIterator[Call]:
    async with _aws_clients(order) as clients:
        yield _submitting(SdkTransport(clients.runtime, ENDPOINT))


@asynccontextmanager
async def _sdk_answers(order: Order) -> AsyncIterator[Call]:
    async with _aws_clients(order) as clients:
        yield _calling(SdkSyncTransport(clients.runtime, ENDPOINT))


@asynccontextmanager
async def _wire_answers(order: Order) -> AsyncIterator[Call]:
    async with _aws_clients(order) as clients, wire_clients(clients) as wire:
        yield _calling(WireSyncTransport(wire.runtime, ENDPOINT))


@asynccontextmanager
async def _sdk_notices(order: Order) -> AsyncIterator[Call]:
    async with _aws_clients(order) as clients:
        yield _draining(SqsNotices(clients.sqs, order.url + QUEUE_PATH))


@asynccontextmanager
async def _wire_transport(order: Order) -> AsyncIterator[Call]:
    async with _aws_clients(order) as clients, wire_clients(clients) as wire:
        yield _submitting(WireTransport(wire.runtime, ENDPOINT))


@asynccontextmanager
async def _wire_notices(order: Order) -> AsyncIterator[Call]:
    async with _aws_clients(order) as clients, wire_clients(clients) as wire:
        yield _draining(WireNotices(wire.sqs, order.url + QUEUE_PATH))


def _submitting(transport: SdkTransport | WireTransport) -> Call:
    async def call(number: int) -> int:
        accepted = await transport.submit(_invocation(number))
        _check(accepted.status_code, accepted.output_location)
        return 1

    return call


def _calling(transport: SdkSyncTransport | WireSyncTransport) -> Call:
    async def call(number: int) -> int:
        invocation = Invocation(number, _inference_id(number), body=_BODY, content_type="application/json")
        answer = await transport.submit(invocation)
        if (answer.outcome, answer.status_code) != (Outcome.COMPLETED, 200) or not answer.size_bytes:
            raise WrongAnswerError(f"{answer}")
        return 1

    return call


def _draining(notices: Notices) -> Call:
    async def call(_number: int) -> int:
        deliveries = await notices.receive()
        for delivery in deliveries:
            if isinstance(delivery.content, Unreadable):
                raise WrongAnswerError(f"a notice that could not be read: {delivery.content}")
        failed = await notices.delete([delivery.receipt for delivery in deliveries])
        if failed or not deliveries:
            raise WrongAnswerError(f"received {len(deliveries)}, not deleted {len(failed)}")
        return len(deliveries)

    return call


def _invocation(number: int) -> Invocation:
    return Invocation(number, _inference_id(number), input_location=INPUT_LOCATION, content_type="application/json")


def _inference_id(number: int) -> str:
    return f"smb-bench-0-{number}"


def _check(status_code: int, output_location: str | None) -> None:
    if status_code != 202 or not (output_location or "").startswith("s3://"):
        raise WrongAnswerError(f"{status_code}, output at {output_location}")


CLIENTS: Mapping[tuple[str, str], Callable[[Order], AbstractAsyncContextManager[Call]]] = {
    ("invoke", "aiohttp + SigV4Auth"): _aiohttp,
    ("invoke", "aiobotocore"): _sdk_transport,
    ("invoke", "wire"): _wire_transport,
    ("answers", "aiobotocore"): _sdk_answers,
    ("answers", "wire"): _wire_answers,
    ("notices", "aiobotocore"): _sdk_notices,
    ("notices", "wire"): _wire_notices,
}

if __name__ == "__main__":
    main()
