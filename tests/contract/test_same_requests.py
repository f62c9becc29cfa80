"""Goal: AWS cannot tell the two transports apart, but for what is named here.

Method: both send what hypothesis makes to one server on loopback, with one pair of credentials at one frozen instant;
what the server read is compared: method, path, query, headers, body, and the signature, byte for byte.

What differs, in every request: `amz-sdk-invocation-id` and `amz-sdk-request`, the SDK's own book of its retries, which
it does not sign. In SQS: the spaces inside the JSON, and with them the hash of the body. In S3: the SDK adds a checksum
of what it puts (`x-amz-checksum-crc32`) and asks for that of what it gets (`x-amz-checksum-mode`); the wire signs the
body's hash, which the server checks as well. Nor does the wire ask before it sends a body (`Expect: 100-continue`): it
knows the bucket from the HEAD before.
"""

import datetime
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio.from_thread
import botocore.auth
import pytest
from aiobotocore.credentials import AioCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_aws import FakeAws, json_answer
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.invoke_sync import SdkSyncTransport
from smbench.aws.transport.notices import SqsNotices
from smbench.aws.transport.wire_clients import WireClients, wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_invoke_sync import WireSyncTransport
from smbench.aws.transport.wire_notices import WireNotices
from smbench.aws.transport.wire_service import ServiceClock
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.records import Invocation
from smbench.wire.sigv4 import Credentials

pytestmark = pytest.mark.slow

NOW = datetime.datetime(2026, 11, 21, 9, 0, tzinfo=datetime.UTC)
NOW_NS = 1_795_251_600_000_000_000
UNSIGNED = {"amz-sdk-invocation-id", "amz-sdk-request"}


def answer(request: HttpRequest) -> HttpResponse:
    if request.raw_path.startswith("/bucket"):
        dated = [("last-modified", "Sat, 21 Nov 2026 09:00:00 GMT"), ("etag", '"0"')]
        return HttpResponse(206 if request.method == "GET" else 200, dated, b"x" if request.method == "GET" else b"")
    return json_answer({}, 202 if "async-invocations" in request.raw_path else 200)


@dataclass
class Both:
    """The two transports before one server, and a way to call them from a test that is not asynchronous."""

    portal: anyio.from_thread.BlockingPortal
    aws: FakeAws
    clients: AwsClients
    wire: WireClients

    def __post_init__(self) -> None:
        # One of each for all examples: what is kept from one request to the next would be seen.
        self.by_sdk, self.by_wire = SdkTransport(self.clients.runtime, "ep"), WireTransport(self.wire.runtime, "ep")
        self.sync_by_sdk = SdkSyncTransport(self.clients.runtime, "ep")
        self.sync_by_wire = WireSyncTransport(self.wire.runtime, "ep")

    def take(self, credentials: Credentials) -> None:
        """Sign with these from now on."""
        pair = (credentials.access_key, credentials.secret_key, credentials.token)
        for client in (self.clients.runtime, self.clients.sqs, self.clients.s3):
            client._request_signer._credentials = AioCredentials(*pair)
        for service in (self.wire.runtime, self.wire.sqs, *self.wire.s3._services.values()):
            service.credentials = lambda: credentials

    def seen(self, call: Any, *arguments: Any, **named: Any) -> HttpRequest:
        """The one request that a call made."""

        async def run() -> None:
            await call(*arguments, **named)

        self.aws.requests.clear()
        self.portal.call(run)
        (request,) = self.aws.requests
        return request


@asynccontextmanager
async def opened(portal: anyio.from_thread.BlockingPortal) -> AsyncIterator[Both]:
    async with (
        FakeAws(answer) as aws,
        AwsClients(AwsSettings(endpoint_url=aws.url, emulated=True)) as clients,
        wire_clients(clients) as wire,
    ):
        yield Both(portal, aws, clients, wire)


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with anyio.from_thread.start_blocking_portal() as portal, portal.wrap_async_context_manager(opened(portal)) as made:
        yield made


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: NOW)
    monkeypatch.setattr(ServiceClock, "utc_ns", lambda _clock: NOW_NS)


def told(request: HttpRequest) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name not in UNSIGNED}


visible = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
odd = visible | st.sampled_from(["", "a  b", " a ", "text/plain; charset=utf-8", "a,b", '"q"', "a:b", "=?utf-8?"])
name = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
credentials = st.builds(
    Credentials,
    st.just("AKIDEXAMPLE"),
    st.text("abcXYZ019/+", min_size=1, max_size=40),
    st.none() | st.text("abcXYZ019/+=", min_size=1, max_size=400),
)
made = st.builds(
    Invocation,
    seq=st.just(1),
    inference_id=name,
    input_location=keys.map("s3://bucket/".__add__),
    content_type=st.none() | odd,
    accept=st.none() | odd,
    custom_attributes=st.none() | odd,
    ttl_s=st.none() | st.integers(60, 21_600),
    timeout_s=st.none() | st.integers(1, 3_600),
    output_extension=st.none() | st.from_regex(r"[a-zA-Z0-9!_.*'()/-]{1,40}", fullmatch=True),
    filename=st.none() | st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,20}", fullmatch=True),
)
inline = st.builds(
    Invocation,
    seq=st.just(1),
    inference_id=name,
    body=st.binary(max_size=300),
    content_type=st.none() | odd,
    ttl_s=st.none() | st.integers(60, 21_600),
)


