"""S3's operations on one object: put, copy, get, its parts, its attributes, its tags."""

from collections.abc import Callable

from smbench.emulator.protocol.codecs import ServiceError, xml_reply
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.s3 import copying, encryption, settings, versions
from smbench.emulator.s3.documents import read_tags, tags_of_header
from smbench.emulator.s3.headers import (
    CHECKSUM,
    STORAGE_CLASS,
    byte_range,
    checked_checksums,
    checksum_elements,
    checksum_type,
    checksums_of,
    is_unmodified,
    precondition_failed,
    stored_headers,
)
from smbench.emulator.s3.listings import NAMESPACE
from smbench.emulator.s3.objects import NO_HEADERS, Bucket, PartFacts, StoredObject
from smbench.emulator.site import Site, http_date

TAGS_MAX = 10
_INTEGER_MAX = 2**31 - 1
_ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")


def check_conditions(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> None:
    """Raises ServiceError: PreconditionFailed or NoSuchKey, when a conditional write may not replace what is there."""
    existing = bucket.objects.get(key)
    if request.headers.get("if-none-match") == "*" and existing is not None:
        raise precondition_failed("If-None-Match")
    if "if-match" in request.headers:
        there = versions.found(bucket, key, None, site)
        is_unmodified(request, there.etag, site.utc_ns(there.modified_ns))


def put(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """PutObject."""
    check_conditions(request, bucket, key, site)
    tags = tags_of_header(request.headers["x-amz-tagging"], TAGS_MAX) if "x-amz-tagging" in request.headers else {}
    checksums = checked_checksums(request)
    headers = (stored_headers(request, site) | checksums) or NO_HEADERS
    content_type = request.headers.get("content-type", "binary/octet-stream")
    stored = StoredObject(key, len(request.body), "", site.now_ns, request.body, None, content_type, headers)
    bucket.put(stored)
    if tags:
        bucket.tags_of[key, stored.version] = tags
    reply = [
        ("ETag", stored.etag),
        *versions.write_header(bucket, stored),
        *encryption.described(headers),
        *checksums.items(),
    ]
    reply += [("x-amz-checksum-type", checksum_type(value)) for value in checksums.values()]
    return HttpResponse(200, reply)


def copy(
    request: HttpRequest, bucket: Bucket, key: str, site: Site, bucket_of: Callable[[str], Bucket]
) -> HttpResponse:
    """CopyObject."""
    copying.check_directive(request)
    source, original = copying.find_source(request, bucket_of, site)
    copying.check_not_itself(request, bucket, key, source, original)
    check_conditions(request, bucket, key, site)
    body = original.read()
    headers = copying.headers_of_copy(request, original, body, site) or NO_HEADERS
    is_replaced = request.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    content_type = request.headers.get("content-type", "binary/octet-stream") if is_replaced else original.content_type
    tags = source.tags_of.get((original.key, original.version), {})
    if request.headers.get("x-amz-tagging-directive", "COPY").upper() == "REPLACE":
        tags = tags_of_header(request.headers.get("x-amz-tagging", ""), TAGS_MAX)
    stored = StoredObject(key, len(body), "", site.now_ns, body, None, content_type, headers)
    bucket.put(stored)
    if tags:
        bucket.tags_of[key, stored.version] = dict(tags)
    result = copying.result("CopyObjectResult", stored.etag, stored.modified_ns, checksums_of(headers), site)
    answer = copying.reply(result, headers)
    answer.headers += (*versions.write_header(bucket, stored), *copying.source_version(source, original))
    return answer


def get(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """GetObject and HeadObject: whole, a range, or one of the parts that it came in."""
    stored = versions.found(bucket, key, versions.asked(request), site)
    encryption.check_customers_key(request.headers, stored.headers)
    modified_utc_ns = site.utc_ns(stored.modified_ns)
    headers = [
        ("ETag", stored.etag),
        ("Last-Modified", http_date(modified_utc_ns)),
        ("Accept-Ranges", "bytes"),
        *versions.read_header(bucket, stored),
        *encryption.described(stored.headers),
    ]
    if is_unmodified(request, stored.etag, modified_utc_ns):
        return HttpResponse(304, headers)
    overrides = _overrides(request)
    headers.append(("Content-Type", overrides.pop("content-type", stored.content_type)))
    if n_tags := len(bucket.tags_of.get((key, stored.version), ())):
        headers.append(("x-amz-tagging-count", str(n_tags)))
    part = request.query.get("partNumber")
    chosen = _chosen_bytes(request, bucket, stored)
    if part is not None and (parts := bucket.parts_of.get((key, stored.version))):
        headers.append(("x-amz-mp-parts-count", str(len(parts))))
    shows_checksums = chosen is None and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
    for name, value in stored.headers.items():
        if name.startswith(CHECKSUM):
            headers += [(name, value), ("x-amz-checksum-type", checksum_type(value))] if shows_checksums else []
        elif not name.startswith(encryption.SSE) and name not in overrides:
            headers.append((name, value))
    headers += overrides.items()
    start, end = chosen or (0, stored.size_bytes - 1)
    if chosen is not None:
        headers.append(("Content-Range", f"bytes {start}-{end}/{stored.size_bytes}"))
    status = 200 if chosen is None else 206
    if request.method == "HEAD":
        headers.append(("Content-Length", str(end + 1 - start)))
        return HttpResponse(status, headers)
    body = stored.read()
    return HttpResponse(status, headers, body if chosen is None else body[start : end + 1])


def _chosen_bytes(request: HttpRequest, bucket: Bucket, stored: StoredObject) -> tuple[int, int] | None:
    """First and last byte that are asked for; None for all of them."""
    part = request.query.get("partNumber")
    if part is None:
        return byte_range(request.headers["range"], stored.size_bytes) if "range" in request.headers else None
    if "range" in request.headers:
        text = "Cannot specify both Range header and partNumber query parameter"
        raise ServiceError("InvalidRequest", text)
    whole = (PartFacts(1, stored.size_bytes, {}),)
    start = 0
    for number, facts in enumerate(bucket.parts_of.get((stored.key, stored.version), whole), 1):
        if str(number) == part:
            return (start, start + facts.size_bytes - 1) if facts.size_bytes else None
        start += facts.size_bytes
    raise ServiceError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)


def _overrides(request: HttpRequest) -> dict[str, str]:
    """Headers that a URL asks the answer to have, `response-content-disposition` among them."""
    asked = request.query.items()
    return {
        name.removeprefix("response-"): value
        for name, value in asked
        if name.startswith("response-") and value.isprintable()
    }


def attributes(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """GetObjectAttributes: those that are asked for, of an object that is there."""
    stored = versions.found(bucket, key, versions.asked(request), site)
    encryption.check_customers_key(request.headers, stored.headers)
    asked = [name.strip() for name in request.headers.get("x-amz-object-attributes", "").split(",")]
    if not set(asked) <= set(_ATTRIBUTES):
        raise ServiceError("InvalidArgument", "Invalid attribute name specified.")
    parts = bucket.parts_of.get((key, stored.version))
    checksums = checksums_of(stored.headers)
    elements = {
        "ETag": f"<ETag>{stored.etag.strip(chr(34))}</ETag>",
        "Checksum": f"<Checksum>{checksum_elements(checksums)}</Checksum>" if checksums else "",
        "ObjectParts": "" if parts is None else _parts(parts, request),
        "StorageClass": f"<StorageClass>{stored.headers.get(STORAGE_CLASS, 'STANDARD')}</StorageClass>",
        "ObjectSize": f"<ObjectSize>{stored.size_bytes}</ObjectSize>",
    }
    inner = "".join(elements[name] for name in _ATTRIBUTES if name in asked)
    document = f'<GetObjectAttributesResponse xmlns="{NAMESPACE}">{inner}</GetObjectAttributesResponse>'
    headers = [("Last-Modified", http_date(site.utc_ns(stored.modified_ns))), *versions.read_header(bucket, stored)]
    return xml_reply(document, 200, headers)


def _parts(parts: tuple[PartFacts, ...], request: HttpRequest) -> str:
    """How many parts there were; each of them only where the upload had checksums, as in S3."""
    count = f"<PartsCount>{len(parts)}</PartsCount>"
    if not any(part.checksums for part in parts):
        return f"<ObjectParts>{count}</ObjectParts>"
    after, limit = (
        _number(request, name, default) for name, default in (("part-number-marker", 0), ("max-parts", 1000))
    )
    shown = parts[after : after + min(limit, 1000)]
    last = after + len(shown)
    page = f"<PartNumberMarker>{after}</PartNumberMarker><MaxParts>{limit}</MaxParts>"
    is_more = "true" if last < len(parts) else "false"
    more = f"<NextPartNumberMarker>{last}</NextPartNumberMarker><IsTruncated>{is_more}</IsTruncated>"
    listed = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber><Size>{part.size_bytes}</Size>"
        f"{checksum_elements(part.checksums, typed=False)}</Part>"
        for part in shown
    )
    return f"<ObjectParts>{count}{page}{more}{listed}</ObjectParts>"


def _number(request: HttpRequest, name: str, default: int) -> int:
    number = whole(request.headers.get(f"x-amz-{name}", str(default)))
    if number is None or number > _INTEGER_MAX:
        raise ServiceError("InvalidArgument", f"Argument {name} must be an integer between 0 and {_INTEGER_MAX}")
    return number


def get_tagging(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """GetObjectTagging: an empty set where there are none."""
    stored = versions.found(bucket, key, versions.asked(request), site)
    answer = settings.tagging(bucket.tags_of.get((key, stored.version), {}))
    answer.headers += tuple(versions.read_header(bucket, stored))
    return answer


def put_tagging(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """PutObjectTagging: in place of the tags there were."""
    stored = versions.found(bucket, key, versions.asked(request), site)
    bucket.tags_of[key, stored.version] = read_tags(request.body, TAGS_MAX)
    return HttpResponse(200, versions.read_header(bucket, stored))


def delete_tagging(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """DeleteObjectTagging."""
    stored = versions.found(bucket, key, versions.asked(request), site)
    bucket.tags_of.pop((key, stored.version), None)
    return HttpResponse(204, versions.read_header(bucket, stored))


def delete(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """DeleteObject: fine whether it was there or not. Raises ServiceError: a condition does not hold."""
    check_conditions(request, bucket, key, site)
    version = versions.asked(request)
    gone = versions.deleted(bucket, key, version, site)
    return HttpResponse(204, versions.delete_headers(bucket, version, gone))
