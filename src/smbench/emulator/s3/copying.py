"""S3's copies inside S3: whole objects, and parts of an upload, under the conditions that their headers set."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from smbench.emulator.protocol.codecs import ServiceError, not_implemented, xml_reply
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3 import encryption, versions
from smbench.emulator.s3.checksums import SIZES_BYTES, checksum
from smbench.emulator.s3.headers import (
    CHECKSUM,
    STORAGE_CLASS,
    byte_range,
    checksum_elements,
    checksums_of,
    is_unmodified,
    precondition_failed,
    stored_headers,
)
from smbench.emulator.s3.listings import NAMESPACE, stamp
from smbench.emulator.s3.objects import Bucket, StoredObject
from smbench.emulator.site import Site

SOURCE = "x-amz-copy-source"
_OF_SOURCE = f"{SOURCE}-"
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


def find_source(request: HttpRequest, bucket_of: Callable[[str], Bucket], site: Site) -> tuple[Bucket, StoredObject]:
    """The object that is to be copied, and its bucket.

    Raises:
        ServiceError: there is none, a condition does not hold, or the customer's key for it is missing.
    """
    path, _, query = request.headers[SOURCE].partition("?")
    named, _, version = query.partition("=")
    if query and named != "versionId":
        raise not_implemented("s3", f"CopyObject with {named}")
    name, _, key = unquote(path).removeprefix("/").partition("/")
    if not key:
        raise ServiceError(
            "InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        )
    bucket = bucket_of(name)
    original = versions.found(bucket, key, unquote(version) if query else None, site)
    of_source = {
        name.removeprefix(_OF_SOURCE): value for name, value in request.headers.items() if name.startswith(_OF_SOURCE)
    }
    conditions = {name: of_source[name] for name in _CONDITIONS if name in of_source}
    if conditions and is_unmodified(
        replace(request, headers=conditions), original.etag, site.utc_ns(original.modified_ns)
    ):
        raise precondition_failed(_OF_SOURCE + next(iter(conditions)))
    keys = {f"x-amz-{name}": value for name, value in of_source.items() if name.startswith("server-side")}
    encryption.check_customers_key(keys, original.headers)
    return bucket, original


def source_version(source: Bucket, original: StoredObject) -> list[tuple[str, str]]:
    """What the answer to a copy says of the version that was copied."""
    return [("x-amz-copy-source-version-id", original.version)] if source.versioning else []


def headers_of_copy(request: HttpRequest, original: StoredObject, body: bytes, site: Site) -> dict[str, str]:
    """The stored headers of a copy: metadata as its directive says, encryption and storage class as asked now."""
    is_replaced = request.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    asked = stored_headers(request, site)
    of_copy = {name: asked[name] for name in asked if name.startswith(encryption.SSE) or name == STORAGE_CLASS}
    not_inherited = (encryption.SSE, CHECKSUM, STORAGE_CLASS)
    kept = {name: value for name, value in original.headers.items() if not name.startswith(not_inherited)}
    headers = asked if is_replaced else kept | of_copy
    return headers | {CHECKSUM + name: value for name, value in _checksums(request, original.headers, body).items()}


def _checksums(request: HttpRequest, original: Mapping[str, str], body: bytes) -> dict[str, str]:
    """A copy is one piece: its checksum is of all its bytes, by the algorithm asked for or that of the original."""
    asked = request.headers.get("x-amz-checksum-algorithm", "").lower()
    before = checksums_of(original)
    for algorithm in [asked] if asked in SIZES_BYTES else list(before):
        if computed := checksum(algorithm, body):
            return {algorithm: computed}
    return {name: value for name, value in before.items() if "-" not in value}


def check_directive(request: HttpRequest) -> None:
    """Raises ServiceError: InvalidArgument, for a directive that is neither COPY nor REPLACE."""
    for kind in ("metadata", "tagging"):
        if request.headers.get(f"x-amz-{kind}-directive", "COPY").upper() not in ("COPY", "REPLACE"):
            raise ServiceError("InvalidArgument", f"Unknown {kind} directive.")


def check_not_itself(request: HttpRequest, bucket: Bucket, key: str, source: Bucket, original: StoredObject) -> None:
    """Raises ServiceError: InvalidRequest, for a copy onto itself that changes nothing."""
    if (bucket.name, key) != (source.name, original.key):
        return
    headers = request.headers
    is_changed = headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE" or any(
        name in headers for name in (STORAGE_CLASS, "x-amz-website-redirect-location", encryption.SSE)
    )
    if not is_changed:
        raise ServiceError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )


def source_range(request: HttpRequest, original: StoredObject) -> bytes:
    """The bytes of the original that a part is to be.

    Raises:
        ServiceError: InvalidArgument, for a range that is none or not inside the object.
    """
    body, written = original.read(), request.headers.get(f"{SOURCE}-range")
    if written is None:
        return body
    try:
        found = byte_range(written, len(body))
    except ServiceError:
        found = None
    if found is None or written != f"bytes={found[0]}-{found[1]}":
        text = f"Range specified is not valid for source object of size: {len(body)}"
        raise ServiceError("InvalidArgument", text)
    return body[found[0] : found[1] + 1]


def result(tag: str, etag: str, modified_ns: int, checksums: Mapping[str, str], site: Site) -> str:
    """The inside of CopyObjectResult and CopyPartResult, in their element."""
    inner = f"<LastModified>{stamp(site, modified_ns)}</LastModified><ETag>{escape(etag)}</ETag>"
    return f'<{tag} xmlns="{NAMESPACE}">{inner}{checksum_elements(checksums, typed=tag == "CopyObjectResult")}</{tag}>'


def reply(document: str, stored: Mapping[str, str]) -> HttpResponse:
    """The answer to a copy, with how it is encrypted."""
    return xml_reply(document, 200, encryption.described(stored))
