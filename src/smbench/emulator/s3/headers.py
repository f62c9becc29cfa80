"""What S3 reads from a request's headers: stored headers, checksums, ranges, conditions."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from smbench.emulator.protocol.codecs import ServiceError, not_implemented
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.s3 import encryption
from smbench.emulator.s3.checksums import SIZES_BYTES, checksum, is_well_formed
from smbench.emulator.site import Site
from smbench.wire.dates import http_date

_STORED = (
    "cache-control", "content-disposition", "content-encoding", "content-language", "expires",
    "x-amz-website-redirect-location",
)  # fmt: skip
CHECKSUM = "x-amz-checksum-"
_CHECKSUM_HEADERS = [(CHECKSUM + algorithm, algorithm) for algorithm in SIZES_BYTES]
STORAGE_CLASS = "x-amz-storage-class"
_ONLY_AS_USUAL = {
    "x-amz-write-offset-bytes": "",
    "x-amz-if-match-size": "",
    "x-amz-if-match-last-modified-time": "",
    "x-amz-bucket-object-lock-enabled": "false",
    "x-amz-object-ownership": "BucketOwnerEnforced",
}
_NO_BUCKET_ACL = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
_METADATA_MAX_BYTES = 2048
_CLASSES = {"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"}
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}  # what lies there cannot be read before it is restored


def refuse_unheeded(request: HttpRequest, site: Site, *, of_bucket: bool) -> None:
    """What a write asks for beside its body, where S3 would heed it.

    Raises:
        ServiceError: S3's own refusal of what a bucket that was only made does not have, or 501 for what is not
            emulated: to store the object without it would be a wrong success.
    """
    headers = request.headers
    is_open = headers.get("x-amz-acl", "") not in (
        "",
        "private",
        "bucket-owner-full-control",
    )  # s3fs 0.4 sends it empty
    if is_open or any(name.startswith("x-amz-grant-") for name in headers):
        raise (
            ServiceError("InvalidBucketAclWithObjectOwnership", _NO_BUCKET_ACL)
            if of_bucket
            else ServiceError("AccessControlListNotSupported", "The bucket does not allow ACLs")
        )
    if any(name.startswith("x-amz-object-lock-") for name in headers):
        raise ServiceError("InvalidRequest", "Bucket is missing Object Lock Configuration")
    if headers.get("x-amz-source-expected-bucket-owner", site.account) != site.account:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    if request.method == "PUT" and headers.get("if-none-match", "*") != "*":
        text = "A header you provided implies functionality that is not implemented"
        raise ServiceError("NotImplemented", text, 501, details={"Header": "If-None-Match"})
    for name, usual in _ONLY_AS_USUAL.items():
        if headers.get(name, usual) != usual:
            raise not_implemented("s3", f"the header {name}")


def stored_headers(request: HttpRequest, site: Site) -> dict[str, str]:
    """What a GET repeats: metadata, the standard headers, and encryption and class where they are not S3's default.

    Raises:
        ServiceError: an encryption or a storage class that S3 refuses, or one that is not emulated.
    """
    headers = request.headers
    kept = {name: value for name, value in headers.items() if name.startswith("x-amz-meta-") or name in _STORED}
    of_user = [name.removeprefix("x-amz-meta-") + kept[name] for name in kept if name.startswith("x-amz-meta-")]
    if (size := sum(len(text.encode()) for text in of_user)) > _METADATA_MAX_BYTES:
        text = "Your metadata headers exceed the maximum allowed metadata size"
        details = {"Size": str(size), "MaxSizeAllowed": str(_METADATA_MAX_BYTES)}
        raise ServiceError("MetadataTooLarge", text, details=details)
    kept |= encryption.asked(headers, site)
    storage_class = headers.get(STORAGE_CLASS, "STANDARD")
    if storage_class in _ARCHIVES:
        raise not_implemented("s3", f"storage class {storage_class}")
    if storage_class not in _CLASSES:
        raise ServiceError("InvalidStorageClass", "The storage class you specified is not valid")
    if storage_class != "STANDARD":
        kept[STORAGE_CLASS] = storage_class
    return kept


def checked_checksums(request: HttpRequest) -> dict[str, str]:
    """The checksum header of an upload, compared with its body unless it is of the xxHash family.

    Raises:
        ServiceError: BadDigest, InvalidDigest or InvalidRequest.
    """
    if (md5 := request.headers.get("content-md5")) is not None:
        _check_md5(md5, request.body)
    found = {}
    for header, algorithm in _CHECKSUM_HEADERS:
        sent = request.headers.get(header)
        if sent is None:
            continue
        if not is_well_formed(algorithm, sent):
            raise ServiceError("InvalidRequest", f"Value for {header} header is invalid.")
        if checksum(algorithm, request.body) not in (None, sent):
            raise ServiceError("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated one.")
        found[header] = sent
    if len(found) > 1:
        text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise ServiceError("InvalidRequest", text)
    return found


def checksums_of(stored: Mapping[str, str]) -> dict[str, str]:
    """The checksum among an object's headers, by algorithm; empty when there is none."""
    return {name.removeprefix(CHECKSUM): value for name, value in stored.items() if name.startswith(CHECKSUM)}


def checksum_type(value: str) -> str:
    """Of the object's bytes, or of its parts' checksums with their number behind."""
    return "COMPOSITE" if "-" in value else "FULL_OBJECT"


def checksum_elements(checksums: Mapping[str, str], *, typed: bool = True) -> str:
    """Checksums by algorithm as the elements of S3's documents."""
    elements = "".join(f"<Checksum{name.upper()}>{value}</Checksum{name.upper()}>" for name, value in checksums.items())
    kinds = {checksum_type(value) for value in checksums.values()} if typed else set()
    return elements + "".join(f"<ChecksumType>{kind}</ChecksumType>" for kind in kinds)


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
    written_first, dash, written_last = spec.strip().partition("-")
    first, last = whole(written_first), whole(written_last)
    is_odd = (first is None and written_first) or (last is None and written_last)
    if unit.strip() != "bytes" or not dash or is_odd or (first is None and last is None):
        return None
    start, end = first, size_bytes - 1
    if start is None:
        start = max(size_bytes - (last or 0), 0)
    elif last is not None:
        if last < start:
            return None
        end = min(last, end)
    if start >= size_bytes:
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
        return http_date(text).timestamp()
    except ValueError:
        return None
