"""The results in S3 as Outputs and Folders: which of a request's two locations is taken, and since when."""

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from smbench.aws.access.causes import NO_ANSWER, code_of, reason_of, status_of
from smbench.aws.access.instants import datetime_utc_ns
from smbench.records import FolderPage, Outcome, OutputFound, Unacknowledged

_S3_URI = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)
_VIRTUAL_HOST = re.compile(
    r"https?://(.+?)\.s3(?:[.-][a-z0-9-]+)?(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?/([^?]+)", re.DOTALL
)
_PATH_STYLE = re.compile(r"https?://[^/]+/([^/]+)/([^?]+)", re.DOTALL)
_REASON_BYTES, _REASON_MAX = 256, 200  # what is read of an error object, and the characters kept of it
_NOT_THERE = (403, 404)  # without s3:ListBucket a missing key is a 403


class S3Folders:
    """Lists what is beside an object.

    Args:
        client: The SDK's S3 client.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    async def page(self, location: str, after: str | None) -> FolderPage:
        """See `ports.Folders`."""
        place = bucket_and_key(location)
        if place is None:
            raise Unacknowledged("no location in S3")
        folder, slash, _ = place[1].rpartition("/")
        prefix, token = f"{folder}{slash}", {} if after is None else {"ContinuationToken": after}
        try:
            page = await self.client.list_objects_v2(Bucket=place[0], Prefix=prefix, Delimiter="/", **token)
        except ClientError as error:
            raise Unacknowledged(code_of(error)) from error
        except NO_ANSWER as error:
            raise Unacknowledged(reason_of(error)) from error
        there = page.get("Contents", ())
        written = {one["Key"].removeprefix(prefix): datetime_utc_ns(one["LastModified"]) for one in there}
        return FolderPage(written, page.get("NextContinuationToken"))


class S3Outputs:
    """Asks S3 by HEAD, and reads how an error begins.

    Args:
        client: The SDK's S3 client, or what speaks as it does.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    async def look_up(self, output_location: str | None, failure_location: str | None) -> OutputFound | None:
        """See `ports.Outputs`: the output first, then the failure."""
        for location, outcome in ((output_location, Outcome.COMPLETED), (failure_location, Outcome.FAILED)):
            place = None if location is None else bucket_and_key(location)
            if place is None:
                continue
            written_utc_ns = await self._written(*place)
            if written_utc_ns is not None:
                reason = await self._reason(*place) if outcome is Outcome.FAILED else None
                return OutputFound(outcome, written_utc_ns, reason)
        return None

    async def _reason(self, bucket: str, key: str) -> str | None:
        """How an error object begins, on one line; None where it cannot be read: that the object exists is enough."""
        try:
            answer = await self.client.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{_REASON_BYTES - 1}")
            begin: bytes = await answer["Body"].read()
        except (ClientError, BotoCoreError, *NO_ANSWER):
            return None
        words = " ".join(begin[:_REASON_BYTES].decode(errors="replace").split())
        return "".join(filter(str.isprintable, words))[:_REASON_MAX] or None

    async def _written(self, bucket: str, key: str) -> int | None:
        try:
            head = await self.client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if status_of(error) in _NOT_THERE:
                return None
            raise Unacknowledged(code_of(error)) from error
        except NO_ANSWER as error:
            raise Unacknowledged(reason_of(error)) from error
        written = head.get("LastModified")
        if written is None:  # that it is there says nothing of when
            raise Unacknowledged("unreadable answer")
        return datetime_utc_ns(written)


def bucket_and_key(location: str) -> tuple[str, str] | None:
    """From `s3://bucket/key` or the https forms SageMaker gives back; None when it is neither."""
    for form in (_S3_URI, _VIRTUAL_HOST, _PATH_STYLE):
        if match := form.fullmatch(location):
            return match[1], match[2]
    return None
