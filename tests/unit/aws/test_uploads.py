"""Goal: every input stands in S3 under its content's address before the run, each sent once.

Method: a bucket in memory behind the S3 client's two calls.
"""

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulated_aws import WARP
from fake_aws import FakeAws, FakeClient, client_error, fake_clients
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.access.credentials import SessionCredentials
from smbench.aws.setup.uploads import Upload, input_prefix, upload
from smbench.emulator.protocol.http import HttpResponse
from smbench.errors import TargetError, UsageError
from smbench.wire.sigv4 import Credentials

PREFIX = "s3://bucket/inputs"


class Bucket(FakeClient):
    """Objects by key. `put_s` is how long a put takes, on the loop."""

    def __init__(self, put_s: float = 0.0) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.puts: list[dict[str, Any]] = []
        self.put_s, self.n_now, self.n_at_once = put_s, 0, 0

    async def head_object(self, **at: Any) -> dict[str, Any]:
        if at["Key"] not in self.objects:
            raise client_error("404", status=404)
        return {"ContentLength": len(self.objects[at["Key"]])}

    async def put_object(self, **given: Any) -> dict[str, Any]:
        self.n_now += 1
        self.n_at_once = max(self.n_at_once, self.n_now)
        await anyio.sleep(self.put_s)
        self.n_now -= 1
        self.puts.append(given)
        body = given["Body"]
        self.objects[given["Key"]] = body.read() if isinstance(body, io.BytesIO) else body
        return {}


def key_of(item: Upload) -> str:
    return f"inputs/{item.payload_class}/{hashlib.sha256(item.body).hexdigest()}{item.extension}"


async def test_an_object_stands_under_its_class_and_the_hash_of_its_content() -> None:
    bucket, item = Bucket(), Upload("small", b"{}", "application/json", ".json")
    locations = await upload(fake_clients(s3=bucket), [item], PREFIX)
    assert locations == [f"s3://bucket/{key_of(item)}"]
    assert bucket.objects == {key_of(item): b"{}"}
    assert bucket.puts[0]["ContentType"] == "application/json"


async def test_what_is_there_already_is_not_sent_again() -> None:
    bucket, items = Bucket(), [Upload("a", b"1"), Upload("a", b"2")]
    first = await upload(fake_clients(s3=bucket), items, PREFIX)
    again = await upload(fake_clients(s3=bucket), items, PREFIX)
    assert first == again
    assert len(bucket.puts) == 2


async def test_an_object_cut_short_by_an_earlier_run_is_sent_again() -> None:
    bucket, item = Bucket(), Upload("a", b"whole")
    bucket.objects[key_of(item)] = b"wh"
    await upload(fake_clients(s3=bucket), [item], PREFIX)
    assert bucket.objects[key_of(item)] == b"whole"


async def test_a_bucket_that_hides_what_it_lacks_is_written_all_the_same() -> None:
    class Hiding(Bucket):
        async def head_object(self, **at: Any) -> dict[str, Any]:
            raise client_error("403", status=403)

    bucket = Hiding()
    await upload(fake_clients(s3=bucket), [Upload("a", b"1")], PREFIX)
    assert len(bucket.puts) == 1


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=2)), max_size=30), st.integers(1, 8))
async def test_locations_come_in_order_and_equal_content_is_sent_once(
    items: list[tuple[str, bytes]], limit: int
) -> None:
    bucket, told = Bucket(), list[int]()
    uploads = [Upload(payload_class, body) for payload_class, body in items]
    locations = await upload(fake_clients(s3=bucket), iter(uploads), PREFIX, limit=limit, progress=told.append)
    assert locations == [f"s3://bucket/{key_of(item)}" for item in uploads]
    assert len(bucket.puts) == len(set(items)) == len(bucket.objects)
    assert told == list(range(1, len(items) + 1))


async def test_only_so_many_are_on_their_way_and_only_so_many_are_in_memory() -> None:
    made = 0

    def unique() -> Iterator[Upload]:
        nonlocal made
        for number in range(40):
            made += 1
            assert made - len(bucket.puts) <= 5 + 1  # those on their way, and the one being taken
            yield Upload("a", str(number).encode())

    bucket = Bucket(put_s=0.001)
    await upload(fake_clients(s3=bucket), unique(), PREFIX, limit=5)
    assert bucket.n_at_once == 5
    assert len(bucket.objects) == 40


