"""SQS's query protocol as bytes: what no SDK of today sends and AWS still answers.

Method: forms and URLs written by hand, from the API reference of 2012-11-05 and from what boto 2 and curl send.
"""

from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest

from plain_services import PlainServices, answers, serving, talk
from smbench.clock import WarpLoop

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
QUEUE = "/123456789012/q"


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


async def call(
    services: PlainServices, path: str, *, method: str = "POST", **fields: str
) -> tuple[int, ElementTree.Element]:
    """One call without a signature; its status and document."""
    form = urlencode({"Version": "2012-11-05"} | {name.replace("__", "."): value for name, value in fields.items()})
    target, body = (f"{path}?{form}", "") if method == "GET" else (path, form)
    head = f"{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n" if body else ""
    (answer,) = answers(await talk(services.server.port, f"{head}{kind}\r\n{body}".encode()))
    return answer.status, ElementTree.fromstring(answer.body)


def texts(document: ElementTree.Element, tag: str) -> list[str]:
    return [element.text or "" for element in document.iter(NAMESPACE + tag)]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_call_to_the_queues_own_url_needs_no_signature_and_no_queue_url(method: str) -> None:
    async with serving() as services:
        status, made = await call(services, "/", method=method, Action="CreateQueue", QueueName="q")
        assert (status, texts(made, "QueueUrl")) == (200, [f"{services.site.url}{QUEUE}"])
        assert made.tag == NAMESPACE + "CreateQueueResponse"
        status, sent = await call(services, QUEUE, method=method, Action="SendMessage", MessageBody="<é & x>")
        assert (status, len(texts(sent, "MD5OfMessageBody")[0])) == (200, 32)
        status, got = await call(services, QUEUE, method=method, Action="ReceiveMessage", AttributeName__1="All")
        assert texts(got, "Body") == ["<é & x>"]
        assert "ApproximateReceiveCount" in texts(got, "Name")
        (receipt,) = texts(got, "ReceiptHandle")
        status, deleted = await call(services, QUEUE, method=method, Action="DeleteMessage", ReceiptHandle=receipt)
        assert (status, [child.tag for child in deleted]) == (200, [NAMESPACE + "ResponseMetadata"])
        assert texts(deleted, "RequestId")


async def test_a_single_item_may_come_without_its_number() -> None:
    async with serving() as services:
        await call(services, "/", Action="CreateQueue", QueueName="q")
        status, _ = await call(
            services, QUEUE, Action="SetQueueAttributes", Attribute__Name="VisibilityTimeout", Attribute__Value="7"
        )
        assert status == 200
        _, shown = await call(services, QUEUE, Action="GetQueueAttributes", AttributeName="VisibilityTimeout")
        assert texts(shown, "Value") == ["7"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Action": "ReceiveMessage", "QueueUrl": "http://h/1/none"}, "AWS.SimpleQueueService.NonExistentQueue"),
        ({"Action": "SendMessageBatch"}, "AWS.SimpleQueueService.EmptyBatchRequest"),
        ({"Action": "SendMessage"}, "MissingParameter"),
        ({"Action": "ReceiveMessage", "MaxNumberOfMessages": "11"}, "InvalidParameterValue"),
        ({"Action": "ReceiveMessage", "MaxNumberOfMessages": "x"}, "MalformedInput"),
        ({"Action": "DeleteMessage", "ReceiptHandle": "x"}, "ReceiptHandleIsInvalid"),
        ({"Action": "GetQueueAttributes", "AttributeName.1": "Odd"}, "InvalidAttributeName"),
        ({"Action": ""}, "MissingAction"),
        ({"Action": "Odd"}, "NotImplemented"),
    ],
)
async def test_refusals_carry_the_codes_of_the_query_protocol(fields: dict[str, str], code: str) -> None:
    async with serving() as services:
        await call(services, "/", Action="CreateQueue", QueueName="q")
        status, refused = await call(services, QUEUE, **fields)
        assert (status, texts(refused, "Code")) == (501 if code == "NotImplemented" else 400, [code])
        assert texts(refused, "Type") == ["Receiver" if code == "NotImplemented" else "Sender"]
        assert texts(refused, "Message")[0]


async def test_a_failed_entry_of_a_batch_has_the_code_of_the_query_protocol() -> None:
    async with serving() as services:
        await call(services, "/", Action="CreateQueue", QueueName="q")
        await call(services, QUEUE, Action="SendMessage", MessageBody="m")
        _, got = await call(services, QUEUE, Action="ReceiveMessage", VisibilityTimeout="0")
        entry = "ChangeMessageVisibilityBatchRequestEntry__1__"
        fields = {"Id": "a", "ReceiptHandle": texts(got, "ReceiptHandle")[0], "VisibilityTimeout": "5"}
        _, told = await call(
            services,
            QUEUE,
            Action="ChangeMessageVisibilityBatch",
            **{entry + name: text for name, text in fields.items()},
        )
        assert texts(told, "Code") == ["AWS.SimpleQueueService.MessageNotInflight"]
        assert texts(told, "SenderFault") == ["true"]


async def test_an_object_whose_body_is_a_form_is_still_an_object() -> None:
    async with serving() as services:
        services.s3.create_bucket("bucket")
        body = "a=1&Action=x&" + quote("é")
        head = f"PUT /bucket/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        (answer,) = answers(await talk(services.server.port, (head + kind + body).encode()))
        assert (answer.status, services.s3.get("bucket", "k")) == (200, body.encode())
