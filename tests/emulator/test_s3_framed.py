"""S3's own framing of bodies: what streaming SDKs send, signed or not, with any checksum behind it.

Method: bytes as clients write them, on a socket; signatures by an independent copy of the published algorithm.
"""

import base64
import hashlib
import hmac
import zlib
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from plain_services import Answer, PlainServices, answers, serving, talk
from smbench.clock import WarpLoop, wall_ns
from smbench.emulator.protocol import aws_chunked
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.signatures import CREDENTIALS, Signatures
from smbench.emulator.s3.checksums import SIZES_BYTES, checksum

UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
HELLO = b"6\r\nhello \r\n5\r\nworld\r\n0\r\n"
CHECK = b"123456789"  # whose checksums the catalogues print
KNOWN = {
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
}


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


def in_chunks(body: bytes, size: int = 65536, trailers: str = "") -> bytes:
    cuts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(f"{len(cut):x}\r\n".encode() + cut + b"\r\n" for cut in cuts)
    return framed + f"0\r\n{trailers}\r\n".encode()


async def put(services: PlainServices, framed: bytes, n_bytes: int | None, **headers: str) -> Answer:
    """PUT /bucket/k with these headers, in HTTP's chunks as the JavaScript SDK sends it."""
    services.s3.create_bucket("bucket")
    told = {"content-encoding": "aws-chunked", "x-amz-content-sha256": UNSIGNED} | headers
    told |= {} if n_bytes is None else {"x-amz-decoded-content-length": str(n_bytes)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
    head = f"PUT /bucket/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{lines}\r\n"
    body = f"{len(framed):x}\r\n".encode() + framed + b"\r\n0\r\n\r\n"
    (answer,) = answers(await talk(services.server.port, head.encode() + body))
    return answer


@pytest.mark.parametrize("algorithm", KNOWN)
def test_a_checksum_is_the_catalogues(algorithm: str) -> None:
    expected = base64.b64encode(bytes.fromhex(KNOWN[algorithm])).decode()
    assert checksum(algorithm, CHECK) == expected


@settings(max_examples=10, deadline=None)
@given(st.binary(max_size=1500))
def test_a_crc_in_lanes_is_that_of_a_byte_at_a_time(body: bytes) -> None:
    grown = body * 2
    for algorithm, polynomial, n_bytes in (("crc32c", 0x82F63B78, 4), ("crc64nvme", 0x9A6C9329AC4BC9B5, 8)):
        register = (1 << 8 * n_bytes) - 1
        for byte in grown:
            register ^= byte
            for _ in range(8):
                register = register >> 1 ^ (polynomial if register & 1 else 0)
        inverted = register ^ (1 << 8 * n_bytes) - 1
        assert checksum(algorithm, grown) == base64.b64encode(inverted.to_bytes(n_bytes, "big")).decode()


@pytest.mark.parametrize("algorithm", SIZES_BYTES)
async def test_a_streamed_object_is_stored_without_its_frames_and_with_its_checksum(algorithm: str) -> None:
    header, body = f"x-amz-checksum-{algorithm}", b"x" * 20_000
    value = checksum(algorithm, body) or base64.b64encode(bytes(SIZES_BYTES[algorithm])).decode()
    async with serving() as services:
        framed = in_chunks(body, 8192, f"{header}:{value}\r\n")
        answer = await put(services, framed, len(body), **{"x-amz-trailer": header})
        assert (answer.status, answer.headers[header]) == (200, value)
        assert services.s3.get("bucket", "k") == body
        s3 = await services.client("s3")
        told = await s3.head_object(Bucket="bucket", Key="k")
        assert "ContentEncoding" not in told


async def test_an_md5_comes_as_a_trailer_of_its_old_name() -> None:
    digest = base64.b64encode(hashlib.md5(b"hello", usedforsecurity=False).digest()).decode()
    async with serving() as services:
        framed = in_chunks(b"hello", trailers=f"content-md5:{digest}\r\n")
        assert (await put(services, framed, 5, **{"x-amz-trailer": "content-md5"})).status == 200
        wrong = in_chunks(b"hellO", trailers=f"content-md5:{digest}\r\n")
        assert b"<Code>BadDigest</Code>" in (await put(services, wrong, 5, **{"x-amz-trailer": "content-md5"})).body


@pytest.mark.parametrize("sha256", [UNSIGNED, SIGNED, ""])
async def test_frames_are_taken_off_whatever_was_signed(sha256: str) -> None:
    async with serving() as services:
        encoding = {"content-encoding": "gzip,aws-chunked"}
        answer = await put(services, in_chunks(b"hello"), 5, **{"x-amz-content-sha256": sha256} | encoding)
        assert answer.status == 200
        assert services.s3.get("bucket", "k") == b"hello"
        s3 = await services.client("s3")
        assert (await s3.get_object(Bucket="bucket", Key="k"))["ContentEncoding"] == "gzip"


CRC = "x-amz-checksum-crc32"


@pytest.mark.parametrize(
    ("framed", "n_bytes", "trailer", "status", "code"),
    [
        (in_chunks(b"hello"), 6, "", 400, "IncompleteBody"),
        (in_chunks(b"hello"), None, "", 411, "MissingContentLength"),
        (b"5\r\nhello\r\n", 5, "", 400, "IncompleteBody"),
        (b"5\r\nhel", 5, "", 400, "IncompleteBody"),
        (b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 5, "", 400, "IncompleteBody"),
        (b"hello", 5, "", 400, "IncompleteBody"),
        (b"", 0, "", 400, "IncompleteBody"),
        (HELLO + b"\r\n", 11, "", 400, "InvalidChunkSizeError"),
        (in_chunks(b"hello"), 5, CRC, 400, "MalformedTrailerError"),
        (in_chunks(b"hello", trailers=f"{CRC}:NhCmhg==\r\n"), 5, "", 400, "MalformedTrailerError"),
        (in_chunks(b"hello", trailers="nonsense\r\n"), 5, CRC, 400, "MalformedTrailerError"),
        (in_chunks(b"hello", trailers=f"{CRC}:AAAAAA==\r\n"), 5, CRC, 400, "BadDigest"),
        (in_chunks(b"hello", trailers=f"{CRC}:NhCm\r\n"), 5, CRC, 400, "InvalidRequest"),
    ],
)
async def test_broken_frames_are_refused_in_s3s_words(
    framed: bytes, n_bytes: int | None, trailer: str, status: int, code: str
) -> None:
    async with serving() as services:
        answer = await put(services, framed, n_bytes, **{"x-amz-trailer": trailer})
        assert (answer.status, f"<Code>{code}</Code>".encode() in answer.body) == (status, True)
        assert services.s3.get("bucket", "k") is None


async def test_a_body_of_unknown_length_without_frames_is_refused_as_s3_refuses_it() -> None:
    async with serving() as services:
        answer = await put(services, b"hello", None, **{"content-encoding": "", "x-amz-content-sha256": ""})
        assert answer.status == 501
        assert b"<Header>Transfer-Encoding</Header>" in answer.body


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=30).map(lambda noise: HELLO + noise)))
def test_any_bytes_are_frames_or_are_refused(body: bytes) -> None:
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": "11"}
    try:
        request = aws_chunked.unframed(HttpRequest("PUT", "/b/k", "/b/k", "/b/k", {}, headers, body))
    except ServiceError:
        return
    assert len(request.body) == 11


