"""What S3 reads from a request's headers: stored headers, checksums, ranges, conditions."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest

_STORED = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_CHECKSUM = "x-amz-checksum-"
_ALGORITHMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
_CHECKSUM_HEADERS = [(_CHECKSUM + algorithm, algorithm) for algorithm in _ALGORITHMS]
_COMPUTED: dict[str, Callable[[bytes], bytes]] = {  # the others are stored as sent: the standard library has neither
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}


def stored_headers(request: HttpRequest) -> dict[str, str]:
    """What a GET repeats: user metadata and the standard headers."""
    return {name: value for name, value in request.headers.items() if name.startswith("x-amz-meta-") or name in _STORED}


def checked_checksums(request: HttpRequest) -> dict[str, str]:
    """The checksum headers of an upload, compared with its body as far as we can compute them.

    Raises:
        ServiceError: BadDigest, InvalidDigest or InvalidRequest.
    """
    if (md5 := request.headers.get("content-md5")) is not None:
        _check_md5(md5, request.body)
    if request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        raise ServiceError("NotImplemented", "the emulator does not read aws-chunked bodies", 501)
    found = {}
    for header, algorithm in _CHECKSUM_HEADERS:
        sent = request.headers.get(header)
        if sent is None:
            continue
        compute = _COMPUTED.get(algorithm)
        if compute is not None and base64.b64encode(compute(request.body)).decode("ascii") != sent:
            raise ServiceError("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated one.")
        found[header] = sent
    return found


def _check_md5(sent: str, body: bytes) -> None:
    try:
        digest = base64.b64decode(sent, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != 16:
        raise ServiceError("InvalidDigest", "The Content-MD5 you specified was invalid.")
    if digest != hashlib.md5(body, usedforsecurity=False).digest():
        raise ServiceError("BadDigest", "The Content-MD5 you specified did not match what we received.")


def byte_range(header: str, size_bytes: int) -> tuple[int, int] | None:
    """First and last byte of a Range header; None when it is to be ignored (no byte range, or several).

    Raises:
        ServiceError: InvalidRange, when nothing of it lies in the object.
    """
    unit, _, spec = header.partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip() != "bytes" or not dash or "," in spec:
        return None
    if not all(part.isascii() and (part.isdecimal() or not part) for part in (first, last)) or not (first or last):
        return None
    if first:
        start, end = int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1
        if last and int(last) < start:
            return None
    else:
        start, end = max(size_bytes - int(last), 0), size_bytes - 1
    if start >= size_bytes or (not first and int(last) == 0):
        raise ServiceError(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            details={"RangeRequested": header, "ActualObjectSize": str(size_bytes)},
        )
    return start, end


def is_unmodified(request: HttpRequest, etag: str, modified_utc_ns: int) -> bool:
    """Whether the caller has this object already, by If-None-Match or If-Modified-Since.

    Raises:
        ServiceError: PreconditionFailed, when If-Match or If-Unmodified-Since asks for another object.
    """
    headers = request.headers
    modified_s = modified_utc_ns // 1_000_000_000
    if "if-match" in headers:
        if not _names(headers["if-match"], etag):
            raise precondition_failed("If-Match")
    elif (since := _http_date_s(headers.get("if-unmodified-since"))) is not None and modified_s > since:
        raise precondition_failed("If-Unmodified-Since")
    if "if-none-match" in headers:
        return _names(headers["if-none-match"], etag)
    since = _http_date_s(headers.get("if-modified-since"))
    return since is not None and modified_s <= since


def precondition_failed(condition: str) -> ServiceError:
    """S3's 412 for a conditional header, to be raised."""
    return ServiceError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        details={"Condition": condition},
    )


def _names(header: str, etag: str) -> bool:
    return any(item.strip().strip('"') in ("*", etag.strip('"')) for item in header.split(","))


def _http_date_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        at: datetime = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
