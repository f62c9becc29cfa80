"""A target that does nothing: takes every invocation and reports its success at once, so that only we are measured.

An asyncio protocol that reads no more of HTTP than our own clients write: a request at a time, each with a
Content-Length. What leaves it looks as AWS's answers do, because reading them is part of what a request costs us.
"""

import asyncio
from collections import deque
from functools import lru_cache
from typing import cast

import orjson

from smbench.clock import wall_ns
from smbench.emulator.process import freeze_collections, run_alone
from smbench.emulator.site import http_date, iso_ms
from smbench.processes.channel import Channel
from smbench.processes.messages import Ready

ENDPOINT = "null"
INPUT_LOCATION = f"s3://smbench-null/async-inputs/synthetic/{'0' * 64}.json"  # as long as that of a run's own upload
QUEUE_PATH = "/123456789012/null"

_BATCH = 10  # SQS returns at most ten messages to one receive
_POLL_S = 20.0  # and keeps one that finds none as long as our clients ask for
_INVOKE, _RECEIVE, _DELETE = b"/async-invocations", b"amazonsqs.receivemessage", b"amazonsqs.deletemessagebatch"
_ID, _LENGTH = b"\r\nx-amzn-sagemaker-inference-id:", b"\r\ncontent-length:"
_END = b"\r\n\r\n"

_TAKEN = (
    b"HTTP/1.1 202 Accepted\r\nx-amzn-requestid: %(uuid)b\r\n"
    b"x-amzn-sagemaker-outputlocation: s3://smbench-null/async-outputs/%(uuid)b.out\r\n"
    b"x-amzn-sagemaker-failurelocation: s3://smbench-null/async-failures/%(uuid)b-error.out\r\n"
    b"date: %(date)b\r\ncontent-type: application/json\r\ncontent-length: %(length)d\r\n\r\n"
    b'{"InferenceId":"%(id)b"}'
)
_TAKEN_BODY_BYTES = len(b'{"InferenceId":""}')
_JSON = (
    b"HTTP/1.1 200 OK\r\nx-amzn-requestid: %(uuid)b\r\ndate: %(date)b\r\n"
    b"content-type: application/x-amz-json-1.0\r\ncontent-length: %(length)d\r\n\r\n%(body)b"
)
_REFUSED = b"HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n"


def null_target_main(channel: Channel) -> None:
    """Serve until the parent has ended."""
    run_alone(_serve, channel)


async def _serve(channel: Channel) -> None:
    target = NullTarget()
    url = await target.start()
    freeze_collections()
    try:
        channel.send(Ready(url=url))
        while await channel.receive() is not None:
            pass
    finally:
        await target.stop()


class NullTarget:
    """A listener on 127.0.0.1, and what it took and has not reported yet."""

    def __init__(self) -> None:
        self.untold: deque[tuple[bytes, int]] = deque()  # id, and UTC nanoseconds at which it was taken
        self.polls: dict[_Connection, asyncio.TimerHandle] = {}  # those that wait, in turn; when each is over
        self.n = 0
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen; returns the URL."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, self._open), "127.0.0.1", 0, backlog=1024)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close the listener and every connection."""
        assert self._server is not None
        self._server.close()
        for connection in list(self._open):
            connection.abort()
        await self._server.wait_closed()

    def take(self, inference_id: bytes) -> bytes:
        """The answer to an invocation; once it is written, the success is reported."""
        now_ns = wall_ns()
        self.untold.append((inference_id, now_ns))
        length = _TAKEN_BODY_BYTES + len(inference_id)
        return _TAKEN % {b"uuid": self._uuid(), b"date": _date(now_ns), b"length": length, b"id": inference_id}

    def tell(self) -> None:
        """Who has waited longest for a notice gets what there is."""
        if self.polls and self.untold:
            poll = next(iter(self.polls))
            self.polls.pop(poll).cancel()
            poll.write(self._told())

    def poll(self, connection: "_Connection") -> bytes | None:
        """The answer to a receive; None when there is nothing yet, and it waits."""
        if not self.untold:
            self.polls[connection] = asyncio.get_running_loop().call_later(_POLL_S, self._give_up, connection)
            return None
        return self._told()

    def deleted(self, n: int) -> bytes:
        """The answer to a batch of deletes: all went well."""
        return self._json(_deleted(n))

    def forget(self, connection: "_Connection") -> None:
        """It has closed, so what it polls for goes to no one."""
        if (expiry := self.polls.pop(connection, None)) is not None:
            expiry.cancel()

    def _give_up(self, connection: "_Connection") -> None:
        del self.polls[connection]
        connection.write(self._json(b"{}"))

    def _told(self) -> bytes:
        untold = self.untold
        messages = [self._message(*untold.popleft()) for _ in range(min(_BATCH, len(untold)))]
        return self._json(b'{"Messages":[%b]}' % b",".join(messages))

    def _message(self, inference_id: bytes, at_ns: int) -> bytes:
        return _MESSAGE % {
            b"uuid": self._uuid(),
            b"id": inference_id,
            b"at": iso_ms(at_ns).encode(),
            b"sent": at_ns // 1_000_000,
        }

    def _json(self, body: bytes) -> bytes:
        return _JSON % {b"uuid": self._uuid(), b"date": _date(wall_ns()), b"length": len(body), b"body": body}

    def _uuid(self) -> bytes:
        self.n += 1
        return b"00000000-0000-4000-8000-%012x" % self.n


