"""The front: who is meant by a request, the stamps on every reply, the driver, and requests that mean nothing.

Method: requests as bytes or as objects into a front with all plain services; nothing may raise, and what the emulator
lacks is 501 with the operation's name in the caller's own protocol.
"""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import anyio
import orjson
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from plain_services import EPOCH_NS, answers, aws_client, isolate_aws, serving, talk
from smbench.clock import LoopClock, MonotonicClock, WarpLoop, real_ns
from smbench.emulator.driver import Driver
from smbench.emulator.messaging.sns import Sns
from smbench.emulator.messaging.sqs import Sqs
from smbench.emulator.protocol.front import Front, Operation
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.s3.service import S3
from smbench.emulator.site import Site, iso_ms
from smbench.emulator.sts import Sts
from smbench.model.event_queue import EventQueue

S = 1_000_000_000


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)


def plain_front() -> Front:
    site = Site(EventQueue(), EPOCH_NS, url="http://127.0.0.1:1")
    front = Front(site, Driver(site.event_queue))
    sqs = Sqs(site)
    for service in (sqs, Sns(site, sqs), S3(site), Sts(site)):
        front.add(service)
    return front


def signed(service: str) -> str:
    scope = f"20260101/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential=AKID/{scope}, SignedHeaders=host, Signature=0"


def request(
    method: str = "POST", target: str = "/", headers: dict[str, str] | None = None, body: bytes = b""
) -> HttpRequest:
    path, _, query = target.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return HttpRequest(method, target, path, path, {name: value for name, _, value in pairs}, headers or {}, body)


def answered(front: Front, sent: HttpRequest) -> HttpResponse:
    answer = front.answer(sent)
    assert isinstance(answer, HttpResponse)
    return answer


def stamp(response: HttpResponse, name: str) -> str:
    (value,) = [value for key, value in response.headers if key.lower() == name]
    return value


# who is meant

OVER = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20260101/us-east-1/s3/aws4_request&X-Amz-Date=20260101T000000Z"
    "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
)
CBOR = {"smithy-protocol": "rpc-v2-cbor"}


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (request(headers={"x-amz-target": "AmazonSQS.ListQueues"}), 200, b'{"QueueUrls":[]}'),
        (request(headers={"x-amz-target": "AmazonSQS.CancelMessageMoveTask"}), 501, b"sqs:CancelMessageMoveTask"),
        (request(headers={"x-amz-target": "SageMaker.ListEndpoints"}), 501, b"sagemaker:ListEndpoints"),
        (request(headers={"x-amz-target": "AWSLambda.Invoke"}), 501, b"AWSLambda:Invoke"),
        (request(headers={"x-amz-target": "nonsense"}), 501, b"nonsense:"),
        (
            request(target="/service/GraniteServiceVersion20100801/operation/ListMetrics", headers=CBOR),
            501,
            b"monitoring:ListMetrics",
        ),
        (request(target="/service/Odd/operation/Op", headers=CBOR), 501, b"Odd:Op"),
        (request(target="/service/", headers=CBOR), 501, b"NotImplemented"),
        (request("GET", "/service/k"), 404, b"<BucketName>service<"),
        (request(body=b"Action=GetCallerIdentity&Version=2011-06-15"), 200, b"<Account>123456789012</Account>"),
        (request("GET", "/?Action=ListTopics&Version=2010-03-31"), 200, b"<ListTopicsResult>"),
        (request(headers={"authorization": signed("sts")}, body=b"Action=GetCallerIdentity"), 200, b"<Arn>"),
        (request(headers={"authorization": signed("iam")}, body=b"Action=CreateRole"), 501, b"iam:CreateRole"),
        (request("GET", "/rest", headers={"authorization": signed("lambda")}), 501, b"lambda:GET /rest"),
        (request(headers={"authorization": signed("sns")}), 400, b"<Code>MissingAction</Code>"),
        (request("POST", "/endpoints/e/async-invocations"), 501, b"sagemaker-runtime:POST /endpoints/e"),
        (request("GET", "/endpoints/k", headers={"authorization": signed("s3")}), 404, b"<BucketName>endpoints<"),
        (request("GET", "/bucket/key"), 404, b"<Code>NoSuchBucket</Code>"),
        (request("GET", "/"), 200, b"<ListAllMyBucketsResult"),
        (request("GET", "/b?X-Amz-Credential=A/20260101/us-east-1/s3/aws4_request"), 400, b"AuthorizationQuery"),
        (request("GET", f"/b?{OVER}"), 403, b"<Message>Request has expired</Message>"),
        (request("GET", "/b?AWSAccessKeyId=A&Signature=s&Expires=1700000000"), 403, b"Request has expired"),
        (request("GET", "/b?AWSAccessKeyId=A&Signature=s&Expires=9700000000"), 404, b"NoSuchBucket"),
        (request("PATCH", "/b"), 501, b"s3:PATCH bucket"),
    ],
)
def test_a_request_reaches_the_service_it_means(sent: HttpRequest, status: int, says: bytes) -> None:
    response = answered(plain_front(), sent)
    assert response.status == status
    assert says in response.body


