"""Goal: an object is found in whichever region its bucket is, and a service that stumbles is asked again.

Method: services that answer by a table, and no network; the hosts are AWS's own forms.
"""

import datetime
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import anyio
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from emulated_aws import WARP
from fake_aws import client_error
from smbench.aws.transport.wire_service import WireService
from smbench.aws.transport.wire_store import WireStore
from smbench.wire.http1 import Response
from smbench.wire.origin import Origin
from smbench.wire.sigv4 import EMPTY_SHA256, UNSIGNED_PAYLOAD

WRITTEN = "Sat, 21 Nov 2026 03:04:05 GMT"
FOUND = Response(200, b"HTTP/1.1 200 OK\r\nLast-Modified: %b\r\nContent-Length: 7" % WRITTEN.encode(), b"")


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


class World:
    """S3 in all its regions. `answer` gets host, region and path; what it returns is raised when it is an error."""

    def __init__(self, answer: Callable[[str, str, str], object]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str]] = []
        self.signed: list[tuple[str, list[tuple[str, str]]]] = []

    def open(self, stack: AsyncExitStack, origin: Origin, region: str) -> WireService:
        del stack
        return cast(WireService, _Service(self, origin.host, region))

    def store(self, host: str, region: str, *, is_aws: bool = True) -> WireStore:
        return WireStore(Origin("https", host, 443), region, self.open, is_aws=is_aws)


class _Service:
    def __init__(self, world: World, host: str, region: str) -> None:
        self.world, self.host, self.region = world, host, region

    def signed(self, method: str, path: str, headers: Any, body: bytes, body_sha256: str) -> bytes:
        self.world.signed.append((body_sha256, headers))
        return path.encode()

    async def exchange(self, make: Callable[[], bytes], *, is_head: bool = False) -> Response:
        del is_head
        path = make().decode()
        self.world.asked.append((self.host, self.region, path))
        told = self.world.answer(self.host, self.region, path)
        if isinstance(told, Exception):
            raise told
        assert isinstance(told, Response)
        return told


def elsewhere(region: str, status: int = 301) -> ClientError:
    error = client_error(str(status), status=status)
    error.response["ResponseMetadata"]["HTTPHeaders"] = {"x-amz-bucket-region": region}
    return error


@pytest.mark.parametrize(
    ("host", "bucket", "expected"),
    [
        ("s3.eu-west-1.amazonaws.com", "bucket", ("bucket.s3.eu-west-1.amazonaws.com", "/a/b%20c")),
        ("s3.amazonaws.com", "bucket", ("bucket.s3.amazonaws.com", "/a/b%20c")),
        ("s3.cn-north-1.amazonaws.com.cn", "bucket", ("bucket.s3.cn-north-1.amazonaws.com.cn", "/a/b%20c")),
        # An interface endpoint of a VPC, as AWS names it.
        (
            "bucket.vpce-1a-5e.s3.eu-west-1.vpce.amazonaws.com",
            "mine",
            ("mine.bucket.vpce-1a-5e.s3.eu-west-1.vpce.amazonaws.com", "/a/b%20c"),
        ),
        # A wildcard certificate covers one label.
        ("s3.eu-west-1.amazonaws.com", "my.bucket", ("s3.eu-west-1.amazonaws.com", "/my.bucket/a/b%20c")),
        ("s3.eu-west-1.amazonaws.com", "Old_Bucket", ("s3.eu-west-1.amazonaws.com", "/Old_Bucket/a/b%20c")),
    ],
)
async def test_a_bucket_has_a_host_of_its_own_where_a_certificate_fits(
    host: str, bucket: str, expected: tuple[str, str]
) -> None:
    world = World(lambda *_: FOUND)
    await world.store(host, "eu-west-1").head_object(Bucket=bucket, Key="a/b c")
    ((asked_host, _, path),) = world.asked
    assert (asked_host, path) == expected


async def test_what_is_not_aws_has_buckets_in_its_paths() -> None:
    world = World(lambda *_: FOUND)
    await world.store("127.0.0.1", "us-east-1", is_aws=False).head_object(Bucket="bucket", Key="k")
    assert world.asked == [("127.0.0.1", "us-east-1", "/bucket/k")]


@pytest.mark.parametrize("status", [301, 307, 400])
@pytest.mark.parametrize(
    ("host", "there"),
    [
        ("s3.us-east-1.amazonaws.com", "s3.eu-central-1.amazonaws.com"),
        ("s3.amazonaws.com", "s3.eu-central-1.amazonaws.com"),
        ("s3.dualstack.us-east-1.amazonaws.com", "s3.dualstack.eu-central-1.amazonaws.com"),
        ("s3-fips.us-east-1.amazonaws.com", "s3-fips.eu-central-1.amazonaws.com"),
        ("s3-us-west-2.amazonaws.com", "s3-eu-central-1.amazonaws.com"),
        ("s3.us-gov-west-1.amazonaws.com", "s3.eu-central-1.amazonaws.com"),
    ],
)
async def test_a_bucket_in_another_region_is_asked_there_and_only_there_from_then_on(
    host: str, there: str, status: int
) -> None:
    world = World(lambda _host, region, _path: FOUND if region == "eu-central-1" else elsewhere("eu-central-1", status))
    store = world.store(host, "us-east-1")
    for _ in range(2):
        await store.head_object(Bucket="bucket", Key="k")
    first = (f"bucket.{host}", "us-east-1", "/k")
    then = (f"bucket.{there}", "eu-central-1", "/k")
    assert world.asked == [first, then, then]