# signatures of chunks, by the algorithm's description


def chain(body: bytes, stamp: str, seed: str, *, trailer: str = "", size: int = 8192) -> bytes:
    """The body in signed frames, and the trailer with its signature."""
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    key = f"AWS4{CREDENTIALS.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")

    def sign(algorithm: str, *signed: str) -> str:
        text = "\n".join((algorithm, stamp, scope, *signed))
        return hmac.digest(key, text.encode(), "sha256").hex()

    framed, before, empty = b"", seed, hashlib.sha256(b"").hexdigest()
    for cut in [*(body[at : at + size] for at in range(0, len(body), size)), b""]:
        before = sign("AWS4-HMAC-SHA256-PAYLOAD", before, empty, hashlib.sha256(cut).hexdigest())
        framed += f"{len(cut):x};chunk-signature={before}\r\n".encode() + cut + (b"\r\n" if cut else b"")
    if trailer:
        signature = sign("AWS4-HMAC-SHA256-TRAILER", before, hashlib.sha256(f"{trailer}\n".encode()).hexdigest())
        framed += f"{trailer}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
    return framed + b"\r\n"


def signed_put(body: bytes, *, trailer: str = "") -> HttpRequest:
    """A request whose head botocore signs, and whose chunks follow from that signature."""
    kind = SIGNED + "-TRAILER" if trailer else SIGNED
    headers = {"x-amz-content-sha256": kind, "x-amz-decoded-content-length": str(len(body))}
    headers |= {"content-encoding": "aws-chunked"} | ({"x-amz-trailer": trailer.partition(":")[0]} if trailer else {})
    sent = AWSRequest("PUT", "http://127.0.0.1:8000/bucket/k", headers, b"")
    keys = Credentials(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    auth: Any = S3SigV4Auth(keys, "s3", "us-east-1")
    auth.payload = lambda _request: kind  # botocore itself signs no streams
    auth.add_auth(sent)
    told = {name.lower(): str(value) for name, value in sent.headers.items()} | {"host": "127.0.0.1:8000"}
    seed = told["authorization"].rpartition("=")[2]
    framed = chain(body, told["x-amz-date"], seed, trailer=trailer)
    return HttpRequest("PUT", "/bucket/k", "/bucket/k", "/bucket/k", {}, told, framed)


CRC_OF_X = base64.b64encode(zlib.crc32(b"x" * 20_000).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("trailer", ["", f"{CRC}:{CRC_OF_X}"])
def test_signed_chunks_pass_and_any_other_byte_is_refused(trailer: str) -> None:
    signatures = Signatures("us-east-1", now_utc_ns=wall_ns)
    request = signed_put(b"x" * 20_000, trailer=trailer)
    signatures.check(request, "s3")
    assert aws_chunked.unframed(request).body == b"x" * 20_000
    changed = [request.body.replace(b"x", b"y", 1), request.body.replace(b"chunk-signature=", b"chunk-signaturE=", 1)]
    if trailer:
        changed.append(request.body.replace(CRC_OF_X.encode(), b"AAAAAA=="))
    for body in changed:
        request.body = body
        with pytest.raises(ServiceError, match="403 SignatureDoesNotMatch"):
            signatures.check(request, "s3")
