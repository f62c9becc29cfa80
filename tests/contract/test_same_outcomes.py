"""Goal: whatever a server says or does, a run on the wire records what a run on the SDK would have recorded.

Method: one scripted server, both transports, in virtual time; a table of what is said and what must be recorded.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from emulated_aws import WARP
from promptly import Promptly
from raw_server import RawServer, Visitor
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.endpoint.description import discover
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.invoke_sync import SdkSyncTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.wire_clients import WireClients, wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_invoke_sync import WireSyncTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.errors import TargetError
from smbench.ports import Notices, Transport
from smbench.records import Accepted, Answered, Invocation, Outcome, Rejected, Unacknowledged
from smbench.scenario.values.answers import Expect

pytestmark = pytest.mark.slow

Script = Callable[[Visitor, bytes], object]
OUTPUT = "x-amzn-SageMaker-OutputLocation: s3://bucket/out/1.out\r\n"


@pytest.fixture(scope="module")
def anyio_backend() -> Any:
    return WARP


@dataclass
class Both:
    server: RawServer
    clients: AwsClients
    wire: WireClients


@pytest.fixture(scope="module")
async def both() -> AsyncIterator[Both]:
    async with (
        RawServer(lambda visitor, request: None) as server,
        AwsClients(AwsSettings(endpoint_url=server.url, emulated=True)) as clients,
        wire_clients(clients) as wire,
    ):
        yield Both(server, clients, wire)


@pytest.fixture(params=["sdk", "wire", "prompt"])
def transport(both: Both, request: pytest.FixtureRequest) -> Transport:
    if request.param == "sdk":
        return SdkTransport(both.clients.runtime, "ep")
    wire = WireTransport(both.wire.runtime, "ep")
    return Promptly(wire) if request.param == "prompt" else wire


@pytest.fixture(params=["sdk", "wire"])
def notices(both: Both, request: pytest.FixtureRequest) -> Notices:
    url = f"{both.server.url}/123456789012/queue"
    return SqsNotices(both.clients.sqs, url) if request.param == "sdk" else WireNotices(both.wire.sqs, url)


async def recorded(transport: Transport) -> object:
    """What becomes of one submission, as a value."""
    try:
        return await transport.submit(Invocation(1, "run-0-1", body=b"{}"))
    except Rejected as refusal:
        return refusal.status_code, refusal.code, refusal.message
    except Unacknowledged as failure:
        return failure.cause


def said(status: str, body: bytes = b"", headers: str = "") -> Script:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode("latin-1")
    return lambda visitor, request: visitor.say(head + body)


def cut(data: bytes) -> Script:
    def script(visitor: Visitor, request: bytes) -> None:
        visitor.say(data)
        visitor.close()

    return script


JSON = "Content-Type: application/json\r\n"
DEEP = b'{"a":' * 1200 + b"1" + b"}" * 1200
REFUSALS = {
    "a throttle has no message": (
        said("400 Bad Request", b'{"message":null}', f"{JSON}x-amzn-errortype: ThrottlingException\r\n"),
        (400, "ThrottlingException", ""),
    ),
    "the type's URL is no part of the code": (
        said("400 Bad Request", b'{"message":"no"}', f"{JSON}x-amzn-ErrorType: ValidationError:http://x/y\r\n"),
        (400, "ValidationError", "no"),
    ),
    "a type in the body": (
        said("400 Bad Request", b'{"__type":"com.amazonaws#ValidationError","Message":"no"}', JSON),
        (400, "ValidationError", "no"),
    ),
    "a code in the body": (said("400 Bad Request", b'{"code":"Odd","message":"no"}', JSON), (400, "Odd", "no")),
    "no body": (said("404 Not Found"), (404, "404", "")),
    "no body, a broken service": (said("500 Internal Server Error"), (500, "500", "Internal Server Error")),
    "an empty object": (said("500 Oh", b"{}", JSON), (500, "500", "")),
    "a page of something between": (said("503 No", b"<html>no</html>"), (503, "503", "Service Unavailable")),
    "a page with a refusal's status": (said("403 No", b"<html>no</html>"), (403, "403", "<html>no</html>")),
    "text": (said("429 Slow", b"slow down"), (429, "429", "slow down")),
    "JSON that is no object": (said("400 Bad", b"[1]", JSON), "unreadable answer"),
    "bytes that are no text": (said("400 Bad", b"\xff\xfe{", JSON), "unreadable answer"),
    "JSON too deep": (said("400 Bad", DEEP, JSON), "unreadable answer"),
    "an answer one may not take": (said("301 Moved", b"{}"), (301, "301", "")),
    "a status nobody has": (said("599 Odd", b"{}"), (599, "599", "")),
    "many choices": (said("300 Many", b"{}", OUTPUT), (300, "300", "")),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_is_recorded_alike(both: Both, transport: Transport, case: str) -> None:
    both.server.on_request, expected = REFUSALS[case]
    assert await recorded(transport) == expected


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "299 Fine"])
async def test_a_status_of_200_and_some_accepts(both: Both, transport: Transport, status: str) -> None:
    both.server.on_request = said(status, b"{}", OUTPUT)
    assert await recorded(transport) == Accepted("s3://bucket/out/1.out", None, int(status[:3]))


@pytest.mark.parametrize("body", [DEEP, b'{"Failed":' + DEEP + b"}", b'{"Failed":[' + DEEP + b"]}"])
async def test_an_answer_to_a_deletion_that_is_too_deep_cannot_be_read(
    both: Both, notices: Notices, body: bytes
) -> None:
    both.server.on_request = said("200 OK", body)
    with pytest.raises(Unacknowledged, match="unreadable answer"):
        await notices.delete(["r1"])


async def test_an_answer_that_is_too_deep_before_the_run_is_told_in_a_sentence(both: Both) -> None:
    both.server.on_request = said("200 OK", DEEP)
    with pytest.raises(TargetError, match="could not describe the endpoint ep"):
        await discover(both.clients, "ep")


@pytest.mark.parametrize("body", [b"", b"{", b"<html></html>"])
async def test_an_acceptance_is_one_whatever_its_body_says(both: Both, transport: Transport, body: bytes) -> None:
    both.server.on_request = said("202 Accepted", body, OUTPUT)
    assert await recorded(transport) == Accepted("s3://bucket/out/1.out", None, 202)


@pytest.mark.parametrize("body", [b"[]", b"\xff\xfe", b'"text"'])
async def test_where_the_sdk_trips_over_a_body_the_wire_has_the_acceptance_from_its_headers(
    both: Both, body: bytes
) -> None:
    """No service of AWS does this. The wire is right; the SDK's user at least hears that there was an answer."""
    both.server.on_request = said("202 Accepted", body, OUTPUT)
    assert await recorded(WireTransport(both.wire.runtime, "ep")) == Accepted("s3://bucket/out/1.out", None, 202)
    assert await recorded(SdkTransport(both.clients.runtime, "ep")) == "unreadable answer"


