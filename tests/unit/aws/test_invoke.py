"""Goal: InvokeEndpointAsync leaves as AWS wants it, and every way it can end has its own name.

Method: the real aiobotocore client, and the wire, against a scripted server on loopback; the bytes of the request are
looked at. Time-outs pass in virtual time.
"""

import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from fake_aws import FakeAws, json_answer
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.invoke import SdkTransport
from smbench.aws.transport.wire_clients import WireClients, wire_clients
from smbench.aws.transport.wire_invoke import WireTransport
from smbench.aws.transport.wire_service import ServiceClock, WireService
from smbench.clock import WarpLoop
from smbench.emulator.protocol.chunks import ResetConnection
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.errors import TargetError
from smbench.ports import Transport
from smbench.records import Accepted, Invocation, Rejected, Unacknowledged
from smbench.wire.origin import Origin
from smbench.wire.pool import Pool

OUTPUT, FAILURE = "s3://bucket/out/1.out", "s3://bucket/failed/1-error.out"


@pytest.fixture(scope="module")
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


def accepted(_request: HttpRequest) -> HttpResponse:
    headers = {"x-amzn-sagemaker-outputlocation": OUTPUT, "x-amzn-sagemaker-failurelocation": FAILURE}
    return HttpResponse(202, [("content-type", "application/json"), *headers.items()], b'{"InferenceId":"run-0-1"}')


@pytest.fixture(scope="module")
async def aws() -> AsyncIterator[FakeAws]:
    async with FakeAws(accepted) as server:
        yield server


@pytest.fixture(scope="module")
async def clients(aws: FakeAws) -> AsyncIterator[AwsClients]:
    async with AwsClients(AwsSettings(endpoint_url=aws.url, emulated=True, in_flight=20)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def wire(clients: AwsClients) -> AsyncIterator[WireClients]:
    async with wire_clients(clients) as opened:
        yield opened


@pytest.fixture(params=["sdk", "wire"])
def transport(aws: FakeAws, clients: AwsClients, wire: WireClients, request: pytest.FixtureRequest) -> Transport:
    aws.answer = accepted
    aws.requests.clear()
    return SdkTransport(clients.runtime, "ep") if request.param == "sdk" else WireTransport(wire.runtime, "ep")


async def test_an_input_in_s3_goes_as_a_header_with_an_empty_body(aws: FakeAws, transport: Transport) -> None:
    await transport.submit(Invocation(1, "run-0-1", input_location="s3://bucket/in.json"))
    (request,) = aws.requests
    assert (request.method, request.raw_path) == ("POST", "/endpoints/ep/async-invocations")
    assert request.headers["x-amzn-sagemaker-inputlocation"] == "s3://bucket/in.json"
    assert request.headers["x-amzn-sagemaker-inference-id"] == "run-0-1"
    assert request.headers["content-length"] == "0"
    assert request.body == b""


async def test_an_inline_body_goes_byte_by_byte(aws: FakeAws, transport: Transport) -> None:
    body = bytes(range(256)) * 500  # 128,000 bytes, the most that AWS takes
    await transport.submit(Invocation(1, "run-0-1", body=body, content_type="image/png"))
    (request,) = aws.requests
    assert request.body == body
    assert "x-amzn-sagemaker-inputlocation" not in request.headers
    assert "content-type" not in request.headers  # the type of the payload has a header of its own
    assert request.headers["x-amzn-sagemaker-content-type"] == "image/png"


async def test_everything_that_was_asked_for_is_sent_and_nothing_else(aws: FakeAws, transport: Transport) -> None:
    await transport.submit(
        Invocation(
            seq=1,
            inference_id="run-0-1",
            input_location="s3://bucket/in.json",
            content_type="application/json",
            accept="text/csv",
            custom_attributes="",
            ttl_s=60,
            timeout_s=3600,
            output_extension="run1/a",
            filename="result.json",
        )
    )
    await transport.submit(Invocation(2, "run-0-2", input_location="s3://bucket/in.json"))
    full, bare = (own_headers(request) for request in aws.requests)
    assert full == {
        "inputlocation": "s3://bucket/in.json",
        "inference-id": "run-0-1",
        "content-type": "application/json",
        "accept": "text/csv",
        "custom-attributes": "",
        "requestttlseconds": "60",
        "invocationtimeoutseconds": "3600",
        "s3outputpathextension": "run1/a",
        "filename": "result.json",
    }
    assert bare == {"inputlocation": "s3://bucket/in.json", "inference-id": "run-0-2"}


def own_headers(request: HttpRequest) -> dict[str, str]:
    prefix = "x-amzn-sagemaker-"
    return {name.removeprefix(prefix): value for name, value in request.headers.items() if name.startswith(prefix)}


async def test_the_client_knows_the_members_that_came_after_its_model(aws: FakeAws, clients: AwsClients) -> None:
    aws.answer = accepted
    aws.requests.clear()
    await clients.runtime.invoke_endpoint_async(
        EndpointName="ep", Body=b"x", Filename="a.json", S3OutputPathExtension="run/1"
    )
    headers = own_headers(aws.requests[0])
    assert headers == {"filename": "a.json", "s3outputpathextension": "run/1"}


async def test_an_acceptance_says_where_the_result_will_be(transport: Transport) -> None:
    assert await transport.submit(Invocation(1, "run-0-1", body=b"x")) == Accepted(OUTPUT, FAILURE, 202)


async def test_without_a_failure_path_there_is_no_failure_location(aws: FakeAws, transport: Transport) -> None:
    aws.answer = lambda _: json_answer({"InferenceId": "x"}, 202, x_amzn_sagemaker_outputlocation=OUTPUT)
    assert await transport.submit(Invocation(1, "run-0-1", body=b"x")) == Accepted(OUTPUT, None, 202)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "message"),
    [
        (400, {"message": None}, "ThrottlingException", "ThrottlingException", ""),
        (400, {"message": "no such endpoint"}, "ValidationError:http://x/", "ValidationError", "no such endpoint"),
        (500, {}, "InternalFailure", "InternalFailure", ""),
        (500, {}, "", "500", ""),
        (403, {"message": "denied", "__type": "AccessDeniedException"}, "", "AccessDeniedException", "denied"),
    ],
)
async def test_a_refusal_keeps_status_code_and_message(
    aws: FakeAws, transport: Transport, status: int, body: object, kind: str, code: str, message: str
) -> None:
    headers = {"x_amzn_errortype": kind} if kind else {}
    aws.answer = lambda _: json_answer(body, status, **headers)
    with pytest.raises(Rejected) as refusal:
        await transport.submit(Invocation(1, "run-0-1", body=b"x"))
    assert (refusal.value.status_code, refusal.value.code, refusal.value.message) == (status, code, message)
    assert len(aws.requests) == 1  # the client does not try again by itself