class _Connection(asyncio.Protocol):
    def __init__(self, target: NullTarget, open_connections: "set[_Connection]") -> None:
        self._target, self._open = target, open_connections
        self._transport: asyncio.Transport | None = None
        self._input = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        self._target.forget(self)

    def data_received(self, data: bytes) -> None:
        self._input = data = self._input + data if self._input else data
        head_end = data.find(_END)
        if head_end < 0:
            return
        head = data[:head_end].lower()
        body_start = head_end + len(_END)
        body_end = body_start + int(_value(data, head, _LENGTH, head_end) or 0)
        if len(data) < body_end:
            return
        self._input = data[body_end:]
        self._answer(data, head, head_end, body_start)

    def write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, data: bytes, head: bytes, head_end: int, body_start: int) -> None:
        target = self._target
        if _INVOKE in head and (inference_id := _value(data, head, _ID, head_end)):
            self.write(target.take(inference_id))
            target.tell()
        elif _RECEIVE in head:
            if (told := target.poll(self)) is not None:
                self.write(told)
        elif _DELETE in head:
            self.write(target.deleted(data.count(b'"ReceiptHandle"', body_start)))
        else:
            self.write(_REFUSED)


def _value(data: bytes, head: bytes, name: bytes, head_end: int) -> bytes:
    """A header's value as sent; empty when there is no such header."""
    at = head.find(name)
    if at < 0:
        return b""
    end = head.find(b"\r\n", at + len(name))
    return data[at + len(name) : head_end if end < 0 else end].strip()


@lru_cache(maxsize=_BATCH + 1)
def _deleted(n: int) -> bytes:
    return orjson.dumps({"Successful": [{"Id": str(index)} for index in range(n)]})


def _date(utc_ns: int) -> bytes:
    return _date_of_second(utc_ns // 1_000_000_000)


@lru_cache(maxsize=4)
def _date_of_second(second: int) -> bytes:
    return http_date(second * 1_000_000_000).encode()


def _message() -> bytes:
    """A message of SQS with SageMaker's result in it, delivered raw, with places for what differs."""
    result = {
        "awsRegion": "us-east-1",
        "eventTime": "%(at)b",
        "receivedTime": "%(at)b",
        "invocationStatus": "Completed",
        "requestParameters": {
            "contentType": "application/json",
            "endpointName": ENDPOINT,
            "inputLocation": INPUT_LOCATION,
        },
        "responseParameters": {
            "contentType": "application/json",
            "outputLocation": "s3://smbench-null/async-outputs/%(uuid)b.out",
        },
        "inferenceId": "%(id)b",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    return orjson.dumps(
        {
            "MessageId": "%(uuid)b",
            "ReceiptHandle": f"AQEB%(uuid)b{'0' * 308}",  # as long as SQS's own; a delete carries ten
            "MD5OfBody": "0" * 32,  # our clients do not look at it
            "Body": orjson.dumps(result).decode(),
            "Attributes": {"SentTimestamp": "%(sent)d"},
        }
    )


_MESSAGE = _message()
