"""Goal: a streamed answer means the same through the SDK and on the wire, and one that broke off is never complete.

Method: one scripted server, both transports, in virtual time. The server tears one stream in each way in which HTTP can
end a body; the SDK's own iterator calls some of these complete (findings/botocore-ends-torn-streams-well).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from emulated_aws import WARP
from promptly import Promptly
from raw_server import RawServer, Visitor
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.invoke_stream import SdkStreamTransport
from smbench.aws.transport.wire_clients import WireClients, wire_clients
from smbench.aws.transport.wire_invoke_stream import WireStreamTransport
from smbench.ports import Transport
from smbench.records import Answered, Invocation, Outcome, Parts, Rejected, Unacknowledged, WrongAnswer
from smbench.scenario.values.answers import Expect
from smbench.wire.event_stream import encoded

Script = Callable[[Visitor, bytes], object]
ANSWER_S = 30.0
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
    b"X-Amzn-SageMaker-Content-Type: text/plain\r\n"
)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def anyio_backend() -> Any:
    return WARP


@dataclass
class Both:
    server: RawServer
    clients: AwsClients
    wire: WireClients

    def by(self, name: str, expect: Expect | None = None) -> Transport:
        if name == "sdk":
            return SdkStreamTransport(self.clients.runtime, "ep", now_ns, ANSWER_S, expect)
        wire = WireStreamTransport(self.wire.runtime, "ep", now_ns, expect)
        return Promptly(wire) if name == "prompt" else wire


def now_ns() -> int:
    return round(anyio.current_time() * 1e9)


@pytest.fixture(scope="module")
async def both() -> AsyncIterator[Both]:
    async with RawServer(lambda visitor, request: None) as server:
        settings = AwsSettings(endpoint_url=server.url, emulated=True, answer_s=ANSWER_S)
        async with AwsClients(settings) as clients, wire_clients(clients) as wire:
            yield Both(server, clients, wire)


@pytest.fixture(params=["sdk", "wire", "prompt"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def part(data: bytes) -> bytes:
    headers = {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}
    return encoded(headers, data)


def exception(kind: str, body: bytes) -> bytes:
    return encoded({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def say(*pieces: bytes, then: Callable[[Visitor], object] = lambda _: None) -> Script:
    def script(visitor: Visitor, request: bytes) -> None:
        visitor.say(b"".join(pieces))
        then(visitor)

    return script


def spaced(*pieces: tuple[float, bytes]) -> Script:
    """Each so many seconds after the one before."""

    def script(visitor: Visitor, request: bytes) -> None:
        at_s = 0.0
        for after_s, data in pieces:
            at_s += after_s
            asyncio.get_running_loop().call_later(at_s, visitor.say, data)

    return script


async def answered(both: Both, by: str, script: Script, expect: Expect | None = None) -> Answered:
    both.server.on_request = script
    with anyio.fail_after(ANSWER_S + 10):
        answer = await both.by(by, expect).submit(Invocation(1, "run-0-1", body=b"{}"))
    assert isinstance(answer, Answered)
    return answer


TWO = part(b"first") + part(b"second")


async def test_a_whole_stream_is_complete_and_knows_its_parts(both: Both, by: str) -> None:
    answer = await answered(both, by, say(CHUNKED, chunk(TWO), LAST))
    assert (answer.outcome, answer.status_code, answer.size_bytes) == (Outcome.COMPLETED, 200, 11)
    assert answer.parts is not None
    assert (answer.parts.n, answer.parts.gap_mean_ns, answer.parts.gap_max_ns) == (2, 0, 0)
    with_a_length = await answered(both, by, say(HEAD, b"Content-Length: %d\r\n\r\n" % len(TWO), TWO))
    assert with_a_length.outcome is Outcome.COMPLETED


async def test_parts_have_the_instants_at_which_they_came(both: Both, by: str) -> None:
    begin_ns = now_ns()
    pieces = [(2.0, CHUNKED), (1.0, chunk(part(b"a"))), (4.0, chunk(part(b"b"))), (0.5, chunk(part(b"c"))), (3.0, LAST)]
    answer = await answered(both, by, spaced(*pieces))
    assert answer.parts == Parts(3, answer.parts.first_ns if answer.parts else 0, 2_250_000_000, 4_000_000_000)
    assert answer.parts.first_ns is not None
    assert answer.parts.first_ns - begin_ns == pytest.approx(3e9, abs=5e6)
    assert now_ns() - begin_ns == pytest.approx(10.5e9, abs=5e6)


async def test_a_stream_without_a_part_is_complete_and_empty(both: Both, by: str) -> None:
    assert await answered(both, by, say(CHUNKED, LAST)) == Answered(Outcome.COMPLETED, 200, None, 0, parts=Parts(0))


ENDS: dict[str, tuple[Callable[[bytes, int], bytes], Callable[[Visitor], object]]] = {
    "a length that is not reached": (lambda torn, n: HEAD + b"Content-Length: %d\r\n\r\n" % n + torn, Visitor.close),
    "a chunk that breaks off": (lambda torn, n: CHUNKED + b"%x\r\n" % n + torn, Visitor.close),
    "no last chunk": (lambda torn, n: CHUNKED + (chunk(torn) if torn else b""), Visitor.close),
    "no end but the connection's": (lambda torn, n: HEAD + b"Connection: close\r\n\r\n" + torn, Visitor.close),
    "a reset": (lambda torn, n: CHUNKED + (chunk(torn) if torn else b""), Visitor.reset),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_stream_torn_anywhere_was_accepted_and_failed(both: Both, by: str, end: str) -> None:
    framed, then = ENDS[end]
    borders = {0, 1, len(part(b"first")) - 1, len(part(b"first")), len(part(b"first")) + 1, len(TWO) - 1, len(TWO)}
    for n in sorted(borders):
        if n == len(TWO) and end == "a length that is not reached":
            continue  # it is reached
        answer = await answered(both, by, say(framed(TWO[:n], len(TWO) + 1 if "chunk" in end else len(TWO)), then=then))
        assert (answer.outcome, answer.status_code) == (Outcome.FAILED, 200), n
        assert answer.failure_reason in ("torn stream: connection closed", "torn stream: connection reset"), n
        assert answer.parts is not None
        if end != "a reset":  # it takes along what was not yet read
            assert answer.parts.n == (n >= len(part(b"first"))) + (n == len(TWO)), n


@pytest.mark.slow  # at every byte
async def test_a_body_that_http_calls_whole_and_that_ends_within_a_message_is_torn(both: Both, by: str) -> None:
    for n in range(1, len(TWO)):
        answer = await answered(both, by, say(CHUNKED, chunk(TWO[:n]), LAST))
        if n == len(part(b"first")):
            assert answer.outcome is Outcome.COMPLETED
            continue
        assert (answer.outcome, answer.failure_reason) == (Outcome.FAILED, "torn stream: ended within a message"), n


async def test_a_turned_bit_and_a_length_without_bounds_are_unreadable_streams(both: Both, by: str) -> None:
    damaged = bytearray(TWO)
    damaged[-9] ^= 1
    for body in (bytes(damaged), b"\xff" * 12 + TWO, b"<html>this is no event stream</html>"):
        answer = await answered(both, by, say(CHUNKED, chunk(body), LAST))
        assert (answer.outcome, answer.failure_reason) == (Outcome.FAILED, "unreadable stream")
    assert answer.parts == Parts(0)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (
            "ModelStreamError",
            b'{"Message":"it broke","ErrorCode":"StreamBroken"}',
            "ModelStreamError StreamBroken: it broke",
        ),
        (
            "ModelStreamError",
            b'{"ErrorCode":"ModelInvocationTimeExceeded"}',
            "ModelStreamError ModelInvocationTimeExceeded",
        ),
        ("InternalStreamFailure", b'{"Message":"try again"}', "InternalStreamFailure: try again"),
        ("InternalStreamFailure", b"no JSON", "InternalStreamFailure"),
    ],
)
async def test_an_error_inside_the_stream_is_a_failed_end_in_aws_s_words(
    both: Both, by: str, kind: str, body: bytes, reason: str
) -> None:
    stream = part(b"first") + exception(kind, body)
    for ending, then in ((LAST, lambda _: None), (b"", Visitor.close)):  # the error counts, not what is behind it
        answer = await answered(both, by, say(CHUNKED, chunk(stream), ending, then=then))
        assert (answer.outcome, answer.status_code, answer.failure_reason) == (Outcome.FAILED, 200, reason)
        assert answer.parts is not None
        assert answer.parts.n == 1


async def test_a_silent_stream_ends_at_the_time_limit(both: Both, by: str) -> None:
    begin_s = anyio.current_time()
    ticks = [(10.0, chunk(part(b"x")))] * 5  # never silent for as long as the limit
    answer = await answered(both, by, spaced((0.0, CHUNKED), *ticks))
    assert (answer.outcome, answer.failure_reason) == (Outcome.FAILED, "torn stream: read timeout")
    assert anyio.current_time() - begin_s == pytest.approx(ANSWER_S, abs=0.01)


async def test_no_answer_at_all_is_unknown_and_a_refusal_before_the_stream_is_a_rejection(both: Both, by: str) -> None:
    with pytest.raises(Unacknowledged, match="connection closed"):
        await answered(both, by, say(then=Visitor.close))
    json = b"Content-Type: application/json\r\n"
    throttle = b"HTTP/1.1 400 Bad\r\n" + json + b"x-amzn-errortype: ThrottlingException\r\nContent-Length: 16\r\n\r\n"
    with pytest.raises(Rejected, match="ThrottlingException"):
        await answered(both, by, say(throttle, b'{"message":null}'))
    body = b'{"Message":"no","OriginalStatusCode":500}'
    model_error = (
        b"HTTP/1.1 424 X\r\n" + json + b"x-amzn-errortype: ModelError\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    answer = await answered(both, by, say(model_error, body))
    assert answer == Answered(Outcome.FAILED, 424, "ModelError 500: no")


async def test_a_wrong_answer_is_found_in_the_parts_joined(both: Both, by: str) -> None:
    expect = Expect(content_type="text/plain", size_min=11)
    assert (await answered(both, by, say(CHUNKED, chunk(TWO), LAST), expect)).outcome is Outcome.COMPLETED
    answer = await answered(both, by, say(CHUNKED, chunk(part(b"short")), LAST), expect)
    assert (answer.outcome, answer.wrong) == (Outcome.FAILED, WrongAnswer.SIZE)
    assert answer.parts is not None


async def test_the_connection_of_a_whole_stream_is_used_again(both: Both, by: str) -> None:
    await answered(both, by, say(CHUNKED, chunk(TWO), LAST))
    n_visitors = len(both.server.visitors)
    for _ in range(3):
        await answered(both, by, say(CHUNKED, chunk(TWO), LAST))
    assert len(both.server.visitors) == n_visitors


async def test_what_is_sent_is_what_the_api_has(both: Both, by: str) -> None:
    both.server.on_request = say(CHUNKED, LAST)
    own = Invocation(
        1, "run-0-1", body=b"{}", content_type="a/b", accept="c/d", custom_attributes="e", target_variant="f",
        target_container="g", inference_component="h",
    )  # fmt: skip
    await both.by(by).submit(own)
    head = both.server.requests[-1].partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    assert head[0] == "post /endpoints/ep/invocations-response-stream http/1.1"
    prefix = "x-amzn-sagemaker-"
    for line in (
        "content-type: a/b", f"{prefix}accept: c/d", f"{prefix}custom-attributes: e", f"{prefix}target-variant: f",
        f"{prefix}target-container-hostname: g", f"{prefix}inference-component: h", f"{prefix}inference-id: run-0-1",
    ):  # fmt: skip
        assert line in head, line
