"""Goal: what is in the queue comes out as deliveries, and what could not be deleted comes back.

Method: a client that answers by a table, with SQS's own shapes.
"""

import json
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ReadTimeoutError

from fake_aws import FakeClient, client_error
from smbench.aws.notices import SqsNotices
from smbench.records import Delivery, Notice, Outcome, Unacknowledged, Unreadable

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
RESULT = json.dumps({"eventName": "InferenceResult", "invocationStatus": "Completed", "inferenceId": "run-0-1"})


def message(body: str, receipt: str, n_receives: str = "1") -> dict[str, Any]:
    return {"Body": body, "ReceiptHandle": receipt, "Attributes": {"ApproximateReceiveCount": n_receives}}


async def test_each_message_is_a_delivery_with_its_receipt_and_count() -> None:
    client = FakeClient({"receive_message": {"Messages": [message(RESULT, "r1"), message("no json", "r2", "3")]}})
    deliveries = await SqsNotices(client, URL).receive()
    assert deliveries == [
        Delivery("r1", Notice("run-0-1", Outcome.COMPLETED, None, None, None), 1),
        Delivery("r2", Unreadable("malformed", "no json"), 3),
    ]


async def test_a_long_poll_asks_for_ten_and_their_counts() -> None:
    client = FakeClient({"receive_message": {}})
    assert await SqsNotices(client, URL, wait_s=7).receive() == []  # SQS leaves Messages out when there is none
    assert client.called("receive_message") == [
        {
            "QueueUrl": URL,
            "MaxNumberOfMessages": 10,
            "WaitTimeSeconds": 7,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        }
    ]


async def test_messages_of_another_run_are_foreign() -> None:
    client = FakeClient({"receive_message": {"Messages": [message(RESULT, "r1")]}})
    (delivery,) = await SqsNotices(client, URL, run_prefix="other-").receive()
    assert delivery.content == Unreadable("foreign", RESULT)


async def test_deleting_returns_the_receipts_that_failed() -> None:
    failed = [{"Id": "1", "SenderFault": False, "Code": "InternalError"}]
    client = FakeClient({"delete_message_batch": {"Successful": [{"Id": "0"}, {"Id": "2"}], "Failed": failed}})
    assert await SqsNotices(client, URL).delete(["a", "b", "c"]) == ["b"]
    (call,) = client.called("delete_message_batch")
    assert [entry["ReceiptHandle"] for entry in call["Entries"]] == ["a", "b", "c"]
    assert len({entry["Id"] for entry in call["Entries"]}) == 3


async def test_deleting_nothing_asks_nobody() -> None:
    client = FakeClient({})
    assert await SqsNotices(client, URL).delete([]) == []
    assert client.calls == []


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
