"""Goal: a call passes if and only if botocore signed just this call, with our key, for this service, now.

Method: requests signed by botocore itself, whole and then changed in one place each; what is refused is refused in the
words of the service. Once, every operation over HTTP by real clients.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from botocore import xform_name
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from emulation import EPOCH_NS, FAST, advance, scenario
from plain_services import aws_client, isolate_aws
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.clock import LoopClock, WarpLoop, wall_ns
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.presigned import refuse_stale
from smbench.emulator.protocol.signatures import CREDENTIALS, S3_SKEW_S, SKEW_S, Signatures
from smbench.emulator.server import Emulator
from smbench.wire.sigv4 import payload_hash
from tour import QUOTA, TOUR, Call

KEY, SECRET = CREDENTIALS.access_key, CREDENTIALS.secret_key
HOST = "http://127.0.0.1:8000"
JSON_HEADERS = {"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}
SIGNED = {  # scope: method, URL, headers, body
    "sqs": ("POST", "/", JSON_HEADERS, b'{"MaxResults":  3}'),
    "sns": (
        "POST",
        "/",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"Action=ListTopics&Version=2010-03-31",
    ),
    "sagemaker": ("POST", "/endpoints/a%20b/async-invocations", {"X-Amzn-SageMaker-Inference-Id": "a  b"}, b"{}"),
    "s3": (
        "PUT",
        "/bucket/a%20b//c+d%2Fe?x-id=PutObject&a=%2F",
        {"x-amz-meta-run": "7", "Content-Type": "a/b"},
        b"body",
    ),
}
MISMATCH = {"sqs": "InvalidSignatureException", "sns": "SignatureDoesNotMatch"}


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


def signed(
    scope: str, *, key: str = KEY, secret: str = SECRET, region: str = "us-east-1", **headers: str
) -> HttpRequest:
    """A request as botocore signs it and our server reads it."""
    method, target, own, body = SIGNED[scope]
    sent = AWSRequest(method, HOST + target, {**own, **headers}, body)
    auth = S3SigV4Auth if scope == "s3" else SigV4Auth
    auth(BotocoreCredentials(key, secret), scope, region).add_auth(sent)
    return as_received(sent, body)


def as_received(sent: Any, body: bytes) -> HttpRequest:
    url = urlsplit(str(sent.url))
    target = url.path + (f"?{url.query}" if url.query else "")
    headers = {name.lower(): str(value) for name, value in sent.headers.items()} | {"host": url.netloc}
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return HttpRequest(sent.method, target, unquote(url.path), url.path, query, headers, body)


def with_headers(request: HttpRequest, **headers: str) -> HttpRequest:
    return replace(
        request, headers=request.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    )


def check(request: HttpRequest, service: str, now: datetime | None = None) -> None:
    clock = wall_ns if now is None else lambda: round(now.timestamp() * 1e9)
    Signatures("us-east-1", now_utc_ns=clock).check(request, service)


def refusal(request: HttpRequest, service: str, now: datetime | None = None) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        check(request, service, now)
    return refused.value


def code(error: ServiceError, service: str) -> str:
    """As the service's clients read it."""
    return error.query_error_code or error.code if service == "sns" else error.code


@pytest.mark.parametrize("scope", SIGNED)
def test_what_botocore_signed_passes(scope: str) -> None:
    check(signed(scope), scope)


def changed_paths(request: HttpRequest) -> HttpRequest:
    return replace(request, raw_path=request.raw_path + "x")


CHANGES: dict[str, Callable[[HttpRequest], HttpRequest]] = {
    "method": lambda request: replace(request, method="GET"),
    "path": changed_paths,
    "query": lambda request: replace(request, target=request.target + ("&" if "?" in request.target else "?") + "b=1"),
    "host": lambda request: with_headers(request, host="127.0.0.1:8001"),
    "stamp": lambda request: with_headers(request, x_amz_date=later(request, 1)),
    "signature": lambda request: with_headers(request, authorization=request.headers["authorization"][:-1] + "g"),
}