def test_what_is_missing_is_counted() -> None:
    front = plain_front()
    for target in ("Logs.X", "AmazonSQS.CancelMessageMoveTask", "AmazonSQS.ListQueues"):
        answered(front, request(headers={"x-amz-target": target}))
    statistics = front.statistics()
    assert (statistics.n_requests, statistics.n_not_implemented) == (3, 2)


HEADERS = st.dictionaries(
    st.sampled_from(["x-amz-target", "authorization", "content-type", "smithy-protocol", "range", "x-amz-copy-source"]),
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(["AmazonSQS.SendMessage", "AmazonSQS.CreateQueue", "AmazonSQS.", signed("s3"), signed("sns")]),
    ),
    max_size=3,
)
TARGETS = st.one_of(
    st.sampled_from(["/", "/b", "/b/k", "/b?delete", "/b?list-type=2", "/b/k?uploadId=u&partNumber=1", "//", "/?a"]),
    st.text(max_size=12).map(lambda text: "/" + text),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["QueueUrl", "QueueName", "Entries", "Attributes", "Id", "tags"]), inner),
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(max_size=30),
    JSON.map(orjson.dumps),
    st.sampled_from([b"Action=Publish", b"Action=Subscribe&TopicArn=&Protocol=sqs", b"Action=CreateTopic&Name=%00"]),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE", "ODD"]),
    target=TARGETS,
    headers=HEADERS,
    body=BODIES,
)
def test_no_request_is_a_traceback(method: str, target: str, headers: dict[str, str], body: bytes) -> None:
    response = answered(plain_front(), request(method, target, headers, body))
    assert 200 <= response.status < 600
    assert stamp(response, "x-amzn-requestid")


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(operation=st.sampled_from(sorted(Sqs(Site(EventQueue(), 0)).operations)), params=JSON)
def test_no_parameters_of_sqs_are_a_traceback(operation: str, params: Any) -> None:
    front = plain_front()
    answered(front, request(headers={"x-amz-target": "AmazonSQS.CreateQueue"}, body=b'{"QueueName":"q"}'))
    if isinstance(params, dict):
        params = {"QueueUrl": "q"} | params
    answer = front.answer(request(headers={"x-amz-target": f"AmazonSQS.{operation}"}, body=orjson.dumps(params)))
    assert isinstance(answer, HttpResponse)
    assert answer.status in (200, 400, 501)


# stamps


async def test_every_reply_carries_scenario_time_with_the_skew() -> None:
    async with serving(skew_ns=-5 * S) as services:
        await anyio.sleep(65.5)
        data = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        (first,) = answers(await talk(services.server.port, data))
        await anyio.sleep(1)
        (second,) = answers(await talk(services.server.port, data))
    assert first.headers["date"] == "Thu, 01 Jan 2026 00:01:00 GMT"
    assert second.headers["date"] == "Thu, 01 Jan 2026 00:01:01 GMT"
    assert first.headers["x-amzn-requestid"] != second.headers["x-amzn-requestid"]


