"""Goal: what is in the queue comes out as deliveries, and what could not be deleted comes back.

Method: a client, and a server before the wire, that answer by a table, with SQS's own shapes. What becomes of answers
that are none stands in the contract of both, `test_same_outcomes`.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ReadTimeoutError

from fake_aws import FakeAws, FakeClient, client_error, json_answer
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.wire_clients import WireClients, wire_clients
from smbench.aws.transport.wire_notices import WireNotices
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.ports import Notices
from smbench.records import Delivery, Notice, Outcome, Unacknowledged, Unreadable

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
RESULT = json.dumps({"eventName": "InferenceResult", "invocationStatus": "Completed", "inferenceId": "run-0-1"})


def message(body: str, receipt: str, **attributes: str) -> dict[str, Any]:
    return {"Body": body, "ReceiptHandle": receipt, "Attributes": attributes}


class Queue(FakeClient):
    """A queue in a table, told to the SDK's port as a client and to the wire's as a server."""

    def __init__(self, wire: WireClients | None, aws: FakeAws) -> None:
        super().__init__()
        self.wire = wire
        aws.answer = self._serve

    def notices(self, **settings: Any) -> Notices:
        return SqsNotices(self, URL, **settings) if self.wire is None else WireNotices(self.wire.sqs, URL, **settings)

    def _serve(self, request: HttpRequest) -> HttpResponse:
        operation = request.headers["x-amz-target"].removeprefix("AmazonSQS.")
        name = {"ReceiveMessage": "receive_message", "DeleteMessageBatch": "delete_message_batch"}[operation]
        return json_answer(self._answer(name, json.loads(request.body)))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def aws() -> AsyncIterator[FakeAws]:
    async with FakeAws(lambda _: json_answer({})) as server:
        yield server


@pytest.fixture(scope="module")
async def wire(aws: FakeAws) -> AsyncIterator[WireClients]:
    async with (
        AwsClients(AwsSettings(endpoint_url=aws.url, emulated=True)) as clients,
        wire_clients(clients) as opened,
    ):
        yield opened


@pytest.fixture(params=["sdk", "wire"])
def queue(aws: FakeAws, wire: WireClients, request: pytest.FixtureRequest) -> Queue:
    return Queue(wire if request.param == "wire" else None, aws)


@pytest.mark.slow
async def test_each_message_is_a_delivery_with_its_receipt(queue: Queue) -> None:
    queue.table["receive_message"] = {"Messages": [message(RESULT, "r1"), message("no json", "r2")]}
    deliveries = await queue.notices().receive()
    assert deliveries == [
        Delivery("r1", Notice("run-0-1", Outcome.COMPLETED, None, None, None)),
        Delivery("r2", Unreadable("malformed", "no json")),
    ]


async def test_a_notice_was_published_when_the_queue_had_it(queue: Queue) -> None:
    queue.table["receive_message"] = {"Messages": [message(RESULT, "r1", SentTimestamp="1684812201961")]}
    (delivery,) = await queue.notices().receive()
    assert isinstance(delivery.content, Notice)
    assert delivery.content.pub_utc_ns == 1684812201_961_000_000


async def test_a_long_poll_asks_for_ten_and_since_when_they_are_there(queue: Queue) -> None:
    queue.table["receive_message"] = {}
    assert await queue.notices(wait_s=7).receive() == []  # SQS leaves Messages out when there is none
    assert queue.called("receive_message") == [
        {
            "QueueUrl": URL,
            "MaxNumberOfMessages": 10,
            "WaitTimeSeconds": 7,
            "MessageSystemAttributeNames": ["SentTimestamp"],
        }
    ]


async def test_messages_of_another_run_are_foreign(queue: Queue) -> None:
    queue.table["receive_message"] = {"Messages": [message(RESULT, "r1")]}
    (delivery,) = await queue.notices(run_prefix="other-").receive()
    assert delivery.content == Unreadable("foreign", RESULT)


async def test_deleting_returns_the_receipts_that_failed(queue: Queue) -> None:
    failed = [{"Id": "1", "SenderFault": False, "Code": "InternalError"}]
    queue.table["delete_message_batch"] = {"Successful": [{"Id": "0"}, {"Id": "2"}], "Failed": failed}
    assert await queue.notices().delete(["a", "b", "c"]) == ["b"]
    (call,) = queue.called("delete_message_batch")
    assert [entry["ReceiptHandle"] for entry in call["Entries"]] == ["a", "b", "c"]
    assert len({entry["Id"] for entry in call["Entries"]}) == 3


async def test_deleting_nothing_asks_nobody(queue: Queue) -> None:
    assert await queue.notices().delete([]) == []
    assert queue.calls == []


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (client_error("RequestThrottled"), "RequestThrottled"),
        (ReadTimeoutError(endpoint_url=URL), "read timeout"),
        (aiohttp.ClientPayloadError("cut"), "connection closed"),
        (ConnectionResetError(104, "reset"), "connection reset"),
    ],
    ids=str,
)
async def test_a_queue_that_does_not_answer_is_unacknowledged(error: Exception, cause: str) -> None:
    notices = SqsNotices(FakeClient({"receive_message": error, "delete_message_batch": error}), URL)
    with pytest.raises(Unacknowledged) as receiving:
        await notices.receive()
    with pytest.raises(Unacknowledged) as deleting:
        await notices.delete(["a"])
    assert receiving.value.cause == deleting.value.cause == cause