async def test_an_error_page_of_something_in_between_is_a_refusal_by_its_status(
    aws: FakeAws, transport: Transport
) -> None:
    aws.answer = lambda _: HttpResponse(503, [("content-type", "text/html")], b"<html>no</html>")
    with pytest.raises(Rejected) as refusal:
        await transport.submit(Invocation(1, "run-0-1", body=b"x"))
    assert (refusal.value.status_code, refusal.value.code) == (503, "503")


async def test_a_refused_signature_is_not_repeated_with_its_token(aws: FakeAws, transport: Transport) -> None:
    text = "The Canonical String should have been\n'POST\nx-amz-security-token:SECRET\n'"
    aws.answer = lambda _: json_answer({"message": text}, 403, x_amzn_errortype="InvalidSignatureException")
    with pytest.raises(Rejected) as refusal:
        await transport.submit(Invocation(1, "run-0-1", body=b"x"))
    assert (refusal.value.code, refusal.value.message) == ("InvalidSignatureException", "")


async def cause(transport: Transport) -> str:
    with pytest.raises(Unacknowledged) as failure:
        await transport.submit(Invocation(1, "run-0-1", body=b"x"))
    return failure.value.cause


async def test_a_reset_is_a_reset(aws: FakeAws, transport: Transport) -> None:
    def reset(_request: HttpRequest) -> HttpResponse:
        raise ResetConnection

    aws.answer = reset
    assert await cause(transport) == "connection reset"
    assert len(aws.requests) == 1


async def test_silence_is_a_read_timeout_after_a_minute(aws: FakeAws, transport: Transport) -> None:
    async def never(_request: HttpRequest) -> HttpResponse:
        await anyio.sleep_forever()
        raise AssertionError

    aws.answer = never
    begin_s = anyio.current_time()
    assert await cause(transport) == "read timeout"
    assert 60 <= anyio.current_time() - begin_s < 61


@pytest.mark.slow
async def test_nobody_at_the_address_is_a_refused_connection(clients: AwsClients, wire: WireClients) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with AwsClients(AwsSettings(endpoint_url=url, emulated=True)) as nowhere:
        assert await cause(SdkTransport(nowhere.runtime, "ep")) == "connection refused"
        with pytest.raises(TargetError, match="connection refused"):  # before the load already
            async with wire_clients(nowhere):
                pytest.fail("opened")
    async with Pool(Origin.of(url), limit=1) as pool:
        runtime = WireService(
            pool,
            wire.runtime.signer,
            wire.runtime.credentials,
            clock=ServiceClock(),
            protocol="rest-json",
            user_agent="u",
        )
        assert await cause(WireTransport(runtime, "ep")) == "connection refused"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_an_acceptance_that_is_no_json_is_still_an_acceptance(aws: FakeAws, transport: Transport) -> None:
    aws.answer = lambda _: HttpResponse(202, [], json.dumps({"InferenceId": 1}).encode()[:-3])
    assert (await transport.submit(Invocation(1, "run-0-1", body=b"x"))).status_code == 202


async def test_a_parameter_that_botocore_refuses_is_our_bug_and_no_outcome(clients: AwsClients) -> None:
    wrong: Any = 12
    with pytest.raises(Exception, match="Parameter validation failed"):
        await SdkTransport(clients.runtime, "ep").submit(Invocation(1, wrong, body=b"x"))