def stamped(request: HttpRequest) -> datetime:
    return datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def later(request: HttpRequest, seconds: float) -> str:
    return (stamped(request) + timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%SZ")


@pytest.mark.parametrize("scope", SIGNED)
@pytest.mark.parametrize("change", CHANGES)
def test_one_change_after_signing_is_a_mismatch(scope: str, change: str) -> None:
    error = refusal(CHANGES[change](signed(scope)), scope)
    expected = "InvalidSignatureException" if scope in ("sqs", "sagemaker") else "SignatureDoesNotMatch"
    assert (code(error, scope), error.status) == (expected, 403)
    assert str(error.message).startswith("The request signature we calculated does not match")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_signed_header_can_be_changed(data: st.DataObject) -> None:
    scope = data.draw(st.sampled_from(sorted(SIGNED)))
    request = signed(scope)
    _, _, names = request.headers["authorization"].partition("SignedHeaders=")
    name = data.draw(st.sampled_from(names.partition(",")[0].split(";")))
    value = data.draw(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=30))
    if value.split() != request.headers[name].split():  # white space does not count
        refusal(replace(request, headers=request.headers | {name: value}), scope)


@pytest.mark.parametrize("scope", SIGNED)
def test_another_body_is_refused(scope: str) -> None:
    error = refusal(replace(signed(scope), body=b"another"), scope)
    expected = {"s3": "XAmzContentSHA256Mismatch", "sns": "SignatureDoesNotMatch"}
    assert code(error, scope) == expected.get(scope, "InvalidSignatureException")


@pytest.mark.parametrize("scope", ["sqs", "sagemaker"])  # S3's signer in botocore digests the body itself
def test_a_signed_digest_must_be_the_bodys(scope: str) -> None:
    wrong = signed(scope, **{"X-Amz-Content-SHA256": payload_hash(b"another")})
    assert refusal(wrong, scope).code == "InvalidSignatureException"


