"""A prefix in S3 as a place: what an order is, and what its shards leave, as objects that are whole or not there.

A worker's loop never waits for S3 while it sends.
"""

import contextlib
import io
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of, status_of
from smbench.aws.access.clients import AwsSettings
from smbench.aws.access.own_loop import OwnLoop, own_loop
from smbench.errors import DiskError, ResultsError, UsageError
from smbench.held_folder import HeldFolder
from smbench.results.damage import PARTS, Part
from smbench.results.shards import SHARDS

SCHEME = "s3://"
_OBJECT_S = 300.0  # for one that is copied here
_AT_ONCE = 16  # objects on their way
_CHUNK_BYTES = 1 << 20
_TAKEN_TRIES = 5
_TAKEN_AGAIN_S = 0.2
_THERE, _MEANWHILE = 412, 409  # S3's answers to a conditional write: an object is there; another write is under way
_MAKER = "made-by"  # metadata of what only one process may make: a try whose answer was lost finds its own there
_MOST_BYTES = 1 << 30  # of a file that is read whole


@contextmanager
def s3_place(location: str, settings: AwsSettings) -> Iterator["S3Place"]:
    """The place `s3://bucket/prefix`, open while the block lasts.

    Raises:
        UsageError: it names no bucket or no prefix.
        TargetError: no region or no credentials.
    """
    split_location(location)
    with own_loop(settings) as loop:
        yield place_on(loop, location)


def place_on(loop: OwnLoop, location: str) -> "S3Place":
    """The same, as long as the clients are open. Raises UsageError: it names no bucket or no prefix."""
    return S3Place(*split_location(location), loop)


def split_location(location: str) -> tuple[str, str]:
    """Bucket and prefix of a place for an order. Raises UsageError: it names no bucket or no prefix."""
    bucket, _, prefix = location.removeprefix(SCHEME).partition("/")
    if not location.startswith(SCHEME) or not bucket or not prefix.strip("/"):
        raise UsageError(f"{location} is not a location for an order", "write it as s3://bucket/prefix")
    return bucket, prefix.strip("/")


class S3Place:
    """See `results.place.Place`. Every call is bounded in time."""

    def __init__(self, bucket: str, prefix: str, loop: OwnLoop) -> None:
        self._bucket, self._prefix, self._loop = bucket, prefix, loop
        self._s3: Any = loop.clients.s3
        self._workplace: Path | None = None
        self._sent: set[str] = set()  # names of parts that are in S3

    def __str__(self) -> str:
        return f"{SCHEME}{self._bucket}/{self._prefix}"

    def read(self, name: str) -> bytes | None:
        """The whole object; None: there is none."""

        async def get() -> bytes | None:
            try:
                answer = await self._s3.get_object(**self._named(name))
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise
            async with answer["Body"] as body:
                if answer["ContentLength"] > _MOST_BYTES:
                    raise ResultsError(f"{self}/{name} is larger than smbench makes it")
                content: bytes = await body.read()
            return content

        return self._loop.answer(f"read {self}/{name} (s3:GetObject)", get, ResultsError)

    def write(self, name: str, content: bytes) -> None:
        """Put the parts that are not in S3 yet, then the object, in one step for all who read it."""
        self._send_parts()
        self._put(name, content)

    def make(self, name: str, content: bytes) -> bool:
        """Make an object unless there is one; S3 lets one of all that try succeed."""
        maker = secrets.token_hex(8)

        async def make() -> bool:
            for _ in range(_TAKEN_TRIES):
                try:
                    await self._s3.put_object(
                        **self._named(name), Body=io.BytesIO(content), IfNoneMatch="*", Metadata={_MAKER: maker}
                    )
                except ClientError as error:
                    if status_of(error) == _THERE:
                        head = await self._s3.head_object(**self._named(name))
                        return bool(head["Metadata"].get(_MAKER) == maker)
                    if status_of(error) != _MEANWHILE:
                        raise
                    await anyio.sleep(_TAKEN_AGAIN_S)
                else:
                    return True
            return False

        return self._loop.answer(f"put {self}/{name} (s3:PutObject)", make, DiskError)

    def let_go(self, name: str) -> None:
        """Nothing is held in S3."""

    def remove(self, name: str) -> None:
        """Remove an object, or do nothing where there is none."""

        async def remove() -> None:
            await self._s3.delete_object(**self._named(name))

        self._loop.answer(f"remove {self}/{name} (s3:DeleteObject)", remove, DiskError)

    def is_held(self, name: str) -> bool | None:  # S3 knows of no process
        """S3 cannot say it."""
        return None

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A temporary folder, removed once all its parts are in S3; where that fails it stays and is named.

        It is none that the next process removes: after a kill it has the only copy of some rows.
        """
        folder = self._workplace = Path(tempfile.mkdtemp(prefix="smbench-shard-"))  # noqa: TID251
        try:
            yield folder
        finally:
            try:
                self._send_parts()
            except ResultsError as error:
                raise DiskError(
                    f"{error.message}; the missing parts are in {folder / PARTS}",
                    f"aws s3 cp --recursive --exclude 'reached-*' {folder / PARTS} {self}/{PARTS}",
                ) from error
            self._workplace = None
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def copied(self, beside: Path) -> Iterator[Path]:
        """A copy of what the shards left: what they say before their parts, so no word is ahead of its parts."""
        try:
            beside.mkdir(parents=True, exist_ok=True)
            copy = HeldFolder.make("order", beside)
        except OSError as error:
            raise ResultsError(f"cannot write to {beside}: {error.strerror or error}") from error
        try:
            for folder in (SHARDS, PARTS):
                self._fetch(self._names(folder), copy.path)
            yield copy.path
        finally:
            copy.remove()

    # ---- one object, or several at once ---------------------------------------------------------------------------

    def _named(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{name}"}

    def _put(self, name: str, content: bytes) -> None:
        async def put() -> None:
            await self._s3.put_object(**self._named(name), Body=io.BytesIO(content))

        self._loop.answer(f"put {self}/{name} (s3:PutObject)", put, DiskError)

    def _send_parts(self) -> None:
        if self._workplace is None or not (folder := self._workplace / PARTS).is_dir():
            return
        for path in sorted(folder.iterdir()):  # a mark says nothing elsewhere, and `.tmp` is no part yet
            if path.name not in self._sent and Part.of(path) is not None:
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile: its rows are in a gathered part
                    self._put(f"{PARTS}/{path.name}", path.read_bytes())
                self._sent.add(path.name)

    def _names(self, folder: str) -> list[str]:
        start = len(self._prefix) + 1

        async def listed() -> list[str]:
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}/{folder}/"
            )
            return [one["Key"][start:] async for page in pages for one in page.get("Contents", ())]

        names = self._loop.answer(f"list {self} (s3:ListBucket)", listed, ResultsError, _OBJECT_S)
        return [name for name in names if name and not name.endswith("/") and ".." not in name.split("/")]

    def _fetch(self, names: list[str], copy: Path) -> None:
        waiting = iter(names)

        async def fetch_rest() -> None:
            for name in waiting:
                path = copy / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with anyio.fail_after(_OBJECT_S):
                    answer = await self._s3.get_object(**self._named(name))
                    async with answer["Body"] as body:
                        with path.open("wb") as file:
                            while chunk := await body.content.read(_CHUNK_BYTES):
                                file.write(chunk)

        async def fetch_all() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(_AT_ONCE):
                    group.start_soon(fetch_rest)

        self._loop.answer(f"copy {self} (s3:GetObject)", fetch_all, ResultsError, _OBJECT_S * (1 + len(names)))
