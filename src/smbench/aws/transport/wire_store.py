"""PutObject, HeadObject and GetObject on the wire: with the names and errors of the SDK's own client.

So code that puts inputs or looks for outputs takes either.
"""

import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import anyio
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from smbench.aws.access.causes import code_of, status_of
from smbench.aws.transport.wire_service import WireService
from smbench.wire.dates import http_date
from smbench.wire.http1 import Response
from smbench.wire.origin import Origin
from smbench.wire.sigv4 import UNSIGNED_PAYLOAD, payload_hash

_VIRTUAL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")  # with dots no wildcard certificate fits: path style then
_REGION_IN_HOST = re.compile(r"(?<=[.-])[a-z]{2}(?:-[a-z]+)+-\d(?=\.amazonaws\.com)")
_EVERYWHERE = "s3.amazonaws.com"  # the one host that names no region
_ELSEWHERE = (301, 307, 400)
_OF_A_VPC = ".vpce."
# As the SDK's client for preparing tries again: asking twice for an object, or putting it twice, does no harm.
_WAITS_S = (0.5, 1.0, 2.0)
_PASSING = {500, 502, 503, 504}
_PASSING_CODES = {"RequestTimeout", "RequestTimeTooSkewed", "SlowDown", "Throttling", "ThrottlingException"}


class WireStore:
    """Objects of any bucket the credentials reach; between `async with` and its end.

    Args:
        origin: Of the service: AWS's own, or where the user or the emulator has one.
        is_aws: Buckets have hosts of their own, and may be in another region than asked.
        open_service: Opens the S3 of an origin, signing for a region; its pool is closed with the stack.
    """

    def __init__(
        self,
        origin: Origin,
        region: str,
        open_service: Callable[[AsyncExitStack, Origin, str], "WireService"],
        *,
        is_aws: bool,
    ) -> None:
        self.origin, self.region, self.is_aws = origin, region, is_aws
        self._open_service, self._stack = open_service, AsyncExitStack()
        self._regions: dict[str, str] = {}  # of the buckets that turned out to be elsewhere
        self._services: dict[tuple[str, str], WireService] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # the SDK's words
        """`ContentLength`, and `LastModified` where the answer has one.

        Raises:
            ClientError: an answer of a bad status; 403 or 404 where there is no object.
            OSError, ResponseParserError: no answer, or one that cannot be read.
        """
        answer = await self._ask("HEAD", Bucket, Key)
        return _told(answer)

    async def get_object(self, *, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803  # as above
        """As `head_object`, and the bytes of the range as `Body`: `Range="bytes=0-199"`."""
        answer = await self._ask("GET", Bucket, Key, [("range", Range)])
        return _told(answer) | {"Body": _Read(answer.body)}

    async def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803  # as above
        Key: str,  # noqa: N803
        Body: bytes | BinaryIO,  # noqa: N803
        ContentType: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """Put a whole object; raises as `head_object`."""
        headers = [] if ContentType is None else [("content-type", ContentType)]
        await self._ask("PUT", Bucket, Key, headers, Body if isinstance(Body, bytes) else Body.read())
        return {}

    async def _ask(
        self, method: str, bucket: str, key: str, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> Response:
        for wait_s in _WAITS_S:
            try:
                return await self._ask_where_it_is(method, bucket, key, headers or [], body)
            except ClientError as error:
                if status_of(error) not in _PASSING and code_of(error) not in _PASSING_CODES:
                    raise
            except (OSError, ResponseParserError):
                pass
            await anyio.sleep(wait_s)
        return await self._ask_where_it_is(method, bucket, key, headers or [], body)

    async def _ask_where_it_is(
        self, method: str, bucket: str, key: str, headers: list[tuple[str, str]], body: bytes
    ) -> Response:
        try:
            return await self._ask_once(method, bucket, key, headers, body)
        except ClientError as error:
            region = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
            known = region in (None, self._region_of(bucket))
            is_followed = self.is_aws and _OF_A_VPC not in self.origin.host  # such an address reaches one region alone
            if not is_followed or status_of(error) not in _ELSEWHERE or known:
                raise
            self._regions[bucket] = str(region)
        return await self._ask_once(method, bucket, key, headers, body)

    async def _ask_once(
        self, method: str, bucket: str, key: str, headers: list[tuple[str, str]], body: bytes
    ) -> Response:
        is_virtual = self.is_aws and _VIRTUAL.fullmatch(bucket) is not None
        service = self._service(bucket, is_virtual=is_virtual)
        name = quote(key, safe="/-_.~")
        path = f"/{name}" if is_virtual else f"/{quote(bucket, safe='-_.~')}/{name}"
        # TLS guards a body already, and a large one is not read twice.
        sha256 = UNSIGNED_PAYLOAD if body and self.origin.is_tls else payload_hash(body)
        headers = [*headers, ("x-amz-content-sha256", sha256)]
        return await service.exchange(
            lambda: service.signed(method, path, headers, body, sha256), is_head=method == "HEAD"
        )

    def _region_of(self, bucket: str) -> str:
        return self._regions.get(bucket, self.region)

    def _service(self, bucket: str, *, is_virtual: bool) -> WireService:
        region = self._region_of(bucket)
        host = self.origin.host
        if region != self.region:
            host = f"s3.{region}.amazonaws.com" if host == _EVERYWHERE else _REGION_IN_HOST.sub(region, host)
        if is_virtual:
            host = f"{bucket}.{host}"
        if (host, region) not in self._services:
            origin = Origin(self.origin.scheme, host, self.origin.port)
            self._services[host, region] = self._open_service(self._stack, origin, region)
        return self._services[host, region]


class _Read:
    """A body that is here already, read as the SDK's stream is."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        return self._body


def _told(answer: Response) -> dict[str, Any]:
    size = {"ContentLength": int(answer.header(b"content-length") or 0)}
    written = answer.header(b"last-modified")
    if not written:
        return size
    try:
        return size | {"LastModified": http_date(written)}
    except ValueError as error:
        raise ResponseParserError(f"no date: {written}") from error