@pytest.mark.parametrize("digest", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_s3_alone_takes_a_body_without_its_digest(digest: str) -> None:
    def sign(scope: str) -> HttpRequest:
        method, target, own, body = SIGNED[scope]
        sent = AWSRequest(method, HOST + target, {**own, "X-Amz-Content-SHA256": digest}, body)
        auth: Any = SigV4Auth(BotocoreCredentials(KEY, SECRET), scope, "us-east-1")
        if scope == "s3":
            auth.payload = lambda _request: digest  # as its S3 form does over TLS
            auth._normalize_url_path = lambda path: path
        auth.add_auth(sent)
        return as_received(sent, body)

    check(sign("s3"), "s3")
    check(replace(sign("s3"), body=b"another"), "s3")
    assert refusal(sign("sqs"), "sqs").code == "InvalidSignatureException"


NOT_SIGNED = {"sqs": "MissingAuthenticationTokenException", "sns": "MissingAuthenticationToken", "s3": "AccessDenied"}
UNKNOWN_KEY = {"sqs": "UnrecognizedClientException", "sns": "InvalidClientTokenId", "s3": "InvalidAccessKeyId"}


@pytest.mark.parametrize("scope", NOT_SIGNED)
def test_who_does_not_sign_or_has_another_key_is_told_so(scope: str) -> None:
    unsigned = signed(scope)
    del unsigned.headers["authorization"]
    missing, unknown = refusal(unsigned, scope), refusal(signed(scope, key="AKIDEXAMPLE"), scope)
    assert (code(missing, scope), missing.status) == (NOT_SIGNED[scope], 403)
    assert (code(unknown, scope), unknown.status) == (UNKNOWN_KEY[scope], 403)


def test_a_browsers_form_is_left_to_s3_which_says_that_it_takes_none() -> None:
    form = replace(signed("s3"), method="POST", query={}, target="/bucket")
    del form.headers["authorization"]
    form.headers["content-type"] = "multipart/form-data; boundary=x"
    check(form, "s3")
    for another in (replace(form, method="PUT"), replace(form, query={"delete": ""})):
        assert refusal(another, "s3").code == "AccessDenied"


@pytest.mark.parametrize("scope", SIGNED)
def test_the_key_with_another_secret_is_a_mismatch(scope: str) -> None:
    assert str(refusal(signed(scope, secret="guessed"), scope).message).startswith(
        "The request signature we calculated"
    )


@pytest.mark.parametrize(("scope", "skew_s"), [("sqs", SKEW_S), ("sagemaker", SKEW_S), ("s3", S3_SKEW_S)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_stamp_may_be_as_far_off_as_the_service_says_and_no_further(scope: str, skew_s: int, sign: int) -> None:
    request = signed(scope)
    check(request, scope, stamped(request) + timedelta(seconds=sign * skew_s))
    error = refusal(request, scope, stamped(request) + timedelta(seconds=sign * (skew_s + 1)))
    if scope == "s3":
        assert (error.code, error.status) == ("RequestTimeTooSkewed", 403)
        return
    assert (error.code, error.status) == ("InvalidSignatureException", 403)
    begins = "Signature expired: " if sign > 0 else "Signature not yet current: "
    assert str(error.message).startswith(begins + request.headers["x-amz-date"])


@pytest.mark.parametrize("scope", SIGNED)
def test_a_signature_is_good_for_its_own_service_and_region_only(scope: str) -> None:
    other = "sqs" if scope == "s3" else "s3"
    elsewhere, other_service = refusal(signed(scope, region="eu-west-1"), scope), refusal(signed(scope), other)
    assert code(elsewhere, scope) in (
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "AuthorizationHeaderMalformed",
    )
    assert other_service.code in ("InvalidSignatureException", "AuthorizationHeaderMalformed")


@pytest.mark.parametrize("scope", ["sqs", "s3"])
def test_a_header_of_aws_that_was_not_signed_is_refused(scope: str) -> None:
    error = refusal(with_headers(signed(scope), x_amz_added="1"), scope)
    assert error.code == ("AccessDenied" if scope == "s3" else "InvalidSignatureException")
    check(with_headers(signed(scope), user_agent="any", accept="*/*"), scope)


@given(text=st.text(st.characters(codec="latin-1"), max_size=80), scope=st.sampled_from(["sqs", "s3"]))
def test_an_authorization_that_means_nothing_is_refused_and_never_raises_anything_else(text: str, scope: str) -> None:
    for header in (
        text,
        f"AWS4-HMAC-SHA256 {text}",
        f"AWS4-HMAC-SHA256 Credential={text}, SignedHeaders=a, Signature=b",
    ):
        refusal(with_headers(signed(scope), authorization=header), scope)


def presigned(auth: Any, *, target: str = "/bucket/a%20b", method: str = "GET", **headers: str) -> HttpRequest:
    sent = AWSRequest(method, HOST + target, headers, b"")
    auth.add_auth(sent)
    return as_received(sent, b"")


def version_4(expires: int = 60) -> Any:
    return S3SigV4QueryAuth(BotocoreCredentials(KEY, SECRET), "s3", "us-east-1", expires=expires)


def version_2(expires: int = 60, secret: str = SECRET) -> Any:
    return HmacV1QueryAuth(BotocoreCredentials(KEY, secret), expires=expires)


def made_at(request: HttpRequest) -> datetime:
    """When a URL that is good for a minute was made."""
    if "Expires" in request.query:
        return datetime.fromtimestamp(int(request.query["Expires"]) - 60, UTC)
    return datetime.strptime(request.query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@pytest.mark.parametrize("auth", [version_4, version_2])
def test_a_presigned_url_is_good_until_it_expires(auth: Callable[[], Any]) -> None:
    request = presigned(auth())
    check(request, "s3", made_at(request) + timedelta(seconds=60))
    error = refusal(request, "s3", made_at(request) + timedelta(seconds=61))
    assert (error.code, error.status, error.message) == ("AccessDenied", 403, "Request has expired")
    ended = made_at(request) + timedelta(seconds=60)
    assert error.details["Expires"] == ended.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert refusal(changed_paths(request), "s3").code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("auth", [version_4, version_2])
def test_nobody_has_to_verify_signatures_for_a_presigned_url_to_expire(auth: Callable[[], Any]) -> None:
    request = presigned(auth())
    now_s = made_at(request).timestamp()
    refuse_stale(request, now_s + 60)
    refuse_stale(changed_paths(request), now_s + 60)
    with pytest.raises(ServiceError, match="Request has expired"):
        refuse_stale(request, now_s + 61)


BROKEN_QUERIES: dict[str, tuple[dict[str, str | None], str]] = {
    "no expiry": ({"X-Amz-Expires": None}, "requires the X-Amz-Algorithm, "),
    "no date": ({"X-Amz-Date": None}, "requires the X-Amz-Algorithm, "),
    "no signature": ({"X-Amz-Signature": None}, "requires the X-Amz-Algorithm, "),
    "another algorithm": ({"X-Amz-Algorithm": "AWS4-HMAC-SHA1"}, "X-Amz-Algorithm only supports"),
    "a date in words": ({"X-Amz-Date": "today"}, "X-Amz-Date must be in the ISO8601 Long Format"),
    "words for seconds": ({"X-Amz-Expires": "1h"}, "X-Amz-Expires should be a number"),
    "seconds of the past": ({"X-Amz-Expires": "-1"}, "X-Amz-Expires must be non-negative"),
    "over a week": ({"X-Amz-Expires": "604801"}, "X-Amz-Expires must be less than a week"),
}


@pytest.mark.parametrize("broken", BROKEN_QUERIES)
def test_a_query_that_cannot_be_a_signature_is_refused_by_what_is_wrong_with_it(broken: str) -> None:
    request = presigned(version_4())
    changes, says = BROKEN_QUERIES[broken]
    query = {name: value for name, value in {**request.query, **changes}.items() if value is not None}
    with pytest.raises(ServiceError) as refused:
        refuse_stale(replace(request, query=query), made_at(request).timestamp())
    assert (refused.value.code, refused.value.status) == ("AuthorizationQueryParametersError", 400)
    assert says in str(refused.value.message)


def test_a_url_of_tomorrow_and_a_url_beside_a_header_are_refused() -> None:
    request = presigned(version_4())
    early = refusal(request, "s3", made_at(request) - timedelta(seconds=S3_SKEW_S + 1))
    assert (early.code, early.message) == ("AccessDenied", "Request is not valid yet")
    both = with_headers(request, authorization="AWS4-HMAC-SHA256 Credential=a")
    assert refusal(both, "s3").code == "InvalidArgument"


@pytest.mark.parametrize(
    ("target", "method", "headers"),
    [
        ("/bucket/a%20b%2B%C3%BC//c/..?versionId=null", "GET", {}),
        ("/bucket/k?response-content-type=text%2Fx&response-content-disposition=a%20%22b%22", "GET", {}),
        ("/bucket/k", "PUT", {"Content-Type": "text/x", "x-amz-meta-run": "7"}),
        ("/bucket?list-type=2&prefix=a%2F", "GET", {}),
    ],
)
@pytest.mark.parametrize("by", ["header", "query"])
def test_signatures_of_version_2_pass_for_what_they_sign(
    target: str, method: str, headers: dict[str, str], by: str
) -> None:
    pair = BotocoreCredentials(KEY, SECRET)
    auth: Any = HmacV1Auth(pair) if by == "header" else HmacV1QueryAuth(pair, expires=60)
    request = presigned(auth, target=target, method=method, **headers)
    if by == "query" and headers:
        request = with_headers(request, content_type="text/x")
    check(request, "s3")
    assert refusal(replace(request, method="DELETE"), "s3").code == "SignatureDoesNotMatch"
    if headers:
        assert refusal(with_headers(request, content_type="text/y"), "s3").code == "SignatureDoesNotMatch"
        assert refusal(with_headers(request, x_amz_meta_run="8"), "s3").code == "SignatureDoesNotMatch"


def test_a_bucket_in_the_host_is_signed_by_version_2() -> None:
    def sent(host: str) -> HttpRequest:
        whole = AWSRequest("GET", "http://bucket.localhost:8000/k", {}, b"")
        auth: Any = HmacV1QueryAuth(BotocoreCredentials(KEY, SECRET), expires=60)
        whole.auth_path = "/bucket/k"
        auth.add_auth(whole)
        return with_headers(as_received(whole, b""), host=host)

    check(sent("bucket.localhost:8000"), "s3")
    assert refusal(sent("other.localhost:8000"), "s3").code == "SignatureDoesNotMatch"


def test_version_2_is_refused_by_its_own_words() -> None:
    url = presigned(version_2())
    assert refusal(presigned(version_2(secret="guessed")), "s3").code == "SignatureDoesNotMatch"
    other = replace(url, query=url.query | {"AWSAccessKeyId": "AKIDEXAMPLE"})
    assert (refusal(other, "s3").code, refusal(other, "s3").status) == ("InvalidAccessKeyId", 403)
    for name in ("Signature", "Expires", "AWSAccessKeyId"):
        without = {other: value for other, value in url.query.items() if other != name}
        assert refusal(replace(url, query=without), "s3").status == 403
    assert refusal(replace(url, query=url.query | {"Expires": "soon"}), "s3").code == "AccessDenied"
    header = presigned(HmacV1Auth(BotocoreCredentials(KEY, SECRET)))
    late = refusal(header, "s3", datetime.now(UTC) + timedelta(hours=1))
    assert late.code == "RequestTimeTooSkewed"
    assert refusal(with_headers(header, date=""), "s3").code == "AccessDenied"
    with pytest.raises(ServiceError, match="Please use AWS4-HMAC-SHA256") as refused:
        Signatures("eu-central-1").check(url, "s3")
    assert (refused.value.code, refused.value.status) == ("InvalidRequest", 400)


def test_s3_names_the_region_it_expects_where_clients_look_for_it() -> None:
    """s3cmd signs for `US` at first, botocore for its own region; both then sign again for this one."""
    by_header = refusal(signed("s3", region="US"), "s3")
    assert by_header.details == {"Region": "us-east-1"}
    assert by_header.headers == {"x-amz-bucket-region": "us-east-1"}  # HEAD has no document
    elsewhere = presigned(S3SigV4QueryAuth(BotocoreCredentials(KEY, SECRET), "s3", "eu-west-1", expires=60))
    by_query = refusal(elsewhere, "s3")
    assert (by_query.code, by_query.status) == ("AuthorizationQueryParametersError", 400)
    assert by_query.details == {"Region": "us-east-1"}


# over HTTP


async def verifying(stack: AsyncExitStack) -> Emulator:
    emulator = Emulator(scenario(FAST | QUOTA), None, EPOCH_NS, verify_signatures=True)
    await emulator.start()
    stack.push_async_callback(emulator.stop)
    emulator.go(LoopClock(EPOCH_NS))
    return emulator


@pytest.mark.slow
async def test_every_operation_of_real_clients_is_signed_well() -> None:
    kept: dict[str, Any] = {"start": datetime.fromtimestamp(EPOCH_NS / 1e9, UTC)}
    kept["end"] = kept["start"] + timedelta(hours=2)
    async with AsyncExitStack() as stack:
        emulator = await verifying(stack)
        clients: dict[str, Any] = {}
        for step in TOUR:
            if not isinstance(step, Call):
                await advance(emulator, step.seconds)
                continue
            if step.service not in clients:
                client = aws_client(step.service, emulator.url, KEY, SECRET)
                clients[step.service] = await stack.enter_async_context(client)
            reply = await getattr(clients[step.service], xform_name(step.operation))(**step.arguments(kept))
            if step.keep:
                kept[step.keep] = reply


ASKED: dict[str, tuple[str, dict[str, Any], str]] = {
    "sqs": ("list_queues", {}, "SignatureDoesNotMatch"),  # botocore shows the code of the older protocol
    "sns": ("list_topics", {}, "SignatureDoesNotMatch"),
    "sts": ("get_caller_identity", {}, "SignatureDoesNotMatch"),
    "s3": ("list_buckets", {}, "SignatureDoesNotMatch"),
    "sagemaker": ("list_endpoints", {}, "InvalidSignatureException"),
    "application-autoscaling": (
        "describe_scalable_targets",
        {"ServiceNamespace": "sagemaker"},
        "InvalidSignatureException",
    ),
    "sagemaker-runtime": (
        "invoke_endpoint_async",
        {"EndpointName": "smbench-emulated", "InputLocation": "s3://a/b"},
        "InvalidSignatureException",
    ),
}


@pytest.mark.slow
async def test_credentials_of_a_role_are_good_until_they_expire_and_say_whose_they_are() -> None:
    async with AsyncExitStack() as stack:
        emulator = await verifying(stack)
        ours = await stack.enter_async_context(aws_client("sts", emulator.url, KEY, SECRET))
        role = "arn:aws:iam::123456789012:role/deployer"
        lent = (await ours.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=900))["Credentials"]
        session = (await ours.get_session_token())["Credentials"]
        pairs = {"role": lent, "session": session, "mixed": lent | {"SessionToken": session["SessionToken"]}}
        arns, said = dict[str, str](), dict[str, str]()
        for seconds in (0, 901):
            await advance(emulator, seconds)
            for name, pair in pairs.items():
                for service in ("sts", "sagemaker", "s3"):
                    keys = pair["AccessKeyId"], pair["SecretAccessKey"]
                    client = aws_client(service, emulator.url, *keys, token=pair["SessionToken"])
                    async with client as one:
                        try:
                            operation, params, _ = ASKED[service]
                            answer = await getattr(one, operation)(**params)
                            arns[name] = answer.get("Arn", arns.get(name, ""))
                        except ClientError as error:
                            said[f"{name} {service} {seconds}"] = error.response["Error"]["Code"]
        assert arns == {
            "role": "arn:aws:sts::123456789012:assumed-role/deployer/me",
            "session": "arn:aws:iam::123456789012:user/smbench",
        }
        over = {"role sts 901": "ExpiredToken", "role sagemaker 901": "ExpiredTokenException"}
        wrong = {"sts": "InvalidClientTokenId", "sagemaker": "UnrecognizedClientException", "s3": "InvalidToken"}
        mixed = {f"mixed {service} {s}": code for service, code in wrong.items() for s in (0, 901)}
        assert said == over | {"role s3 901": "ExpiredToken"} | mixed


async def test_a_client_with_the_wrong_secret_reads_its_services_own_refusal() -> None:
    async with AsyncExitStack() as stack:
        emulator = await verifying(stack)
        for service, (call, arguments, expected) in ASKED.items():
            client = await stack.enter_async_context(aws_client(service, emulator.url, KEY, "guessed"))
            with pytest.raises(ClientError) as refused:
                await getattr(client, call)(**arguments)
            answer = refused.value.response
            assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (expected, 403), service


@pytest.mark.slow
async def test_smbenchs_own_clients_sign_with_the_pair_that_is_asked_for() -> None:
    async with AsyncExitStack() as stack:
        emulator = await verifying(stack)
        settings_ = AwsSettings(endpoint_url=emulator.url, emulated=True)
        clients = await stack.enter_async_context(AwsClients(settings_))
        assert (await clients.identity())["Account"] == emulator.site.account


@pytest.mark.slow  # clients of its own
async def test_a_profile_of_a_web_identity_gets_its_role_by_an_unsigned_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolate_aws(monkeypatch)
    token, config = tmp_path / "token", tmp_path / "config"
    token.write_text("header.payload.signature")
    role = "arn:aws:iam::123456789012:role/deployer"
    lines = ("[profile web]", f"role_arn = {role}", f"web_identity_token_file = {token}", "role_session_name = ci")
    config.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    emulator = Emulator(scenario(FAST), None, wall_ns(), verify_signatures=True)
    await emulator.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
        async with AwsClients(AwsSettings("us-east-1", "web", services=("sts", "sagemaker"))) as clients:
            assert (await clients.identity())["Arn"] == "arn:aws:sts::123456789012:assumed-role/deployer/ci"
            assert (await clients.sagemaker.list_endpoints())["Endpoints"]
    finally:
        await emulator.stop()
