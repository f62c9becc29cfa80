"""S3: each operation through aiobotocore over HTTP in virtual time, and what no SDK would send as bytes.

Method: listings against the definition (filter, group, sort everything) for any keys and any page size; errors by
code and status; multipart against the documented form of its ETag.
"""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from plain_services import PlainServices, answers, isolate_aws, serving, talk
from smbench.clock import WarpLoop
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.s3.headers import byte_range
from smbench.emulator.s3.objects import Bucket, StoredObject

MIB = 1024 * 1024


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)


@dataclass
class At:
    services: PlainServices
    s3: Any

    async def put(self, key: str, body: bytes = b"hello", **params: Any) -> dict[str, Any]:
        reply: dict[str, Any] = await self.s3.put_object(Bucket="bucket", Key=key, Body=body, **params)
        return reply

    async def read(self, key: str, **params: Any) -> bytes:
        reply = await self.s3.get_object(Bucket="bucket", Key=key, **params)
        body: bytes = await reply["Body"].read()
        return body


@pytest.fixture
async def at() -> AsyncIterator[At]:
    async with serving() as services:
        s3 = await services.client("s3")
        await s3.create_bucket(Bucket="bucket")
        yield At(services, s3)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


# buckets


async def test_a_bucket_is_made_found_listed_and_deleted_when_empty(at: At) -> None:
    await at.s3.create_bucket(Bucket="bucket")
    assert (await at.s3.head_bucket(Bucket="bucket"))["BucketRegion"] == "us-east-1"
    assert (await at.s3.get_bucket_location(Bucket="bucket")).get("LocationConstraint") is None
    buckets = (await at.s3.list_buckets())["Buckets"]
    assert [(b["Name"], b["CreationDate"]) for b in buckets] == [("bucket", datetime(2026, 1, 1, tzinfo=UTC))]
    await at.put("k")
    with pytest.raises(ClientError) as error:
        await at.s3.delete_bucket(Bucket="bucket")
    assert refusal(error) == ("BucketNotEmpty", 409)
    await at.s3.delete_object(Bucket="bucket", Key="k")
    await at.s3.delete_bucket(Bucket="bucket")
    with pytest.raises(ClientError) as error:
        await at.s3.head_bucket(Bucket="bucket")
    assert refusal(error) == ("404", 404)


async def test_what_s3_would_not_name_a_bucket_is_refused(at: At) -> None:
    with pytest.raises(ClientError) as error:
        await at.s3.create_bucket(Bucket="UPPER")
    assert refusal(error) == ("InvalidBucketName", 400)


# objects


async def test_an_object_comes_back_with_all_it_was_given(at: At) -> None:
    await anyio.sleep(1.9)
    body = bytes(range(256)) * 10
    put = await at.put("a/é +%.bin", body, ContentType="image/png", Metadata={"run": "7"}, ContentEncoding="gzip")
    got = await at.s3.get_object(Bucket="bucket", Key="a/é +%.bin")
    head = await at.s3.head_object(Bucket="bucket", Key="a/é +%.bin")
    assert await got["Body"].read() == body
    for reply in (got, head):
        assert reply["ContentLength"] == len(body)
        assert reply["ETag"] == put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        assert reply["LastModified"] == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
        assert (reply["ContentType"], reply["ContentEncoding"], reply["Metadata"]) == (
            "image/png",
            "gzip",
            {"run": "7"},
        )