def test_ids_never_repeat_and_are_the_same_every_time() -> None:
    first, second = (Site(EventQueue(), 0) for _ in range(2))
    ids = [first.new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert ids[:10] == [second.new_id() for _ in range(10)]
    assert [len(part) for part in ids[0].split("-")] == [8, 4, 4, 4, 12]


def test_milliseconds_are_cut_never_rounded() -> None:
    assert iso_ms(EPOCH_NS + 999_999_999) == "2026-01-01T00:00:00.999Z"


# STS


async def test_sts_says_who_calls_and_lends_a_role() -> None:
    async with serving() as services, aws_client("sts", services.site.url) as sts:
        assert (await sts.get_caller_identity())["Account"] == "123456789012"
        reply = await sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session")
        assert reply["Credentials"]["Expiration"] == datetime(2026, 1, 1, 1, tzinfo=UTC)
        assert reply["AssumedRoleUser"]["Arn"].endswith(":assumed-role/r/session")
        with pytest.raises(ClientError, match="at 'roleSessionName' failed to satisfy constraint") as error:
            await sts.assume_role(RoleArn="arn:aws:iam::1:role/role", RoleSessionName="a b")
        assert error.value.response["Error"]["Code"] == "ValidationError"
        with pytest.raises(ClientError, match="sts:GetFederationToken"):
            await sts.get_federation_token(Name="ab")


# the driver


async def test_time_stands_still_until_go() -> None:
    event_queue = EventQueue()
    driver = Driver(event_queue)
    ran: list[int] = []
    event_queue.at(0, lambda: ran.append(0))
    event_queue.at(1 * S, lambda: ran.append(1))
    await anyio.sleep(100)
    driver.advance()
    assert (ran, event_queue.now_ns) == ([0], 0)
    driver.go(LoopClock())
    await anyio.sleep(2)
    assert ran == [0, 1]
    driver.stop()


async def test_an_entry_runs_at_its_instant_and_an_earlier_one_is_not_missed() -> None:
    event_queue = EventQueue()
    driver = Driver(event_queue)
    driver.go(LoopClock())
    loop = asyncio.get_running_loop()
    ran: list[tuple[int, float]] = []
    for due_s in (5, 2, 8):
        event_queue.at(due_s * S, lambda: ran.append((event_queue.now_ns, loop.time())))
    start_s = loop.time()
    await anyio.sleep(10)
    driver.stop()
    assert [now_ns for now_ns, _ in ran] == [2 * S, 5 * S, 8 * S]
    assert [at_s - start_s for _, at_s in ran] == pytest.approx([2, 5, 8])


async def test_a_clock_that_has_not_begun_keeps_the_agenda_at_zero() -> None:
    event_queue = EventQueue()
    driver = Driver(event_queue)
    driver.go(MonotonicClock(real_ns() + 3600 * S, EPOCH_NS))
    driver.advance()
    assert event_queue.now_ns == 0
    driver.stop()


async def test_scaled_time_is_late_in_showing_never_in_stamping() -> None:
    event_queue = EventQueue()
    driver = Driver(event_queue)
    ran: list[int] = []
    for due_ns in (1, 2 * S, 5 * S):
        event_queue.at(due_ns, lambda: ran.append(event_queue.now_ns))
    driver.go(MonotonicClock(real_ns() - 10 * S, EPOCH_NS, scale=1000.0))
    driver.stop()
    assert ran == [1, 2 * S, 5 * S]


# what nobody expected


class Breaking:
    """A service every operation of which breaks, at once or later."""

    service = "sqs"

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {
            "ListQueues": self.at_once,
            "ReceiveMessage": self.later,
            "ListQueueTags": self.badly,
        }

    def at_once(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        raise KeyError("S3OutputPath")

    def later(self, params: dict[str, Any], request: HttpRequest) -> Awaitable[dict[str, Any]]:
        async def broken() -> dict[str, Any]:
            raise RecursionError("too deep")

        return broken()

    def badly(self, params: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return {"Tags": object()}


class BreakingRest:
    service = "s3"

    def operation(self, _request: HttpRequest) -> str:
        return "GetObject"

    def rest(self, request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError("division by zero")


QUEUE_URL = b'{"QueueUrl":"http://h/1/q"}'


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (request(headers={"x-amz-target": "AmazonSQS.ListQueues"}), b"sqs:ListQueues: KeyError: 'S3OutputPath'"),
        (request(body=b"Action=ListQueues&Version=2012-11-05"), b"sqs:ListQueues: KeyError: 'S3OutputPath'"),
        (request(headers={"x-amz-target": "AmazonSQS.ReceiveMessage"}, body=QUEUE_URL), b"RecursionError: too deep"),
        (request(headers={"x-amz-target": "AmazonSQS.ListQueueTags"}, body=QUEUE_URL), b"sqs:ListQueueTags: TypeError"),
        (request("GET", "/bucket/key"), b"s3:GET /bucket/key: ZeroDivisionError: division by zero"),
    ],
)
async def test_whatever_breaks_is_a_500_that_names_the_operation_and_is_counted(sent: HttpRequest, says: bytes) -> None:
    front = plain_front()
    front.add(Breaking())
    front.add(BreakingRest())
    answer = front.answer(sent)
    response = answer if isinstance(answer, HttpResponse) else await answer
    assert (response.status, b"InternalFailure" in response.body) == (500, True)
    assert says in response.body.replace(b"&quot;", b'"')
    told = front.statistics()
    assert (told.n_internal_failures, says.decode().partition(":")[0] in told.trouble) == (1, True)


def test_a_front_in_which_nothing_broke_says_nothing() -> None:
    front = plain_front()
    answered(front, request("GET", "/"))
    assert front.statistics().trouble == ""


async def test_an_event_that_breaks_is_told_and_stops_nothing_after_it() -> None:
    front = plain_front()
    queue, happened = front._driver.event_queue, []
    front._driver.go(LoopClock(EPOCH_NS))

    def broken() -> None:
        raise ZeroDivisionError

    queue.at(S, broken)
    queue.at(2 * S, lambda: happened.append("later"))
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await anyio.sleep(3)
    assert happened == ["later"]
    front._driver.stop()


MANY = "9" * 5000  # digits; `int` takes 4,300 of them
FORM = "Version=2012-11-05&Action="
SQS_JSON = {"x-amz-target": "AmazonSQS.CreateQueue"}


@pytest.mark.parametrize(
    "sent",
    [
        request("GET", "/bucket/key", {"range": f"bytes={MANY}-"}),
        request("GET", "/bucket/key", {"range": f"bytes=0-{MANY}"}),
        request("GET", "/bucket/key", {"if-modified-since": f"Mon, 1 Jan {MANY[:20]} 00:00:00 GMT"}),
        request("GET", "/bucket/key", {"if-unmodified-since": "Mon, 1 Jan 2026 00:00:00 +99999999999999"}),
        request("GET", f"/bucket?max-keys={MANY}"),
        request(headers=SQS_JSON, body=orjson.dumps({"QueueName": "q", "Attributes": {"VisibilityTimeout": MANY}})),
        request(
            headers=SQS_JSON,
            body=orjson.dumps(
                {"QueueName": "q", "Attributes": {"RedrivePolicy": orjson.dumps({"maxReceiveCount": MANY}).decode()}}
            ),
        ),
        request(body=f"{FORM}ListQueues&MaxResults={MANY[:400]}".encode()),
        request(body=f"{FORM}ListQueues&MaxResults={MANY}".encode()),
        request(body=f"{FORM}CreateQueue&QueueName=q&Attribute.{MANY}.Name=DelaySeconds".encode()),
        request(body=f"Version=2010-03-31&Action=ListTopics&NextToken={MANY}".encode()),
    ],
    ids=lambda sent: f"{sent.target} {sent.headers} {sent.body[:60]!r}"[:90],
)
async def test_more_digits_than_any_number_has_are_the_clients_mistake(sent: HttpRequest) -> None:
    front = plain_front()
    for made in (request("PUT", "/bucket"), request("PUT", "/bucket/key", body=b"0123456789")):
        assert answered(front, made).status == 200
    assert answered(front, sent).status < 500
    assert front.statistics().trouble == ""
