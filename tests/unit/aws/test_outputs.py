"""Goal: a look at S3 tells completed from failed from not known, and an instant to the second.

Method: a client that answers by a table; locations in every form that SageMaker gives back.
"""

import datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from fake_aws import FakeClient, client_error
from smbench.aws.transport.outputs import S3Folders, S3Outputs, bucket_and_key
from smbench.records import FolderPage, Outcome, OutputFound, Unacknowledged

WRITTEN = datetime.datetime(2026, 11, 21, 3, 4, 5, tzinfo=datetime.UTC)
WRITTEN_NS = 1_795_230_245_000_000_000  # date -u -d 2026-11-21T03:04:05 +%s
OUTPUT, FAILURE = "s3://bucket/out/1.out", "s3://bucket/failed/1-error.out"


class Body:
    """An object's bytes as the client streams them."""

    def __init__(self, begin: bytes) -> None:
        self.begin = begin

    async def read(self) -> bytes:
        return self.begin


def s3(*keys: str, missing: int = 404, body: bytes | Exception = b"") -> FakeClient:
    """A bucket with these keys, whose objects all have one body."""

    def head(**at: Any) -> object:
        return {"LastModified": WRITTEN} if at["Key"] in keys else client_error(str(missing), status=missing)

    return FakeClient(
        {"head_object": head, "get_object": body if isinstance(body, Exception) else {"Body": Body(body)}}
    )


async def test_an_output_is_a_completion() -> None:
    assert await S3Outputs(s3("out/1.out")).look_up(OUTPUT, FAILURE) == OutputFound(Outcome.COMPLETED, WRITTEN_NS)


async def test_an_error_object_is_a_failure() -> None:
    found = await S3Outputs(s3("failed/1-error.out")).look_up(OUTPUT, FAILURE)
    assert found == OutputFound(Outcome.FAILED, WRITTEN_NS)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error":"out of memory"}', '{"error":"out of memory"}'),
        (b"Traceback:\n  File\r\n\tx\0\x1b[31m", "Traceback: File x[31m"),
        ("caf\u00e9".encode("latin-1"), "caf\ufffd"),
        (b"x" * 256, "x" * 200),
        (b"", None),
        (b" \n\0", None),
        (client_error("AccessDenied", status=403), None),
        (client_error("InvalidRange", status=416), None),  # of an empty object
        (EndpointConnectionError(endpoint_url="x", error=OSError(104, "reset")), None),
    ],
)
async def test_a_failure_is_told_with_how_its_error_begins_where_that_can_be_read(
    body: bytes | Exception, reason: str | None
) -> None:
    client = s3("failed/1-error.out", body=body)
    found = await S3Outputs(client).look_up(OUTPUT, FAILURE)
    assert found == OutputFound(Outcome.FAILED, WRITTEN_NS, reason)
    assert client.called("get_object") == [{"Bucket": "bucket", "Key": "failed/1-error.out", "Range": "bytes=0-255"}]


async def test_an_object_of_which_nobody_says_since_when_it_is_there_has_no_end_that_is_known() -> None:
    with pytest.raises(Unacknowledged, match="unreadable answer"):
        await S3Outputs(FakeClient({"head_object": {"ContentLength": 7}})).look_up(OUTPUT, FAILURE)


async def test_a_completion_is_not_read() -> None:
    client = s3("out/1.out", body=b"secret result")
    await S3Outputs(client).look_up(OUTPUT, FAILURE)
    assert client.called("get_object") == []


@pytest.mark.parametrize("missing", [404, 403])
async def test_nothing_at_either_place_is_none(missing: int) -> None:
    client = s3(missing=missing)
    assert await S3Outputs(client).look_up(OUTPUT, FAILURE) is None
    assert [call["Key"] for call in client.called("head_object")] == ["out/1.out", "failed/1-error.out"]


async def test_no_location_is_never_looked_up() -> None:
    client = s3()
    assert await S3Outputs(client).look_up(None, None) is None
    assert client.calls == []


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (client_error("SlowDown", status=503), "SlowDown"),
        (EndpointConnectionError(endpoint_url="x", error=OSError(111, "refused")), "connection refused"),
    ],
)
async def test_no_answer_is_not_nothing(error: Exception, cause: str) -> None:
    with pytest.raises(Unacknowledged) as failure:
        await S3Outputs(FakeClient({"head_object": error})).look_up(OUTPUT, FAILURE)
    assert failure.value.cause == cause


@pytest.mark.parametrize(
    "location",
    [
        "s3://my.bucket/a/b c.out",
        "https://my.bucket.s3.eu-west-1.amazonaws.com/a/b c.out",
        "https://my.bucket.s3.amazonaws.com/a/b c.out",
        "https://my.bucket.s3-us-west-2.amazonaws.com/a/b c.out",
        "https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/a/b c.out",
        "https://my.bucket.s3.cn-north-1.amazonaws.com.cn/a/b c.out",
        "https://s3.eu-west-1.amazonaws.com/my.bucket/a/b c.out",
        "http://127.0.0.1:9000/my.bucket/a/b c.out",
    ],
)
def test_every_form_of_a_location_names_bucket_and_key(location: str) -> None:
    assert bucket_and_key(location) == ("my.bucket", "a/b c.out")


@pytest.mark.parametrize(
    "location", ["", "s3://bucket", "s3://bucket/", "https://host", "ftp://bucket/key", "bucket/key"]
)
def test_what_is_no_location_names_nothing(location: str) -> None:
    assert bucket_and_key(location) is None


async def test_a_page_of_a_folder_has_what_is_directly_in_it_and_says_where_to_go_on() -> None:
    there = [{"Key": "out/1.out", "LastModified": WRITTEN}, {"Key": "out/2.out", "LastModified": WRITTEN}]
    client = FakeClient({"list_objects_v2": {"Contents": there, "NextContinuationToken": "more"}})
    page = await S3Folders(client).page("https://bucket.s3.us-east-1.amazonaws.com/out/7.out", "here")
    assert page == FolderPage({"1.out": WRITTEN_NS, "2.out": WRITTEN_NS}, "more")
    asked = {"Bucket": "bucket", "Prefix": "out/", "Delimiter": "/", "ContinuationToken": "here"}
    assert client.called("list_objects_v2") == [asked]


async def test_an_empty_folder_and_one_without_a_name_are_asked_for_like_any() -> None:
    client = FakeClient({"list_objects_v2": {}})
    assert await S3Folders(client).page("s3://bucket/1.out", None) == FolderPage({}, None)
    assert client.called("list_objects_v2") == [{"Bucket": "bucket", "Prefix": "", "Delimiter": "/"}]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (client_error("AccessDenied", status=403), "AccessDenied"),
        (EndpointConnectionError(endpoint_url="x", error=OSError(104, "reset")), None),
    ],
)
async def test_a_folder_that_cannot_be_listed_is_not_known(error: Exception, cause: str | None) -> None:
    with pytest.raises(Unacknowledged, match=cause):
        await S3Folders(FakeClient({"list_objects_v2": error})).page(OUTPUT, None)
    with pytest.raises(Unacknowledged, match="no location"):
        await S3Folders(FakeClient()).page("elsewhere", None)