async def test_a_checksum_is_echoed_stored_and_shown_on_demand(at: At) -> None:
    put = await at.put("k", b"hello", ChecksumAlgorithm="CRC32")
    assert put["ChecksumCRC32"] == "NhCmhg=="  # crc32(b"hello") = 0x3610a686
    got = await at.s3.get_object(Bucket="bucket", Key="k", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == "NhCmhg=="
    assert await got["Body"].read() == b"hello"


async def test_an_overwritten_object_is_the_last_one(at: At) -> None:
    await at.put("k", b"one")
    await at.put("k", b"two")
    assert await at.read("k") == b"two"
    assert (await at.s3.list_objects_v2(Bucket="bucket"))["KeyCount"] == 1


async def test_a_range_is_a_part_of_the_object(at: At) -> None:
    await at.put("k", b"0123456789")
    reply = await at.s3.get_object(Bucket="bucket", Key="k", Range="bytes=2-4")
    assert (await reply["Body"].read(), reply["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (await at.s3.head_object(Bucket="bucket", Key="k", Range="bytes=-3"))["ContentLength"] == 3
    with pytest.raises(ClientError) as error:
        await at.s3.get_object(Bucket="bucket", Key="k", Range="bytes=10-")
    assert refusal(error) == ("InvalidRange", 416)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=0-", (0, 9)),
        ("bytes=3-99", (3, 9)),
        ("bytes=-4", (6, 9)),
        ("bytes=-99", (0, 9)),
        ("bytes=1-2,4-5", None),
        ("lines=1-2", None),
        ("bytes=5-2", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("bytes", None),
    ],
)
def test_a_range_is_read_as_http_defines_it(header: str, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_a_range_outside_the_object_is_416(header: str, size: int) -> None:
    with pytest.raises(ServiceError, match="InvalidRange"):
        byte_range(header, size)


async def test_a_copy_keeps_or_replaces_what_describes_it(at: At) -> None:
    await at.put("k", b"x", ContentType="text/a", Metadata={"a": "1"})
    source = {"Bucket": "bucket", "Key": "k"}
    copied = await at.s3.copy_object(Bucket="bucket", Key="c/é", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == (await at.s3.head_object(Bucket="bucket", Key="k"))["ETag"]
    kept = await at.s3.head_object(Bucket="bucket", Key="c/é")
    assert (kept["ContentType"], kept["Metadata"]) == ("text/a", {"a": "1"})
    await at.s3.copy_object(
        Bucket="bucket", Key="k", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"}
    )
    assert (await at.s3.head_object(Bucket="bucket", Key="k"))["Metadata"] == {"b": "2"}
    with pytest.raises(ClientError) as error:
        await at.s3.copy_object(Bucket="bucket", Key="k", CopySource=source)
    assert refusal(error) == ("InvalidRequest", 400)


async def test_deleting_is_fine_also_for_what_is_not_there(at: At) -> None:
    await at.put("a")
    await at.put("b<&>")
    await at.s3.delete_object(Bucket="bucket", Key="none")
    reply = await at.s3.delete_objects(
        Bucket="bucket", Delete={"Objects": [{"Key": "a"}, {"Key": "b<&>"}, {"Key": "none"}]}
    )
    assert [entry["Key"] for entry in reply["Deleted"]] == ["a", "b<&>", "none"]
    assert "Contents" not in await at.s3.list_objects_v2(Bucket="bucket")


async def test_conditions_decide_before_anything_happens(at: At) -> None:
    etag = (await at.put("k", b"x"))["ETag"]
    cases: list[tuple[str, dict[str, Any], tuple[str, int]]] = [
        ("put_object", {"Key": "k", "IfNoneMatch": "*"}, ("PreconditionFailed", 412)),
        ("put_object", {"Key": "none", "IfMatch": etag}, ("NoSuchKey", 404)),
        ("put_object", {"Key": "k", "IfMatch": '"other"'}, ("PreconditionFailed", 412)),
        ("get_object", {"Key": "k", "IfMatch": '"other"'}, ("PreconditionFailed", 412)),
        ("get_object", {"Key": "k", "IfNoneMatch": etag}, ("304", 304)),
        ("get_object", {"Key": "k", "IfModifiedSince": datetime(2026, 1, 2, tzinfo=UTC)}, ("304", 304)),
        (
            "get_object",
            {"Key": "k", "IfUnmodifiedSince": datetime(2025, 1, 2, tzinfo=UTC)},
            ("PreconditionFailed", 412),
        ),
    ]
    for operation, params, expected in cases:
        with pytest.raises(ClientError) as error:
            await getattr(at.s3, operation)(Bucket="bucket", **params)
        assert refusal(error) == expected
    assert await at.read("k", IfMatch=etag) == b"x"


async def test_a_lazy_object_is_made_when_it_is_read(at: At) -> None:
    made = []

    def make() -> bytes:
        made.append(1)
        return b"made"

    at.services.s3.put_lazy("bucket", "lazy", 4, make, content_type="application/json")
    head = await at.s3.head_object(Bucket="bucket", Key="lazy")
    assert (head["ContentLength"], made) == (4, [])
    assert at.services.s3.exists("bucket", "lazy")
    assert await at.read("lazy") == b"made"
    assert at.services.s3.get("bucket", "lazy") == b"made"
    assert (await at.s3.list_objects_v2(Bucket="bucket"))["Contents"][0]["ETag"] == head["ETag"]


async def test_the_other_services_see_what_there_is(at: At) -> None:
    s3 = at.services.s3
    s3.put("bucket", "k", b"x")
    assert (s3.get("bucket", "k"), s3.get("bucket", "none"), s3.get("none", "k")) == (b"x", None, None)
    assert (s3.exists("none", "k"), s3.has_bucket("bucket"), s3.has_bucket("none")) == (False, True, False)
    with pytest.raises(ServiceError, match="NoSuchBucket"):
        s3.put("none", "k", b"x")


# listings


@pytest.mark.slow
async def test_all_pages_of_a_listing_are_all_objects(at: At) -> None:
    for i in range(2345):
        at.services.s3.put("bucket", f"out/{i:05}.out", b"")
    pages = [p async for p in at.s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix="out/")]
    assert [page["KeyCount"] for page in pages] == [1000, 1000, 345]
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert keys == [f"out/{i:05}.out" for i in range(2345)]
    old = [p async for p in at.s3.get_paginator("list_objects").paginate(Bucket="bucket", Prefix="out/")]
    assert [entry["Key"] for page in old for entry in page["Contents"]] == keys


async def test_folders_are_common_prefixes(at: At) -> None:
    for key in ("a/1", "a/2", "b/c/3", "top é"):
        await at.put(key)
    reply = await at.s3.list_objects_v2(Bucket="bucket", Delimiter="/", FetchOwner=True)
    assert [entry["Prefix"] for entry in reply["CommonPrefixes"]] == ["a/", "b/"]
    assert [entry["Key"] for entry in reply["Contents"]] == ["top é"]
    assert reply["Contents"][0]["Owner"]["ID"]
    reply = await at.s3.list_objects_v2(Bucket="bucket", StartAfter="a/1", MaxKeys=1)
    assert ([entry["Key"] for entry in reply["Contents"]], reply["IsTruncated"]) == (["a/2"], True)
    assert (await at.s3.list_objects_v2(Bucket="bucket", MaxKeys=0))["KeyCount"] == 0


KEYS = st.text("ab/", min_size=1, max_size=5)


def whole_listing(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    """Every entry of a listing, by definition: filter, roll up, sort."""
    entries = set()
    for key in keys:
        if key.startswith(prefix):
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            entries.add(key if end < 0 else key[: end + len(delimiter)])
    return sorted(entries)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    puts=st.lists(KEYS, max_size=20),
    deletes=st.lists(KEYS, max_size=8),
    again=st.lists(KEYS, max_size=4),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "ab"]),
    n_max=st.integers(1, 4),
)
def test_pages_join_to_the_whole_listing(
    puts: list[str], deletes: list[str], again: list[str], prefix: str, delimiter: str, n_max: int
) -> None:
    bucket = Bucket("b", 0, "us-east-1")
    for keys, act in ((puts, "put"), (deletes, "delete"), (again, "put")):
        for key in keys:
            bucket.put(StoredObject(key, 0, "", 0, b"")) if act == "put" else bucket.delete(key)
        bucket.page()  # sorts in between, as a listing between two changes does
    expected = whole_listing((set(puts) - set(deletes)) | set(again), prefix, delimiter)
    seen: list[str] = []
    after, is_truncated = "", True
    while is_truncated:
        page = bucket.page(prefix=prefix, delimiter=delimiter, after=after, n_max=n_max)
        entries = sorted([stored.key for stored in page.objects] + page.prefixes)
        assert len(entries) <= n_max
        seen += entries
        after, is_truncated = page.last, page.is_truncated
    assert seen == expected


# multipart


async def test_parts_become_one_object(at: At) -> None:
    upload = (await at.s3.create_multipart_upload(Bucket="bucket", Key="big", ContentType="a/b"))["UploadId"]
    bodies = {1: bytes(5 * MIB), 2: b"tail"}
    etags = {}
    for number in (2, 1):  # in any order, and again
        for _ in range(2):
            reply = await at.s3.upload_part(
                Bucket="bucket", Key="big", UploadId=upload, PartNumber=number, Body=as_stream(bodies[number])
            )
        etags[number] = reply["ETag"]
    listed = await at.s3.list_parts(Bucket="bucket", Key="big", UploadId=upload)
    assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [(1, 5 * MIB), (2, 4)]
    assert [u["Key"] for u in (await at.s3.list_multipart_uploads(Bucket="bucket"))["Uploads"]] == ["big"]
    parts = [{"PartNumber": number, "ETag": etags[number]} for number in (1, 2)]
    done = await at.s3.complete_multipart_upload(
        Bucket="bucket", Key="big", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    digests = b"".join(hashlib.md5(bodies[number]).digest() for number in (1, 2))
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert await at.read("big") == bodies[1] + bodies[2]
    with pytest.raises(ClientError) as error:
        await at.s3.list_parts(Bucket="bucket", Key="big", UploadId=upload)
    assert refusal(error) == ("NoSuchUpload", 404)


def as_stream(body: bytes) -> Any:
    """aiohttp warns about raw bytes above a megabyte."""
    return io.BytesIO(body)


async def test_parts_that_do_not_fit_are_refused_by_name(at: At) -> None:
    upload = (await at.s3.create_multipart_upload(Bucket="bucket", Key="k"))["UploadId"]
    names = {"Bucket": "bucket", "Key": "k", "UploadId": upload}
    etag = (await at.s3.upload_part(**names, PartNumber=1, Body=b"x"))["ETag"]
    await at.s3.upload_part(**names, PartNumber=2, Body=b"x")
    cases = [
        ([(2, etag), (1, etag)], "InvalidPartOrder"),
        ([(1, etag), (1, etag)], "InvalidPartOrder"),
        ([(1, '"other"')], "InvalidPart"),
        ([(3, etag)], "InvalidPart"),
        ([(1, etag), (2, etag)], "EntityTooSmall"),
    ]
    for parts, code in cases:
        chosen = {"Parts": [{"PartNumber": number, "ETag": sent} for number, sent in parts]}
        with pytest.raises(ClientError) as error:
            await at.s3.complete_multipart_upload(**names, MultipartUpload=chosen)
        assert refusal(error) == (code, 400)
    with pytest.raises(ClientError) as error:
        await at.s3.upload_part(**names, PartNumber=10_001, Body=b"x")
    assert refusal(error) == ("InvalidArgument", 400)
    await at.s3.abort_multipart_upload(**names)
    with pytest.raises(ClientError) as error:
        await at.s3.upload_part(**names, PartNumber=1, Body=b"x")
    assert refusal(error) == ("NoSuchUpload", 404)


# refusals


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("get_object", {"Key": "none"}, ("NoSuchKey", 404)),
        ("head_object", {"Key": "none"}, ("404", 404)),
        ("get_object", {"Bucket": "no-such", "Key": "k"}, ("NoSuchBucket", 404)),
        ("put_object", {"Bucket": "no-such", "Key": "k"}, ("NoSuchBucket", 404)),
        ("list_objects_v2", {"Bucket": "no-such"}, ("NoSuchBucket", 404)),
        ("list_objects_v2", {"ContinuationToken": "?"}, ("InvalidArgument", 400)),
        ("list_objects_v2", {"ContinuationToken": ""}, ("InvalidArgument", 400)),
        ("get_object", {"Key": "no\ufffesuch"}, ("NoSuchKey", 404)),
        ("copy_object", {"Key": "c", "CopySource": "bucket/none"}, ("NoSuchKey", 404)),
        ("put_object", {"Key": "k" * 1025}, ("KeyTooLongError", 400)),
        ("put_object", {"Key": "k", "ContentMD5": "nonsense"}, ("InvalidDigest", 400)),
        ("put_object", {"Key": "k", "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, ("BadDigest", 400)),
        ("put_object", {"Key": "k", "ChecksumCRC32": "AAAAAQ=="}, ("BadDigest", 400)),
        (
            "put_bucket_versioning",
            {"VersioningConfiguration": {"Status": "On"}},
            ("IllegalVersioningConfigurationException", 400),
        ),
        (
            "put_bucket_versioning",
            {"VersioningConfiguration": {"Status": "Enabled", "MFADelete": "Enabled"}},
            ("NotImplemented", 501),
        ),
        (
            "put_bucket_accelerate_configuration",
            {"AccelerateConfiguration": {"Status": "Enabled"}},
            ("NotImplemented", 501),
        ),
        ("put_object_tagging", {"Key": "none", "Tagging": {"TagSet": []}}, ("NoSuchKey", 404)),
        ("get_object", {"Key": "k", "VersionId": "v"}, ("InvalidArgument", 400)),
        ("get_object", {"Key": "k", "VersionId": "0000000001" + "a" * 22}, ("NoSuchVersion", 404)),
        ("delete_object", {"Key": "k", "VersionId": "v"}, ("InvalidArgument", 400)),
        ("list_object_versions", {"VersionIdMarker": "null"}, ("InvalidArgument", 400)),
        ("put_object", {"Key": "k", "StorageClass": "DEEP_ARCHIVE"}, ("NotImplemented", 501)),
    ],
)
async def test_a_wrong_request_gets_its_own_error(
    at: At, operation: str, params: dict[str, Any], expected: tuple[str, int]
) -> None:
    with pytest.raises(ClientError) as error:
        await getattr(at.s3, operation)(**{"Bucket": "bucket"} | params)
    assert refusal(error) == expected


SELECT = {
    "Expression": "SELECT * FROM S3Object",
    "ExpressionType": "SQL",
    "InputSerialization": {"JSON": {"Type": "LINES"}},
    "OutputSerialization": {"JSON": {}},
}


async def test_an_unknown_operation_is_named(at: At) -> None:
    with pytest.raises(ClientError, match="s3:SelectObjectContent"):
        await at.s3.select_object_content(Bucket="bucket", Key="k", **SELECT)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<",
        b"<Delete/>",
        b"<Delete><Object/></Delete>",
        b"<a>" * 100_000,
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b'<!DOCTYPE a [<!ENTITY b "b">]><Delete><Object><Key>&b;</Key></Object></Delete>',
    ],
)
async def test_a_document_that_is_none_is_malformed(at: At, document: bytes) -> None:
    port = at.services.server.port
    head = b"POST /bucket?delete HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(document)
    (answer,) = answers(await talk(port, head + document))
    assert answer.status == 400
    assert b"<Code>MalformedXML</Code>" in answer.body


@pytest.mark.parametrize("key", [b"%", b"%4", b"%zz", b"a%ff", b"a%C3", b"%2"])
async def test_a_path_that_is_no_text_in_percent_signs_is_refused(at: At, key: bytes) -> None:
    (answer,) = answers(await talk(at.services.server.port, b"PUT /bucket/%b HTTP/1.0\r\n\r\n" % key))
    assert (answer.status, b"<Code>InvalidURI</Code>" in answer.body) == (400, True)


async def test_an_error_is_amazons_document(at: At) -> None:
    (answer,) = answers(await talk(at.services.server.port, b"GET /bucket/a%3Cb HTTP/1.1\r\nConnection: close\r\n\r\n"))
    request_id = answer.headers["x-amzn-requestid"]
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        "<Message>The specified key does not exist.</Message><Key>a&lt;b</Key>"
        f"<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId></Error>"
    )
