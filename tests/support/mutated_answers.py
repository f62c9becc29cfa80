"""Queue messages and answers of AWS broken in the ways of networks, proxies and strangers: no traceback, no hang.

    python tests/support/mutated_answers.py [MESSAGES] [ANSWERS]

20,000 messages, read as the queue's contents; then 5,000 answers to each call that the wire makes, over HTTP on
loopback, each followed by the end of the connection. The same for the same seed. The waits between tries pass in
virtual time. Ends with 1 when one of them raised anything that the port does not name, took more than 2 s, made the
wire wait for longer than its tries do, or made the process larger than 300 MB.
"""

import asyncio
import os
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from raw_server import RawServer, Visitor
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.envelope import parse_message
from smbench.aws.transport.outputs import S3Outputs
from smbench.aws.transport.wire_clients import wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.clock import WarpLoop
from smbench.records import Invocation, Notice, Rejected, Unacknowledged, Unreadable

SECONDS_MAX, BYTES_MAX = 2.0, 300_000_000
TRIES_S = 8.0  # the two objects of a look-up, each tried four times: 0.5, 1 and 2 s between
SEED = 12
VALUES = (
    b"null", b"0", b"-1", b"1e400", b"9" * 400, b"[]", b"{}", b'""', b"[" * 50, b'"\\ud800"', b"\xff\xfe", b"\0",
    b"\r\n", b"\r\n\r\n", b"true", b"NaN", b'{"a":{"a":{}}}', b"2026-13-40T99:99:99Z", b"0000-00-00T00:00:00Z", b"s3://",
    b"-", b"chunked", b"gzip", b"HTTP/1.1 100 Continue\r\n\r\n", b"\x1b[2J", "é".encode(), b"x" * 5000,
)  # fmt: skip

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**63 - 1, 1e308, "", " ", "0", "-1", "x" * 5000, "\0", "\u202e", "s3://", "s3://b/", [],
    {}, [[]], {"a": None}, ["Completed"], "completed", "Completed ", "2026-13-40T99:99:99Z", "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00+23:59", "1795230729.2", "smb-test-0-", "smb-test-0--1", "smb-test-0-99999999999999999999",
)  # fmt: skip

RESULT: dict[str, object] = {
    "awsRegion": "us-east-1",
    "eventTime": "2026-11-21T03:12:09.125Z",
    "receivedTime": "2026-11-21T03:12:04.001Z",
    "invocationStatus": "Completed",
    "requestParameters": {"endpointName": "ep", "inputLocation": "s3://in/1", "contentType": "application/json"},
    "responseParameters": {"contentType": "application/json", "outputLocation": "s3://out/1.out"},
    "inferenceId": "smb-test-0-1",
    "eventVersion": "1.0",
    "eventSource": "aws:sagemaker",
    "eventName": "InferenceResult",
}
FAILURE: dict[str, object] = {key: value for key, value in RESULT.items() if key != "responseParameters"} | {
    "invocationStatus": "Failed",
    "failureReason": "ClientError: the container answered 500",
    "responseBody": {"content": "b29wcw==", "encoding": "BASE64", "contentType": "text/plain"},
}


def envelope(message: dict[str, object]) -> bytes:
    """The same inside SNS's."""
    return orjson.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:done",
            "Message": orjson.dumps(message).decode(),
            "Timestamp": "2026-11-21T03:12:09.200Z",
        }
    )


LENGTH = b"Content-Length: "
MESSAGES = (orjson.dumps(RESULT), orjson.dumps(FAILURE), envelope(RESULT), envelope(FAILURE))


def answer(head: str, body: bytes = b"") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