async def test_a_bucket_that_cannot_be_written_is_told_with_advice() -> None:
    class Closed(Bucket):
        async def put_object(self, **given: Any) -> dict[str, Any]:
            raise client_error("AccessDenied", "not yours", status=403)

    with pytest.raises(
        TargetError, match=r"not allowed to put the inputs into s3://bucket/inputs: not yours"
    ) as refusal:
        await upload(fake_clients(s3=Closed()), [Upload("a", str(n).encode()) for n in range(50)], PREFIX)
    assert refusal.value.advice


async def test_a_class_that_is_no_header_text_is_quoted() -> None:
    bucket = Bucket()
    (location,) = await upload(fake_clients(s3=bucket), [Upload("grüße/x y", b"1", extension=".ö")], "s3://bucket")
    assert location.startswith("s3://bucket/gr%C3%BC%C3%9Fe%2Fx%20y/")
    assert location.endswith(".%C3%B6")


async def test_a_location_longer_than_aws_takes_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than 1024"):
        await upload(fake_clients(s3=Bucket()), [Upload("a", b"1")], f"s3://bucket/{'x' * 1000}")


async def test_a_large_body_is_streamed() -> None:
    bucket, body = Bucket(), bytes(2 << 20)
    await upload(fake_clients(s3=bucket), [Upload("a", body)], PREFIX)
    assert isinstance(bucket.puts[0]["Body"], io.BytesIO)
    assert next(iter(bucket.objects.values())) == body


@pytest.mark.parametrize(
    ("output_path", "expected"),
    [
        ("s3://bucket/async-outputs", "s3://bucket/smbench-inputs"),
        ("s3://bucket/team/async-outputs/", "s3://bucket/team/smbench-inputs"),
        ("s3://bucket", "s3://bucket/smbench-inputs"),
        ("https://bucket.s3.eu-west-1.amazonaws.com/out", "s3://bucket/smbench-inputs"),
    ],
)
def test_inputs_go_beside_the_outputs(output_path: str, expected: str) -> None:
    assert input_prefix(output_path) == expected


def test_an_output_path_outside_s3_has_no_place_beside_it() -> None:
    with pytest.raises(TargetError, match="not a location in S3"):
        input_prefix("file:///out")


class RenewedSource:
    """Credentials of a session that are others with every question."""

    n_asked = 0

    async def get_frozen_credentials(self) -> Credentials:
        self.n_asked += 1
        return Credentials(f"KEY{self.n_asked}", "secret", "token")


@pytest.mark.parametrize("anyio_backend", [WARP])
async def test_credentials_are_renewed_while_inputs_are_put(anyio_backend: Any) -> None:
    bucket, source = Bucket(put_s=600.0), RenewedSource()
    clients = fake_clients(s3=bucket)
    clients.credentials = SessionCredentials(source, Credentials("KEY0", "secret", "token"))
    items = [Upload("small", bytes([n]), None, "") for n in range(6)]
    await upload(clients, items, PREFIX, limit=1)
    assert clients.credentials.current().access_key == f"KEY{source.n_asked}"
    assert source.n_asked >= 6 * 600 / 30 - 1  # until the last is there, and no longer


async def test_a_bucket_of_another_region_behind_an_address_of_one_region_is_a_sentence() -> None:
    """As S3 answers: HeadObject has no body, so its code is the status."""
    moved = [("x-amz-bucket-region", "eu-central-1")]
    async with FakeAws(lambda _: HttpResponse(301, moved, b"")) as s3:
        settings = AwsSettings("eu-west-1", endpoint_url=s3.url, emulated=True, services=("s3",))
        async with AwsClients(settings) as clients:
            with pytest.raises(TargetError) as refused:
                await upload(clients, [Upload("a", b"1")], "s3://bucket/inputs")
    said = (
        "could not put the inputs into s3://bucket/inputs: the bucket is in eu-central-1, and S3 was asked in eu-west-1"
    )
    assert refused.value.message == f"{said}, through {s3.url}"
    assert "use a bucket in eu-west-1" in refused.value.advice
