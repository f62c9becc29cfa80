"""What S3's clients do beside putting and getting: copies in parts, attributes, settings nobody made, encryption, tags.

Method: through aiobotocore over HTTP in virtual time, answers as AWS documents them for a bucket that was only made.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plain_services import PlainServices, answers, serving, talk
from smbench.clock import WarpLoop

MIB = 1024 * 1024


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


@dataclass
class At:
    services: PlainServices
    s3: Any

    async def put(self, key: str, body: bytes = b"hello", **params: Any) -> dict[str, Any]:
        reply: dict[str, Any] = await self.s3.put_object(Bucket="bucket", Key=key, Body=body, **params)
        return reply

    async def head(self, key: str, **params: Any) -> dict[str, Any]:
        reply: dict[str, Any] = await self.s3.head_object(Bucket="bucket", Key=key, **params)
        return reply


@pytest.fixture
async def at() -> AsyncIterator[At]:
    async with serving() as services:
        s3 = await services.client("s3")
        await s3.create_bucket(Bucket="bucket")
        yield At(services, s3)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


# copies


async def test_an_object_is_copied_in_parts_as_boto3_copies_a_large_one(at: At) -> None:
    body = bytes(range(256)) * (11 * MIB // 256)
    await at.put("big", body)
    upload = await at.s3.create_multipart_upload(Bucket="bucket", Key="copy", ChecksumAlgorithm="CRC32")
    names = {"Bucket": "bucket", "Key": "copy", "UploadId": upload["UploadId"]}
    parts = []
    for number, (first, last) in enumerate([(0, 8 * MIB - 1), (8 * MIB, len(body) - 1)], 1):
        copied = await at.s3.upload_part_copy(
            **names, PartNumber=number, CopySource="bucket/big", CopySourceRange=f"bytes={first}-{last}"
        )
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
        assert copied["CopyPartResult"]["ChecksumCRC32"]
    done = await at.s3.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})
    assert (done["ETag"].endswith('-2"'), done["ChecksumCRC32"][-2:], done["ChecksumType"]) == (True, "-2", "COMPOSITE")
    assert at.services.s3.get("bucket", "copy") == body

    told = await at.s3.get_object_attributes(
        Bucket="bucket", Key="copy", ObjectAttributes=["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    )
    assert (told["ObjectSize"], told["StorageClass"], told["ETag"]) == (len(body), "STANDARD", done["ETag"].strip('"'))
    assert told["Checksum"] == {"ChecksumCRC32": done["ChecksumCRC32"], "ChecksumType": "COMPOSITE"}
    assert told["ObjectParts"]["TotalPartsCount"] == 2
    assert [part["Size"] for part in told["ObjectParts"]["Parts"]] == [8 * MIB, 3 * MIB]
    second = await at.s3.get_object(Bucket="bucket", Key="copy", PartNumber=2)
    assert (second["PartsCount"], second["ContentLength"]) == (2, 3 * MIB)
    assert len(await second["Body"].read()) == 3 * MIB
    assert second["ContentRange"] == f"bytes {8 * MIB}-{len(body) - 1}/{len(body)}"


async def test_attributes_are_those_that_were_asked_for(at: At) -> None:
    await at.put("k")
    told = await at.s3.get_object_attributes(Bucket="bucket", Key="k", ObjectAttributes=["ObjectSize"])
    assert told["ObjectSize"] == 5
    assert "ETag" not in told
    whole = await at.s3.get_object_attributes(Bucket="bucket", Key="k", ObjectAttributes=["Checksum", "ObjectParts"])
    assert (whole["Checksum"]["ChecksumType"], "ObjectParts" in whole) == ("FULL_OBJECT", False)


@pytest.mark.parametrize(
    ("conditions", "is_copied"),
    [
        ({"CopySourceIfMatch": '"5d41402abc4b2a76b9719d911017c592"'}, True),
        ({"CopySourceIfMatch": '"00000000000000000000000000000000"'}, False),
        ({"CopySourceIfNoneMatch": '"5d41402abc4b2a76b9719d911017c592"'}, False),
        ({"CopySourceIfNoneMatch": '"00000000000000000000000000000000"'}, True),
        ({"CopySourceIfModifiedSince": "2025-01-01T00:00:00Z"}, True),
        ({"CopySourceIfUnmodifiedSince": "2025-01-01T00:00:00Z"}, False),
    ],
)
async def test_a_copy_obeys_the_conditions_on_its_source(at: At, conditions: dict[str, str], is_copied: bool) -> None:
    await at.put("k")
    if is_copied:
        await at.s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/k", **conditions)
        return
    with pytest.raises(ClientError) as error:
        await at.s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/k", **conditions)
    assert refusal(error) == ("PreconditionFailed", 412)


async def test_a_range_outside_the_source_is_no_part(at: At) -> None:
    await at.put("k")
    upload = (await at.s3.create_multipart_upload(Bucket="bucket", Key="c"))["UploadId"]
    for written in ("bytes=0-5", "bytes=2-", "bytes=9-9", "0-1"):
        with pytest.raises(ClientError) as error:
            await at.s3.upload_part_copy(
                Bucket="bucket", Key="c", UploadId=upload, PartNumber=1, CopySource="bucket/k", CopySourceRange=written
            )
        assert refusal(error) == ("InvalidArgument", 400)


async def test_the_whole_checksum_of_an_upload_is_that_of_its_bytes(at: At) -> None:
    upload = (await at.s3.create_multipart_upload(Bucket="bucket", Key="k", ChecksumAlgorithm="CRC64NVME"))["UploadId"]
    names = {"Bucket": "bucket", "Key": "k", "UploadId": upload}
    etag = (await at.s3.upload_part(**names, PartNumber=1, Body=b"123456789"))["ETag"]
    chosen = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    with pytest.raises(ClientError) as error:
        await at.s3.complete_multipart_upload(**names, MultipartUpload=chosen, ChecksumCRC64NVME="AAAAAAAAAAA=")
    assert refusal(error) == ("BadDigest", 400)
    done = await at.s3.complete_multipart_upload(**names, MultipartUpload=chosen)
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == ("rosUhgp5mIg=", "FULL_OBJECT")


async def test_an_upload_under_way_shows_what_was_chosen_and_the_checksums_of_its_parts(at: At) -> None:
    chosen = {"ChecksumAlgorithm": "CRC64NVME", "StorageClass": "STANDARD_IA"}
    upload = (await at.s3.create_multipart_upload(Bucket="bucket", Key="k", **chosen))["UploadId"]
    names = {"Bucket": "bucket", "Key": "k", "UploadId": upload}
    await at.s3.upload_part(**names, PartNumber=1, Body=b"123456789", ChecksumCRC64NVME="rosUhgp5mIg=")
    shown = await at.s3.list_parts(**names)
    (listed,) = (await at.s3.list_multipart_uploads(Bucket="bucket"))["Uploads"]
    assert shown["Parts"][0]["ChecksumCRC64NVME"] == "rosUhgp5mIg="
    for one in (shown, listed):
        assert {name: one[name] for name in chosen} | {"ChecksumType": one["ChecksumType"]} == chosen | {
            "ChecksumType": "FULL_OBJECT"
        }


@pytest.mark.parametrize(
    ("algorithm", "types"),
    [
        ("CRC32", "COMPOSITE FULL_OBJECT"),
        ("CRC64NVME", "FULL_OBJECT"),
        ("SHA256", "COMPOSITE"),
        ("SHA512", "COMPOSITE"),
    ],
)
async def test_a_checksum_of_the_whole_is_a_crc_and_the_type_that_was_begun_counts(
    at: At, algorithm: str, types: str
) -> None:
    for kind, other in (("COMPOSITE", "FULL_OBJECT"), ("FULL_OBJECT", "COMPOSITE")):
        names: dict[str, Any] = {"Bucket": "bucket", "Key": "k"}
        create = at.s3.create_multipart_upload(**names, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        if kind not in types.split():
            with pytest.raises(ClientError, match=f"The {kind} checksum type cannot be used with the") as error:
                await create
            assert refusal(error) == ("InvalidRequest", 400)
            continue
        begun = await create
        assert begun["ChecksumType"] == kind
        names["UploadId"] = begun["UploadId"]
        etag = (await at.s3.upload_part(**names, PartNumber=1, Body=b"1"))["ETag"]
        names["MultipartUpload"] = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        with pytest.raises(ClientError, match=f"was created using the {kind} checksum mode"):
            await at.s3.complete_multipart_upload(**names, ChecksumType=other)
        await at.s3.complete_multipart_upload(**names, ChecksumType=kind)
    with pytest.raises(ClientError, match="can only be used with the x-amz-checksum-algorithm header"):
        await at.s3.create_multipart_upload(Bucket="bucket", Key="k", ChecksumType="COMPOSITE")


async def test_an_empty_acl_is_none(at: At) -> None:
    await at.s3.put_object(Bucket="bucket", Key="k", Body=b"", ACL="")
    with pytest.raises(ClientError) as error:
        await at.s3.put_object(Bucket="bucket", Key="k", Body=b"", ACL="public-read")
    assert refusal(error) == ("AccessControlListNotSupported", 400)


# settings that nobody made


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("get_bucket_accelerate_configuration", {}),
        ("get_bucket_logging", {}),
        ("get_bucket_notification_configuration", {}),
        ("get_bucket_versioning", {}),
        ("get_bucket_request_payment", {"Payer": "BucketOwner"}),
        ("list_bucket_inventory_configurations", {"IsTruncated": False}),
        ("list_bucket_metrics_configurations", {"IsTruncated": False}),
        ("list_bucket_analytics_configurations", {"IsTruncated": False}),
        ("list_bucket_intelligent_tiering_configurations", {"IsTruncated": False}),
        (
            "get_bucket_ownership_controls",
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        ),
    ],
)
async def test_a_setting_nobody_made_is_read_as_its_default(at: At, operation: str, expected: dict[str, Any]) -> None:
    told = await getattr(at.s3, operation)(Bucket="bucket")
    told.pop("ResponseMetadata")
    assert told == expected


async def test_access_and_encryption_are_what_a_new_bucket_has(at: At) -> None:
    acl = await at.s3.get_bucket_acl(Bucket="bucket")
    assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"]
    assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]
    (rule,) = (await at.s3.get_bucket_encryption(Bucket="bucket"))["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    blocked = (await at.s3.get_public_access_block(Bucket="bucket"))["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    await at.put("k")
    assert (await at.s3.get_object_acl(Bucket="bucket", Key="k"))["Owner"] == acl["Owner"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
async def test_a_setting_without_a_default_is_refused_in_s3s_words(at: At, operation: str, code: str) -> None:
    with pytest.raises(ClientError) as error:
        await getattr(at.s3, operation)(Bucket="bucket")
    assert refusal(error) == (code, 404)
    with pytest.raises(ClientError) as error:
        await getattr(at.s3, operation)(Bucket="no-such")
    assert refusal(error) == ("NoSuchBucket", 404)


async def test_a_setting_that_would_change_something_is_not_taken(at: At) -> None:
    with pytest.raises(ClientError, match="does not implement s3:PutBucketPolicy"):
        await at.s3.put_bucket_policy(Bucket="bucket", Policy="{}")


async def test_every_object_is_its_only_version(at: At) -> None:
    for key in ("a", "b/1", "b/2"):
        await at.put(key)
    listed = await at.s3.list_object_versions(Bucket="bucket", Delimiter="/")
    assert [(v["Key"], v["VersionId"], v["IsLatest"]) for v in listed["Versions"]] == [("a", "null", True)]
    assert listed["CommonPrefixes"] == [{"Prefix": "b/"}]
    first = await at.s3.list_object_versions(Bucket="bucket", MaxKeys=2)
    rest = await at.s3.list_object_versions(Bucket="bucket", KeyMarker=first["NextKeyMarker"])
    assert [v["Key"] for v in first["Versions"] + rest["Versions"]] == ["a", "b/1", "b/2"]
    names = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in first["Versions"] + rest["Versions"]]
    await at.s3.delete_objects(Bucket="bucket", Delete={"Objects": names})
    assert "Versions" not in await at.s3.list_object_versions(Bucket="bucket")


async def test_tags_of_buckets_and_objects_are_kept(at: At) -> None:
    tags = [{"Key": "run", "Value": "<7>"}]
    await at.s3.put_bucket_tagging(Bucket="bucket", Tagging={"TagSet": tags})
    assert (await at.s3.get_bucket_tagging(Bucket="bucket"))["TagSet"] == tags
    await at.put("k", Tagging="run=%3C7%3E")
    assert (await at.s3.get_object_tagging(Bucket="bucket", Key="k"))["TagSet"] == tags
    assert (await at.s3.get_object(Bucket="bucket", Key="k"))["TagCount"] == 1
    await at.s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/k")
    assert (await at.s3.get_object_tagging(Bucket="bucket", Key="c"))["TagSet"] == tags
    await at.s3.delete_object_tagging(Bucket="bucket", Key="c")
    await at.put("k")
    for key in ("k", "c"):
        assert (await at.s3.get_object_tagging(Bucket="bucket", Key=key))["TagSet"] == []


# how an object is kept

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("asked", "kind", "key"),
    [
        ({}, "AES256", None),
        ({"ServerSideEncryption": "AES256"}, "AES256", None),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}, "aws:kms", KEY),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY.rpartition("/")[2]}, "aws:kms", KEY),
        ({"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": KEY}, "aws:kms:dsse", KEY),
    ],
)
async def test_an_object_is_described_as_it_is_encrypted(
    at: At, asked: dict[str, Any], kind: str, key: str | None
) -> None:
    replies = [await at.put("k", **asked), await at.head("k")]
    replies.append(await at.s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/k", **asked))
    replies.append(await at.s3.create_multipart_upload(Bucket="bucket", Key="m", **asked))
    names = {"Bucket": "bucket", "Key": "m", "UploadId": replies[-1]["UploadId"]}
    replies.append(await at.s3.upload_part(**names, PartNumber=1, Body=b"x"))
    chosen = {"Parts": [{"PartNumber": 1, "ETag": replies[-1]["ETag"]}]}
    replies += [await at.s3.complete_multipart_upload(**names, MultipartUpload=chosen), await at.head("m")]
    assert {(reply["ServerSideEncryption"], reply.get("SSEKMSKeyId")) for reply in replies} == {(kind, key)}


async def test_a_copy_is_encrypted_as_the_copy_asks_not_as_the_original_was(at: At) -> None:
    await at.put("k", ServerSideEncryption="aws:kms")
    assert (await at.head("k"))["SSEKMSKeyId"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    await at.s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/k")
    assert (await at.head("c"))["ServerSideEncryption"] == "AES256"


async def test_what_has_a_customers_key_is_read_with_it_alone(at: At) -> None:
    key: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    put = await at.put("k", **key)
    assert put["SSECustomerAlgorithm"] == "AES256"
    assert (await at.head("k", **key))["ContentLength"] == 5
    for params, code in (({}, 400), ({**key, "SSECustomerKey": "x" * 32}, 403)):
        with pytest.raises(ClientError) as error:
            await at.head("k", **params)
        assert refusal(error)[1] == code


async def test_an_encryption_or_class_that_s3_does_not_know_is_refused(at: At) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"ServerSideEncryption": "rot13"}, "InvalidArgument"),
        ({"SSEKMSKeyId": KEY}, "InvalidArgument"),
        ({"StorageClass": "COLD"}, "InvalidStorageClass"),
    ]
    for params, code in wrong:
        with pytest.raises(ClientError) as error:
            await at.put("k", **params)
        assert refusal(error) == (code, 400)


async def test_a_storage_class_is_described_and_listed(at: At) -> None:
    await at.put("k", StorageClass="STANDARD_IA")
    assert (await at.head("k"))["StorageClass"] == "STANDARD_IA"
    assert (await at.s3.list_objects_v2(Bucket="bucket"))["Contents"][0]["StorageClass"] == "STANDARD_IA"


async def test_the_owner_a_caller_expects_is_looked_at(at: At) -> None:
    await at.s3.head_bucket(Bucket="bucket", ExpectedBucketOwner="123456789012")
    with pytest.raises(ClientError) as error:
        await at.s3.list_objects_v2(Bucket="bucket", ExpectedBucketOwner="999999999999")
    assert refusal(error) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    "host", ["bucket.localhost:4566", "bucket.s3.us-east-1.amazonaws.com", "bucket.s3.amazonaws.com"]
)
async def test_a_bucket_may_be_named_by_the_host(at: At, host: str) -> None:
    await at.put("a b")
    sent = f"GET /a%20b HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    (answer,) = answers(await talk(at.services.server.port, sent))
    assert (answer.status, answer.body) == (200, b"hello")


async def test_a_url_may_ask_for_other_headers_in_its_answer(at: At) -> None:
    await at.put("k", CacheControl="no-cache", ContentType="a/b")
    told = await at.s3.get_object(Bucket="bucket", Key="k", ResponseCacheControl="max-age=1", ResponseContentType="c/d")
    assert (told["CacheControl"], told["ContentType"]) == ("max-age=1", "c/d")
