"""Goal: a wrong clock costs one refusal, credentials stay fresh, and no secret is written anywhere.

Method: the emulator's own check of signatures behind a server whose clock is off; credentials that change when asked.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import aiohttp
import anyio
import pytest
from botocore.exceptions import CredentialRetrievalError

import smbench.aws.transport.wire_service
from emulated_aws import WARP
from fake_aws import FakeAws, json_answer
from raw_server import RawServer, Visitor
from smbench.aws.access.credentials import SessionCredentials
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_service import ServiceClock, WireService
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.signatures import Signatures
from smbench.records import Invocation, Rejected
from smbench.wire.origin import Origin
from smbench.wire.pool import Pool, PoolStatistics
from smbench.wire.sigv4 import Credentials, Signer

NOW_S = 1_795_251_600  # 2026-11-21T09:00:00Z
SECRET, TOKEN = "not-to-be-seen-secret", "not-to-be-seen-token"
PLAIN = Credentials("AKIAPLAIN", SECRET)
OLD, NEW = Credentials("AKIAOLD", SECRET, TOKEN), Credentials("AKIANEW", SECRET, TOKEN)


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smbench.aws.transport.wire_service, "wall_ns", lambda: NOW_S * 10**9)
    monkeypatch.setattr(smbench.aws.transport.wire_service, "real_ns", lambda: 7)


def runtime(pool: Pool, credentials: Any = lambda: OLD) -> WireService:
    signer = Signer("us-east-1", "sagemaker")
    return WireService(pool, signer, credentials, clock=ServiceClock(), protocol="rest-json", user_agent="test")


def at(offset_s: int) -> Any:
    """A service whose clock is this far from ours, and which verifies what it gets by that clock."""
    now_s = NOW_S + offset_s
    signatures = Signatures("us-east-1", PLAIN, lambda: now_s * 10**9)

    def answer(request: HttpRequest) -> HttpResponse:
        date = ("date", formatdate(now_s, usegmt=True))
        try:
            signatures.check(request, "sagemaker")
        except ServiceError as error:
            return HttpResponse(403, [date, ("x-amzn-errortype", error.code)], b"{}")
        return HttpResponse(202, [date], b"{}")

    return answer


REQUEST = Invocation(1, "run-0-1", body=b"x")


def late(visitor: Visitor, request: bytes) -> None:
    del request
    asyncio.get_running_loop().call_later(7, visitor.say, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def test_a_request_is_made_when_its_connection_is_in_hand_and_not_before() -> None:
    async with RawServer(late) as server, Pool(Origin.of(server.url), limit=1) as pool:
        made_s: list[float] = []

        def make() -> bytes:
            made_s.append(anyio.current_time())
            return b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

        begin_s = anyio.current_time()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(runtime(pool).answer_to, make)
        assert [at_s - begin_s for at_s in made_s] == pytest.approx([0, 7, 14])


async def test_what_cannot_be_made_is_sent_to_nobody_and_leaves_the_connection_to_the_next() -> None:
    def wrong() -> bytes:
        raise UnicodeEncodeError("latin-1", "\u20ac", 0, 1, "no")

    async with FakeAws(at(0)) as aws, Pool(Origin.of(aws.url), limit=1) as pool:
        service = runtime(pool, lambda: PLAIN)
        await WireTransport(service, "ep").submit(REQUEST)
        with pytest.raises(UnicodeEncodeError):
            await service.answer_to(wrong)
        with pytest.raises(UnicodeEncodeError):
            service.begin(lambda _of: wrong(), lambda _of, _outcome: None, None)
        assert pool.statistics() == PoolStatistics(n_open=1, n_idle=1, n_waiting=0, n_opened=1)
        assert len(aws.requests) == 1


@pytest.mark.parametrize("offset_s", [3600, -3600, 86_400])
async def test_a_clock_that_is_far_off_costs_one_rejection(offset_s: int) -> None:
    async with FakeAws(at(offset_s)) as aws, Pool(Origin.of(aws.url), limit=1) as pool:
        transport = WireTransport(runtime(pool, lambda: PLAIN), "ep")
        with pytest.raises(Rejected) as refusal:
            await transport.submit(REQUEST)
        assert refusal.value.code == "InvalidSignatureException"
        for _ in range(3):
            assert (await transport.submit(REQUEST)).status_code == 202


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_step_of_the_wall_clock_amid_a_run_does_not_move_the_time_of_signatures(
    monkeypatch: pytest.MonkeyPatch, step_s: int
) -> None:
    clock = ServiceClock()
    assert clock.stamp() == "20261121T090000Z"
    monkeypatch.setattr(smbench.aws.transport.wire_service, "wall_ns", lambda: (NOW_S + step_s) * 10**9)
    monkeypatch.setattr(smbench.aws.transport.wire_service, "real_ns", lambda: 7 + 90 * 10**9)
    assert clock.stamp() == "20261121T090130Z"
    clock.learn(formatdate(NOW_S + 90 + 1000, usegmt=True))
    assert clock.stamp() == "20261121T091810Z", "what a service teaches is by the same clock"


@pytest.mark.parametrize("date", [None, "", "yesterday", formatdate(NOW_S + 200, usegmt=True)])
def test_a_date_that_says_nothing_moves_no_clock(date: str | None) -> None:
    clock = ServiceClock()
    clock.learn(date)
    assert clock.offset_s == 0
    assert clock.stamp() == "20261121T090000Z"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
async def test_any_other_refusal_moves_no_clock(code: str) -> None:
    refused = HttpResponse(400, [("date", formatdate(0, usegmt=True)), ("x-amzn-errortype", code)], b"{}")
    async with FakeAws(lambda _: refused) as aws, Pool(Origin.of(aws.url), limit=1) as pool:
        service = runtime(pool)
        with pytest.raises(Rejected):
            await WireTransport(service, "ep").submit(REQUEST)
        assert service.clock.offset_s == 0


class Source:
    """A session whose credentials are what `now` says, or fail."""

    def __init__(self, now: Credentials | Exception) -> None:
        self.now = now

    async def get_frozen_credentials(self) -> Any:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


async def test_what_is_renewed_in_the_run_signs_the_next_request() -> None:
    source = Source(OLD)
    credentials = SessionCredentials(source, OLD)
    async with (
        FakeAws(lambda _: json_answer({}, 202)) as aws,
        Pool(Origin.of(aws.url), limit=1) as pool,
        anyio.create_task_group() as around,
    ):
        around.start_soon(credentials.keep_fresh)
        transport = WireTransport(runtime(pool, credentials.current), "ep")
        await transport.submit(REQUEST)
        for source.now in (
            CredentialRetrievalError(provider="sso", error_msg="no network"),
            json.JSONDecodeError("what a credential process printed", "", 0),
            aiohttp.ServerDisconnectedError(),
        ):
            await anyio.sleep(31)
        await transport.submit(REQUEST)  # a renewal that fails keeps what there was
        source.now = NEW
        await anyio.sleep(31)
        await transport.submit(REQUEST)
        around.cancel_scope.cancel()
    keys = [request.headers["authorization"].partition("Credential=")[2][:7] for request in aws.requests]
    assert keys == ["AKIAOLD", "AKIAOLD", "AKIANEW"]


@contextmanager
def free_of_secrets() -> Iterator[list[str]]:
    """Texts put into the list hold no secret."""
    texts: list[str] = []
    yield texts
    assert texts
    for text in texts:
        assert SECRET not in text
        assert TOKEN not in text


async def test_a_refusal_that_repeats_the_request_tells_no_secret() -> None:
    def repeat(request: HttpRequest) -> HttpResponse:
        told = "".join(f"{name}:{value}\n" for name, value in request.headers.items())
        return json_answer({"message": f"not allowed: {told}"}, 403, x_amzn_errortype="AccessDeniedException")

    async with FakeAws(repeat) as aws, Pool(Origin.of(aws.url), limit=1) as pool:
        with free_of_secrets() as texts:
            service = runtime(pool)
            with pytest.raises(Rejected) as refusal:
                await WireTransport(service, "ep").submit(REQUEST)
            texts += [refusal.value.message, str(refusal.value), repr(service.credentials()), repr(service.signer)]
        assert aws.requests[0].headers["x-amz-security-token"] == TOKEN