async def test_the_sdk_follows_a_redirect_and_the_wire_records_it(both: Both) -> None:
    """The wire is right: a request goes where it was signed for, and once. No service of AWS redirects these calls."""
    onward = said("307 Elsewhere", b"", "Location: /elsewhere\r\n")
    taken = said("202 Accepted", b"{}", OUTPUT)
    both.server.on_request = lambda visitor, request: (taken if b"/elsewhere" in request else onward)(visitor, request)
    both.server.requests.clear()
    assert await recorded(WireTransport(both.wire.runtime, "ep")) == (307, "307", "")
    assert len(both.server.requests) == 1
    assert await recorded(SdkTransport(both.clients.runtime, "ep")) == Accepted("s3://bucket/out/1.out", None, 202)
    assert len(both.server.requests) == 3


BROKEN = {
    "closed without a word": (cut(b""), "connection closed"),
    "closed in the status line": (cut(b"HTTP/1.1 20"), "connection closed"),
    "closed in the headers": (cut(b"HTTP/1.1 202 Accepted\r\nA: b\r\nC"), "connection closed"),
    "closed in the body": (cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: 50\r\n\r\n{"), "connection closed"),
    "closed in a chunk": (
        cut(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        "connection closed",
    ),
    "closed after an announcement": (cut(b"HTTP/1.1 100 Continue\r\n\r\n"), "connection closed"),
    "reset without a word": (lambda visitor, request: visitor.reset(), "connection reset"),
    "no HTTP": (cut(b"\x16\x03\x01 this is not HTTP\r\n\r\n"), "unreadable answer"),
    "a chunk that is none": (
        cut(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n"),
        "unreadable answer",
    ),
    "a length that is none": (cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: two\r\n\r\n{}"), "unreadable answer"),
    "two lengths": (
        cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        "unreadable answer",
    ),
    "silence": (lambda visitor, request: None, "read timeout"),
    "half an answer, then silence": (
        lambda visitor, request: visitor.say(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n{"),
        "read timeout",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_no_answer_is_recorded_alike(both: Both, transport: Transport, case: str) -> None:
    both.server.on_request, expected = BROKEN[case]
    begin_s = anyio.current_time()
    assert await recorded(transport) == expected
    assert anyio.current_time() - begin_s == pytest.approx(60 if expected == "read timeout" else 0, abs=1)


# ---- synchronous ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["sdk", "wire"])
def synchronous(both: Both, request: pytest.FixtureRequest) -> Transport:
    if request.param == "sdk":
        return SdkSyncTransport(both.clients.runtime, "ep")
    return WireSyncTransport(both.wire.runtime, "ep")


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_of_a_synchronous_call_is_recorded_alike(both: Both, synchronous: Transport, case: str) -> None:
    both.server.on_request, expected = REFUSALS[case]
    assert await recorded(synchronous) == expected


@pytest.mark.parametrize("case", BROKEN)
async def test_no_answer_to_a_synchronous_call_is_recorded_alike(both: Both, synchronous: Transport, case: str) -> None:
    both.server.on_request, expected = BROKEN[case]
    assert await recorded(synchronous) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1]", DEEP, b"x" * 1_000_000], ids=len)
async def test_an_answer_of_200_is_the_end_whatever_its_body_says(
    both: Both, synchronous: Transport, body: bytes
) -> None:
    both.server.on_request = said("200 OK", body, "Content-Type: text/csv\r\n")
    assert await recorded(synchronous) == Answered(Outcome.COMPLETED, 200, None, len(body))


@pytest.mark.parametrize("expected", [{"content_type": "text/csv"}, {"json_path": "0"}, {"size_max": 3}])
@pytest.mark.parametrize("body", [b"[1]", DEEP])
async def test_a_wrong_answer_is_recorded_alike(
    both: Both, synchronous: SdkSyncTransport | WireSyncTransport, expected: dict[str, Any], body: bytes
) -> None:
    expect = Expect.model_validate(expected)
    both.server.on_request = said("200 OK", body, "Content-Type: application/json\r\n")
    found, answer = expect.difference("application/json", body), await recorded(replaced(synchronous, expect))
    if found is None:
        assert answer == Answered(Outcome.COMPLETED, 200, None, len(body))
    else:
        assert answer == Answered(Outcome.FAILED, 200, found[1], len(body), found[0])


def replaced(transport: SdkSyncTransport | WireSyncTransport, expect: Expect) -> Transport:
    """The same calls, with their answers checked."""
    if isinstance(transport, SdkSyncTransport):
        return SdkSyncTransport(transport.client, transport.endpoint, expect)
    return Promptly(WireSyncTransport(transport.service, "ep", expect))


_MODEL_ERROR = f"{JSON}x-amzn-errortype: ModelError\r\n"
CONTAINER_ERRORS = {
    "the container's error": (
        said(
            "424 Failed Dependency",
            b'{"LogStreamArn":"arn:x","Message":"Received server error (500) from primary","OriginalMessage":"no",'
            b'"OriginalStatusCode":500}',
            _MODEL_ERROR,
        ),
        "ModelError 500: Received server error (500) from primary",
    ),
    "the container's silence": (
        said("424 Failed Dependency", b'{"Message":"timed out","OriginalStatusCode":0}', _MODEL_ERROR),
        "ModelError 0: timed out",
    ),
    "no original status": (
        said("424 Failed Dependency", b'{"Message":"no"}', _MODEL_ERROR),
        "ModelError: no",
    ),
    "a status as text": (
        said("424 Failed Dependency", b'{"Message":"no","OriginalStatusCode":"503"}', _MODEL_ERROR),
        "ModelError 503: no",
    ),
    "no message": (said("424 Failed Dependency", b"{}", _MODEL_ERROR), "ModelError"),
}


@pytest.mark.parametrize("case", CONTAINER_ERRORS)
async def test_an_error_of_the_container_ends_a_request_that_was_taken(
    both: Both, synchronous: Transport, case: str
) -> None:
    both.server.on_request, reason = CONTAINER_ERRORS[case]
    assert await recorded(synchronous) == Answered(Outcome.FAILED, 424, reason)


async def test_an_error_of_the_container_with_an_odd_status_cannot_be_read(both: Both, synchronous: Transport) -> None:
    body = b'{"Message":"no","OriginalStatusCode":"many"}'
    both.server.on_request = said("424 Failed Dependency", body, _MODEL_ERROR)
    assert await recorded(synchronous) == "unreadable answer"


async def test_a_424_of_something_between_is_no_error_of_the_container(both: Both, synchronous: Transport) -> None:
    both.server.on_request = said("424 Failed Dependency", b"{}", JSON)
    assert await recorded(synchronous) == (424, "424", "")


async def polled(notices: Notices) -> object:
    try:
        return await notices.receive()
    except Unacknowledged as failure:
        return failure.cause


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_queue_that_refuses_is_recorded_alike(both: Both, case: str) -> None:
    """SQS names its errors in the body alone, so that the codes are not always those above."""
    both.server.on_request, expected = REFUSALS[case]
    url = f"{both.server.url}/123456789012/queue"
    sdk, wire = await polled(SqsNotices(both.clients.sqs, url)), await polled(WireNotices(both.wire.sqs, url))
    assert sdk == wire
    assert (sdk == "unreadable answer") is isinstance(expected, str)


async def test_a_queue_that_is_gone_has_the_name_it_had_before_json(both: Both, notices: Notices) -> None:
    both.server.on_request = said(
        "400 Bad Request",
        b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}',
        "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
    )
    assert await polled(notices) == "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.parametrize("case", BROKEN)
async def test_a_queue_that_does_not_answer_is_recorded_alike(both: Both, notices: Notices, case: str) -> None:
    both.server.on_request, expected = BROKEN[case]
    begin_s = anyio.current_time()
    assert await polled(notices) == expected
    assert anyio.current_time() - begin_s == pytest.approx(35 if expected == "read timeout" else 0, abs=1)


@pytest.mark.parametrize("body", [b"{}", b'{"Messages":null}', b'{"Messages":[]}'])
async def test_a_long_poll_that_brought_nothing_is_empty(both: Both, notices: Notices, body: bytes) -> None:
    both.server.on_request = said("200 OK", body)
    assert await polled(notices) == []


NO_MESSAGES = [b"[]", b"\xff\xfe", b'"text"', b'{"Messages":3}', b'{"Messages":[3]}', b'{"Messages":[{}]}', DEEP]


@pytest.mark.parametrize("body", NO_MESSAGES)
async def test_what_is_no_list_of_messages_cannot_be_read(both: Both, notices: Notices, body: bytes) -> None:
    both.server.on_request = said("200 OK", body)
    assert await polled(notices) == "unreadable answer"


@pytest.mark.parametrize("body", [b"", b"{", b"<html></html>"])
async def test_what_is_no_json_is_empty_for_the_sdk_and_unreadable_for_the_wire(both: Both, body: bytes) -> None:
    """The wire is right: nothing is known of the queue, and asking again at once is no answer to it."""
    both.server.on_request = said("200 OK", body)
    url = f"{both.server.url}/123456789012/queue"
    assert await polled(SqsNotices(both.clients.sqs, url)) == []
    assert await polled(WireNotices(both.wire.sqs, url)) == "unreadable answer"