REFUSED = answer(
    "400 Bad Request\r\nx-amzn-ErrorType: ThrottlingException\r\nContent-Type: application/json",
    b'{"__type":"com.amazonaws#ThrottlingException","message":"Rate exceeded"}',
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
RECEIVED = orjson.dumps(
    {
        "Messages": [
            {
                "MessageId": "m1",
                "ReceiptHandle": "r1",
                "MD5OfBody": "0" * 32,
                "Body": MESSAGES[0].decode(),
                "Attributes": {"SentTimestamp": "1795230729200"},
            }
        ]
    }
)
DELETED = b'{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","SenderFault":true,"Code":"ReceiptHandleIsInvalid"}]}'
S3_GONE = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>gone</Message><Key>k</Key></Error>"
ANSWERS = {
    "submit": (
        answer(
            "202 Accepted\r\nX-Amzn-SageMaker-OutputLocation: s3://out/1.out\r\n"
            "X-Amzn-SageMaker-FailureLocation: s3://failed/1.out\r\nContent-Type: application/json",
            b'{"InferenceId":"smb-test-0-1"}',
        ),
        REFUSED,
        CHUNKED,
    ),
    "receive": (answer("200 OK", RECEIVED), answer("200 OK", b"{}"), REFUSED, CHUNKED),
    "delete": (answer("200 OK", DELETED), REFUSED, CHUNKED),
    "look up": (
        b'HTTP/1.1 200 OK\r\nLast-Modified: Sat, 21 Nov 2026 03:12:09 GMT\r\nContent-Length: 12\r\nETag: "1"\r\n\r\n',
        answer("404 Not Found\r\nContent-Type: application/xml", S3_GONE),
        answer("301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1"),
        answer("206 Partial Content\r\nContent-Range: bytes 0-1/2", b"no"),
    ),
}


def mutant(of: bytes, rng: np.random.Generator) -> bytes:
    """With one to three changes: a piece cut, doubled, exchanged or overwritten, or only the beginning."""
    for _ in range(int(rng.integers(1, 4))):
        at, size = int(rng.integers(len(of) + 1)), int(rng.integers(1, 40))
        value = VALUES[int(rng.integers(len(VALUES)))]
        changed = (
            of[:at] + of[at + size :],
            of[:at],
            of[:at] + value + of[at:],
            of[:at] + value + of[at + size :],
            of[:at] + of[at : at + size] * int(rng.integers(2, 200)) + of[at:],
            of[:at] + rng.bytes(size) + of[at + size :],
        )
        of = changed[int(rng.integers(len(changed)))]
    return of


def restructured(document: Any, rng: np.random.Generator) -> Any:
    """With one to three of its values, at any depth and in JSON inside of texts, of another kind or gone."""
    for _ in range(int(rng.integers(1, 4))):
        document = _changed(document, rng)
    return document


def _changed(value: Any, rng: np.random.Generator) -> Any:
    if rng.random() < 0.15:
        return ODD[int(rng.integers(len(ODD)))]
    if isinstance(value, str) and value.startswith("{"):
        return orjson.dumps(_changed(orjson.loads(value), rng)).decode()
    if isinstance(value, list) and value:
        return [_changed(value[0], rng), *value[1:]] * int(rng.integers(1, 3))
    if isinstance(value, dict) and value:
        key = str(rng.choice(list(value)))
        others = {name: one for name, one in value.items() if name != key}
        return others if rng.random() < 0.1 else others | {key: _changed(value[key], rng)}
    return ODD[int(rng.integers(len(ODD)))]


def mutants(sound: tuple[bytes, ...], n: int, seed: int = SEED) -> Iterator[bytes]:
    """`n` of them, of each sound one in turn: its bytes changed, then its JSON, with the right length."""
    rng = np.random.default_rng(seed)
    for k in range(n):
        of = sound[k // 2 % len(sound)]
        head, end, body = of.rpartition(b"\r\n\r\n")
        if k % 2 == 0 or not body.startswith(b"{"):
            yield mutant(of, rng)
            continue
        body = orjson.dumps(restructured(orjson.loads(body), rng))
        yield head.partition(LENGTH)[0] + (LENGTH + str(len(body)).encode() if end else b"") + end + body


@dataclass
class Found:
    """What became of all mutants."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    longest_s: float = 0.0

    def took(self, seconds: float, text: bytes) -> None:
        """Count the time of one."""
        self.longest_s = max(self.longest_s, seconds)
        if seconds > SECONDS_MAX:
            self.slow.append(repr(text[:2000]))

    def crashed(self, text: bytes) -> None:
        """Count the exception that is being handled."""
        self.outcomes["crash"] += 1
        self.crashes.append(f"{text[:2000]!r}\n{traceback.format_exc()}")


def examine_messages(n: int) -> Found:
    """Read each as SQS would hand it over: text."""
    found = Found()
    for raw in mutants(MESSAGES, n):
        began_s = time.perf_counter()
        try:
            said = parse_message(raw.decode(errors="replace"), 1_795_230_729_200_000_000, "smb-test-")
            assert isinstance(said, Notice | Unreadable)
            found.outcomes["notice" if isinstance(said, Notice) else said.kind] += 1
        except Exception:  # noqa: BLE001  # any is what is looked for
            found.crashed(raw)
        found.took(time.perf_counter() - began_s, raw)
    return found


async def examine_answers(n: int) -> dict[str, Found]:
    """Make each call of the wire, and answer it with a mutant."""
    said = b""  # by `speak`, to the call that is being made

    def speak(visitor: Visitor, _request: bytes) -> None:
        visitor.say(said)
        visitor.close()

    results = {name: Found() for name in ANSWERS}
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    async with RawServer(speak) as server:
        settings = AwsSettings(region="us-east-1", endpoint_url=server.url)
        async with AwsClients(settings) as clients, wire_clients(clients) as wire:
            transport, outputs = WireTransport(wire.runtime, "ep"), S3Outputs(wire.s3)
            notices = WireNotices(wire.sqs, f"{server.url}/123456789012/q", run_prefix="smb-test-", wait_s=0)
            calls: dict[str, Callable[[], Awaitable[object]]] = {
                "submit": lambda: transport.submit(Invocation(1, "smb-test-0-1", body=b"{}")),
                "receive": notices.receive,
                "delete": lambda: notices.delete(["r1", "r2"]),
                "look up": lambda: outputs.look_up("s3://bucket/out/1.out", "s3://bucket/failed/1.out"),
            }
            for name, call in calls.items():
                for said in mutants(ANSWERS[name], n):
                    await _examine(call, said, results[name])
                    server.visitors.clear()
                    server.requests.clear()
    return results


async def _examine(call: Callable[[], Awaitable[object]], said: bytes, found: Found) -> None:
    began_s = time.perf_counter()
    try:
        async with asyncio.timeout(TRIES_S):
            await call()
        found.outcomes["answered"] += 1
    except Rejected:
        found.outcomes["rejected"] += 1
    except Unacknowledged:
        found.outcomes["no answer"] += 1
    except Exception:  # noqa: BLE001  # any other is what is looked for
        found.crashed(said)
    found.took(time.perf_counter() - began_s, said)


def main() -> int:
    given = [int(one) for one in sys.argv[1:]]
    n_messages, n_answers = [*given, *(20_000, 5_000)[len(given) :]]
    with asyncio.Runner(loop_factory=WarpLoop) as runner:
        results = {"messages": examine_messages(n_messages)} | runner.run(examine_answers(n_answers))
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    for name, found in results.items():
        counts = ", ".join(f"{n:,} {outcome}" for outcome, n in found.outcomes.most_common())
        sys.stdout.write(f"{name}: {counts}; the longest took {found.longest_s:.3f} s\n")
        sys.stdout.writelines(f"----\n{text}\n" for text in (*found.crashes[:3], *found.slow[:3]))
    sys.stdout.write(f"{peak_bytes / 1e6:.0f} MB at most\n")
    is_bad = any(found.crashes or found.slow for found in results.values())
    return int(is_bad or peak_bytes > BYTES_MAX)


if __name__ == "__main__":
    sys.exit(main())