def test_an_invocation_is_the_same_request_with_the_same_signature(both: Both) -> None:
    @settings(max_examples=200)
    @given(made | inline, credentials)
    def law(invocation: Invocation, signing: Credentials) -> None:
        both.take(signing)
        sdk = both.seen(both.by_sdk.submit, invocation)
        wire = both.seen(both.by_wire.submit, invocation)
        assert (wire.method, wire.target, wire.body) == (sdk.method, sdk.target, sdk.body)
        assert told(wire) == told(sdk)
        assert "Signature=" in wire.headers["authorization"]

    law()


endpoint_like = st.from_regex(r"[a-zA-Z0-9](-[a-zA-Z0-9]){0,10}", fullmatch=True)
printed = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
synchronous = st.builds(
    Invocation,
    seq=st.just(1),
    inference_id=name,
    body=st.binary(max_size=300),
    content_type=st.none() | odd,
    accept=st.none() | odd,
    custom_attributes=st.none() | odd,
    target_model=st.none() | printed,
    target_variant=st.none() | endpoint_like,
    target_container=st.none() | endpoint_like,
    inference_component=st.none() | endpoint_like,
    explanations=st.none() | printed,
)


def test_a_synchronous_invocation_is_the_same_request_with_the_same_signature(both: Both) -> None:
    @settings(max_examples=200)
    @given(synchronous, credentials)
    def law(invocation: Invocation, signing: Credentials) -> None:
        both.take(signing)
        sdk = both.seen(both.sync_by_sdk.submit, invocation)
        wire = both.seen(both.sync_by_wire.submit, invocation)
        assert (wire.method, wire.target, wire.body) == (sdk.method, sdk.target, sdk.body)
        assert told(wire) == told(sdk)
        assert "Signature=" in wire.headers["authorization"]

    law()


receipts = st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=10)


def but_for_the_body(request: HttpRequest) -> dict[str, str]:
    """Headers without those that the spaces inside the JSON change; of the signature, all but itself."""
    headers = told(request)
    del headers["content-length"]
    headers["authorization"] = headers["authorization"].rpartition("Signature=")[0]
    return headers


@pytest.mark.parametrize("wait_s", [0, 20])
def test_a_long_poll_is_the_same_request_but_for_spaces_in_the_json(both: Both, wait_s: int) -> None:
    both.take(Credentials("AKIDEXAMPLE", "secret", "token"))
    url = f"{both.aws.url}/123456789012/queue"
    sdk = both.seen(SqsNotices(both.clients.sqs, url, wait_s=wait_s).receive)
    wire = both.seen(WireNotices(both.wire.sqs, url, wait_s=wait_s).receive)
    assert (wire.method, wire.target, json.loads(wire.body)) == (sdk.method, sdk.target, json.loads(sdk.body))
    assert but_for_the_body(wire) == but_for_the_body(sdk)


def test_a_batch_of_deletes_is_the_same_request_but_for_spaces_in_the_json(both: Both) -> None:
    url = f"{both.aws.url}/123456789012/queue"

    @settings(max_examples=50)
    @given(receipts, credentials)
    def law(handles: list[str], signing: Credentials) -> None:
        both.take(signing)
        sdk = both.seen(SqsNotices(both.clients.sqs, url).delete, handles)
        wire = both.seen(WireNotices(both.wire.sqs, url).delete, handles)
        assert (wire.method, wire.target, json.loads(wire.body)) == (sdk.method, sdk.target, json.loads(sdk.body))
        assert but_for_the_body(wire) == but_for_the_body(sdk)

    law()


SDK_ONLY = {"x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-mode", "expect"}


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("head_object", {}),
        ("get_object", {"Range": "bytes=0-255"}),
        ("put_object", {"Body": b"{}", "ContentType": "application/json"}),
        ("put_object", {"Body": b""}),
    ],
)
def test_an_object_is_asked_for_and_put_as_the_sdk_does_but_for_checksums(
    both: Both, operation: str, arguments: dict[str, Any]
) -> None:
    both.seen(both.wire.s3.head_object, Bucket="bucket", Key="k")  # the store's service is there from now on

    @settings(max_examples=50)
    @given(
        st.text(min_size=1, max_size=40) | st.sampled_from(["../x", "a/./b", "a//b", "/a", "a/", "a b+c"]), credentials
    )
    def law(key: str, signing: Credentials) -> None:
        both.take(signing)
        at = {"Bucket": "bucket", "Key": key}
        sdk = both.seen(getattr(both.clients.s3, operation), **at, **arguments)
        wire = both.seen(getattr(both.wire.s3, operation), **at, **arguments)
        assert (wire.method, wire.target, wire.body) == (sdk.method, sdk.target, sdk.body)
        theirs, ours = told(sdk), told(wire)
        # Of HEAD nothing differs; else what the SDK adds is signed too.
        assert (theirs.pop("authorization") == ours.pop("authorization")) is (operation == "head_object")
        assert {header for header in theirs if header not in ours} <= SDK_ONLY
        assert ours == {header: value for header, value in theirs.items() if header not in SDK_ONLY}

    law()
