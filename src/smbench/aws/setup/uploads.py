"""Inputs in S3 under their content's address: what is there already is not sent again.

`<prefix>/<class>/<sha256><extension>`. Everything is uploaded before scenario time begins.
"""

import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import status_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.transport.outputs import bucket_and_key
from smbench.errors import SmbenchError, TargetError, UsageError, out_of_groups

_MAX_BYTES = 1_000_000_000  # an asynchronous endpoint takes 1 GB through S3 (developer guide, 2026-11)
_LOCATION_MAX = 1024  # InvokeEndpointAsync.InputLocation
_STREAMED_BYTES = 1 << 20  # aiohttp warns of larger bodies given as bytes: writing them may hold the loop up
_MISSING = (403, 404)  # without s3:ListBucket a missing key is a 403
_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class Upload:
    """One object that must be in S3. `extension` has its dot, ".json", or is empty."""

    payload_class: str
    body: bytes
    content_type: str | None = None
    extension: str = ""


def input_prefix(output_path: str) -> str:
    """Where inputs go when the scenario does not say: beside the folder of the endpoint's outputs.

    Raises:
        TargetError: the output path is not a location in S3.
    """
    place = bucket_and_key(output_path.rstrip("/") + "/x")
    if place is None:
        raise TargetError(f"the endpoint's output path {output_path} is not a location in S3", "set payloads.prefix")
    bucket, key = place
    above = key.split("/")[:-2]  # without the "x" and the outputs' own folder
    return "/".join([f"s3://{bucket}", *above, "smbench-inputs"])


async def upload(
    clients: AwsClients,
    uploads: Iterable[Upload],
    prefix: str,
    *,
    store: Any = None,
    limit: int = 16,
    progress: Callable[[int], None] | None = None,
) -> list[str]:
    """Put every object where its content says, each once; returns their `s3://` locations, in order.

    Args:
        uploads: Taken as needed: a generator of unique payloads is never in memory as a whole.
        prefix: `s3://bucket` or `s3://bucket/folder`.
        store: The SDK's S3 client, which is the default, or what speaks as it does.
        limit: Objects on their way at once.
        progress: Called with how many are done, after each.

    Raises:
        TargetError: the bucket cannot be written.
        UsageError: a payload is larger than an endpoint takes, or its location longer.
    """
    bucket, _, folder = prefix.removeprefix("s3://").partition("/")
    uploading = _Uploading(
        clients, clients.s3 if store is None else store, bucket, folder.strip("/"), uploads, progress
    )
    try:
        async with anyio.create_task_group() as around:
            around.start_soon(clients.credentials.keep_fresh)  # the wire signs with them, and this may take hours
            async with anyio.create_task_group() as group:
                for _ in range(limit):
                    group.start_soon(uploading.put_rest)
            around.cancel_scope.cancel()
    except BaseExceptionGroup as errors:  # one task's refusal, wrapped by the task group; anything else goes on up
        if isinstance(error := out_of_groups(errors), SmbenchError):
            raise error from None
        raise
    return uploading.locations


async def put_once(clients: AwsClients, bucket: str, key: str, body: bytes) -> None:
    """Put one object under its content's address, unless it is there. Raises TargetError: the bucket is refused."""
    uploading = _Uploading(clients, clients.s3, bucket, "", (), None)
    with clients.explained(f"put s3://{bucket}/{key} (s3:PutObject)"):
        if not await uploading.is_there(key, len(body)):
            await clients.s3.put_object(Bucket=bucket, Key=key, Body=io.BytesIO(body))


class _Uploading:
    """What the tasks of one upload share: the objects still to be taken, and those taken."""

    def __init__(
        self,
        clients: AwsClients,
        store: Any,
        bucket: str,
        folder: str,
        uploads: Iterable[Upload],
        progress: Callable[[int], None] | None,
    ) -> None:
        self.clients, self.store = clients, store
        self.bucket, self.folder, self.progress = bucket, folder, progress
        self.waiting = iter(uploads)
        self.taken: set[str] = set()
        self.locations: list[str] = []
        self.n_done = 0

    async def put_rest(self) -> None:
        """Put one object after the other until none is waiting."""
        for item in self.waiting:
            key = self._key(item)
            self.locations.append(f"s3://{self.bucket}/{key}")
            if key not in self.taken:
                self.taken.add(key)
                with self.clients.explained(f"put the inputs into s3://{self.bucket}/{self.folder}"):
                    if not await self.is_there(key, len(item.body)):
                        await self.store.put_object(Bucket=self.bucket, Key=key, **_content(item))
            self.n_done += 1
            if self.progress is not None:
                self.progress(self.n_done)

    def _key(self, item: Upload) -> str:
        if len(item.body) > _MAX_BYTES:
            raise UsageError(
                f"a payload of {len(item.body):,} bytes is larger than the {_MAX_BYTES:,} an endpoint takes"
            )
        # Quoted, because the location travels in an HTTP header.
        payload_class = quote(item.payload_class, safe="") or _UNNAMED
        name = hashlib.sha256(item.body).hexdigest() + quote(item.extension, safe="")
        key = "/".join(part for part in (self.folder, payload_class, name) if part)
        if len(f"s3://{self.bucket}/{key}") > _LOCATION_MAX:
            raise UsageError(
                f"the input's location is longer than {_LOCATION_MAX} characters: s3://{self.bucket}/{key}"
            )
        return key

    async def is_there(self, key: str, size_bytes: int) -> bool:
        """Whether an object of this size has the key."""
        try:
            head = await self.store.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if status_of(error) in _MISSING:
                return False
            raise
        return bool(head["ContentLength"] == size_bytes)


def _content(item: Upload) -> dict[str, Any]:
    body = io.BytesIO(item.body) if len(item.body) > _STREAMED_BYTES else item.body
    return {"Body": body} | ({"ContentType": item.content_type} if item.content_type else {})
