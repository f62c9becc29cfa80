"""Versions of objects: each operation through aiobotocore in virtual time.

Method: random histories beside a plain list of versions for each key; pages of any size against the whole; what moto
knows as well is in tests/contract/test_moto_oracle.py.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from plain_services import isolate_aws, serving
from smbench.clock import WarpLoop
from smbench.emulator.s3.objects import Bucket, DeleteMarker, StoredObject


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)


@pytest.fixture
async def s3() -> AsyncIterator[Any]:
    async with serving() as services:
        client = await services.client("s3")
        await client.create_bucket(Bucket="bucket")
        yield client


async def versioning(s3: Any, status: str) -> None:
    await s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": status})


async def versions(s3: Any, **asked: Any) -> list[tuple[str, str, bool, bool]]:
    """Key, version, whether it is the latest, whether it is a marker: page by page, the versions of a page first."""
    found = []
    async for page in s3.get_paginator("list_object_versions").paginate(Bucket="bucket", **asked):
        for kind in ("Versions", "DeleteMarkers"):
            found += [(one["Key"], one["VersionId"], one["IsLatest"], kind != "Versions") for one in page.get(kind, ())]
    return found


@pytest.mark.anyio
async def test_while_versions_are_suspended_the_null_version_is_the_one_that_is_replaced(s3: Any) -> None:
    await versioning(s3, "Enabled")
    kept = (await s3.put_object(Bucket="bucket", Key="k", Body=b"kept"))["VersionId"]
    await versioning(s3, "Suspended")
    for body in (b"1", b"2"):
        assert "VersionId" not in await s3.put_object(Bucket="bucket", Key="k", Body=body)
    assert await versions(s3) == [("k", "null", True, False), ("k", kept, False, False)]
    marker = await s3.delete_object(Bucket="bucket", Key="k")
    assert (marker["DeleteMarker"], marker["VersionId"]) == (True, "null")
    assert await versions(s3) == [("k", kept, False, False), ("k", "null", True, True)]


@pytest.mark.anyio
async def test_a_version_keeps_its_tags_and_its_metadata(s3: Any) -> None:
    await versioning(s3, "Enabled")
    at = {"Bucket": "bucket", "Key": "k"}
    first = (await s3.put_object(**at, Body=b"1", Tagging="run=1", Metadata={"n": "1"}))["VersionId"]
    second = (await s3.put_object(**at, Body=b"2", Tagging="run=2", Metadata={"n": "2"}))["VersionId"]
    await s3.delete_object(**at)
    for version, n in ((first, "1"), (second, "2")):
        tags = (await s3.get_object_tagging(**at, VersionId=version))["TagSet"]
        assert tags == [{"Key": "run", "Value": n}]
        assert (await s3.head_object(**at, VersionId=version))["Metadata"] == {"n": n}
    copied = await s3.copy_object(Bucket="bucket", Key="c", CopySource={**at, "VersionId": first})
    assert copied["CopySourceVersionId"] == first
    assert await (await s3.get_object(Bucket="bucket", Key="c"))["Body"].read() == b"1"


@pytest.mark.anyio
async def test_an_upload_in_parts_is_a_version_as_any_other(s3: Any) -> None:
    await versioning(s3, "Enabled")
    at, ids = {"Bucket": "bucket", "Key": "k"}, []
    for body in (b"1", b"2"):
        upload = (await s3.create_multipart_upload(**at))["UploadId"]
        etag = (await s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=body))["ETag"]
        chosen = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        done = await s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=chosen)
        ids.append(done["VersionId"])
    for version in ids:
        assert (await s3.head_object(**at, VersionId=version, PartNumber=1))["PartsCount"] == 1
    assert await versions(s3) == [("k", ids[1], True, False), ("k", ids[0], False, False)]


@pytest.mark.anyio
async def test_pages_show_every_version_once_even_while_what_they_show_is_deleted(s3: Any) -> None:
    await versioning(s3, "Enabled")
    for key in ("a", "b", "b", "c/1", "b", "c/2"):
        await s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    await s3.delete_object(Bucket="bucket", Key="b")
    whole = await versions(s3)
    assert len(whole) == 7
    for n in (1, 2, 3):
        assert sorted(await versions(s3, PaginationConfig={"PageSize": n})) == sorted(whole)
    rolled = await s3.list_object_versions(Bucket="bucket", Delimiter="/", KeyMarker="b")
    assert ("Versions" in rolled, rolled["CommonPrefixes"]) == (False, [{"Prefix": "c/"}])
    gone = []
    pages = s3.get_paginator("list_object_versions").paginate(Bucket="bucket", PaginationConfig={"PageSize": 2})
    async for page in pages:
        shown = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in shown]
        gone += (await s3.delete_objects(Bucket="bucket", Delete={"Objects": objects}))["Deleted"]
    assert len(gone) == 7
    await s3.delete_bucket(Bucket="bucket")


@pytest.mark.anyio
async def test_a_bucket_of_markers_alone_is_not_empty(s3: Any) -> None:
    await versioning(s3, "Enabled")
    await s3.delete_object(Bucket="bucket", Key="never-there")
    with pytest.raises(ClientError, match="You must delete all versions") as error:
        await s3.delete_bucket(Bucket="bucket")
    assert error.value.response["Error"]["Code"] == "BucketNotEmpty"
    again = [await s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "k"}]}) for _ in range(2)]
    markers = [one["DeleteMarkerVersionId"] for reply in again for one in reply["Deleted"]]
    assert len(set(markers)) == 2
    back = await s3.delete_object(Bucket="bucket", Key="k", VersionId=markers[0])
    assert (back["DeleteMarker"], back["VersionId"]) == (True, markers[0])


KEYS = st.sampled_from(("a", "b"))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("put", "result", "delete", "Enabled", "Suspended")), KEYS, st.just(0)),
        st.tuples(st.just("delete version"), KEYS, st.integers(0, 4)),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_bucket_keeps_of_each_key_what_a_list_of_its_versions_would(steps: list[tuple[str, str, int]]) -> None:
    bucket, expected = Bucket("b", 0, "us-east-1"), dict[str, list[tuple[int | None, str]]](a=[], b=[])
    for at_ns, (what, key, place) in enumerate(steps):
        listed = expected[key]
        if what in ("Enabled", "Suspended"):
            bucket.versioning = what
        elif what == "delete version":
            if place < len(listed):
                bucket.delete_version(key, listed.pop(place)[1])
        elif what != "delete" or bucket.versioning:
            if bucket.versioning != "Enabled":
                listed[:] = [one for one in listed if one[1] != "null"]
            stored = StoredObject(key, 1, "", at_ns, b"x")
            if what == "delete":
                made = bucket.mark_deleted(key, at_ns).version
            else:
                (bucket.put if what == "put" else bucket.put_result)(stored)
                made = bucket.versions_of(key)[0].version
            listed.insert(0, (None if what == "delete" else at_ns, made))
        else:
            bucket.delete(key)
            listed.clear()
        for name, versions in expected.items():
            kept = [
                (None if isinstance(one, DeleteMarker) else one.modified_ns, one.version)
                for one in bucket.versions_of(name)
            ]
            assert kept == versions
            assert (name in bucket.objects) == (bool(versions) and versions[0][0] is not None)
    assert bucket.keys_of_versions() == sorted(name for name, versions in expected.items() if versions)
    assert bucket.is_empty == (not any(expected.values()))