async def test_a_region_that_sends_back_is_not_followed_for_ever() -> None:
    world = World(lambda _host, region, _path: elsewhere("us-east-1" if region == "eu-west-1" else "eu-west-1"))
    with pytest.raises(ClientError):
        await world.store("s3.us-east-1.amazonaws.com", "us-east-1").head_object(Bucket="bucket", Key="k")
    assert len(world.asked) == 2


async def test_the_address_of_a_vpc_endpoint_reaches_one_region_and_is_not_left() -> None:
    world = World(lambda *_: elsewhere("eu-central-1"))
    store = world.store("bucket.vpce-1a-5e.s3.eu-west-1.vpce.amazonaws.com", "eu-west-1")
    with pytest.raises(ClientError):
        await store.head_object(Bucket="mine", Key="k")
    assert len(world.asked) == 1


async def test_outside_aws_nobody_is_followed_elsewhere() -> None:
    world = World(lambda *_: elsewhere("eu-west-1"))
    with pytest.raises(ClientError):
        await world.store("127.0.0.1", "us-east-1", is_aws=False).head_object(Bucket="bucket", Key="k")
    assert len(world.asked) == 1


PASSING = [
    client_error("SlowDown", status=503),
    client_error("InternalError", status=500),
    client_error("RequestTimeout"),
    client_error("RequestTimeTooSkewed", status=403),
    ConnectionResetError(104, "reset"),
    ResponseParserError("half"),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
async def test_what_passes_is_tried_four_times_in_all(error: Exception) -> None:
    world = World(lambda *_: error)
    begin_s = anyio.current_time()
    with pytest.raises(type(error)):
        await world.store("s3.us-east-1.amazonaws.com", "us-east-1").put_object(Bucket="bucket", Key="k", Body=b"x")
    assert len(world.asked) == 4
    assert anyio.current_time() - begin_s == pytest.approx(3.5)
    world.asked.clear()
    world.answer = lambda *_: FOUND if len(world.asked) == 3 else error
    await world.store("s3.us-east-1.amazonaws.com", "us-east-1").put_object(Bucket="bucket", Key="k", Body=b"x")
    assert len(world.asked) == 3


@pytest.mark.parametrize("status", [403, 404, 412])
async def test_a_refusal_is_one(status: int) -> None:
    world = World(lambda *_: client_error("AccessDenied", status=status))
    with pytest.raises(ClientError):
        await world.store("s3.us-east-1.amazonaws.com", "us-east-1").head_object(Bucket="bucket", Key="k")
    assert len(world.asked) == 1


async def test_over_tls_a_body_is_not_hashed_and_else_it_is() -> None:
    world = World(lambda *_: FOUND)
    await world.store("s3.us-east-1.amazonaws.com", "us-east-1").put_object(Bucket="bucket", Key="k", Body=b"x")
    plain = WireStore(Origin("http", "127.0.0.1", 80), "us-east-1", world.open, is_aws=False)
    await plain.put_object(Bucket="bucket", Key="k", Body=b"x", ContentType="text/csv")
    await plain.head_object(Bucket="bucket", Key="k")
    (tls, _), (hashed, headers), (empty, _) = world.signed
    assert tls == UNSIGNED_PAYLOAD
    assert len(hashed) == 64
    assert empty == EMPTY_SHA256
    assert headers == [("content-type", "text/csv"), ("x-amz-content-sha256", hashed)]


async def test_what_stands_there_is_told_in_the_sdks_words() -> None:
    world = World(lambda *_: FOUND)
    told = await world.store("s3.us-east-1.amazonaws.com", "us-east-1").head_object(Bucket="bucket", Key="k")
    assert told == {
        "ContentLength": 7,
        "LastModified": datetime.datetime(2026, 11, 21, 3, 4, 5, tzinfo=datetime.UTC),
    }


async def head_with(header: str) -> dict[str, Any]:
    world = World(lambda *_: Response(200, f"HTTP/1.1 200 OK{header}".encode(), b""))
    return await world.store("127.0.0.1", "us-east-1", is_aws=False).head_object(Bucket="bucket", Key="k")


@pytest.mark.parametrize(
    "date", ["yesterday", "Sat, 21 Nov 2026 99:99:99 GMT", "Sat, 21 Nov 2026 03:04:05 +99999999999"]
)
async def test_a_date_that_is_none_cannot_be_read(date: str) -> None:
    with pytest.raises(ResponseParserError, match="no date"):
        await head_with(f"\r\nlast-modified: {date}")


@pytest.mark.parametrize("zone", ["", " G", " -0000", " GMT"])
async def test_a_date_without_a_zone_is_in_gmt(zone: str) -> None:
    written = (await head_with(f"\r\nlast-modified: Sat, 21 Nov 2026 03:04:05{zone}"))["LastModified"]
    assert written == datetime.datetime(2026, 11, 21, 3, 4, 5, tzinfo=datetime.UTC)


async def test_an_answer_without_a_date_has_none() -> None:
    assert "LastModified" not in await head_with("")
