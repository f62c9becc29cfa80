"""S3's multipart uploads: parts come in any order, and become one object when they are named in order."""

import base64
from collections.abc import Callable
from xml.etree.ElementTree import Element

from smbench.emulator.protocol.codecs import ServiceError, xml_reply
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3 import copying, encryption, versions
from smbench.emulator.s3.checksums import SIZES_BYTES, checksum
from smbench.emulator.s3.documents import read_xml, tags_of_header
from smbench.emulator.s3.headers import (
    CHECKSUM,
    checked_checksums,
    checksum_elements,
    checksums_of,
    stored_headers,
)
from smbench.emulator.s3.listings import NAMESPACE, chosen_of, number_of, stamp
from smbench.emulator.s3.object_operations import TAGS_MAX, check_conditions
from smbench.emulator.s3.objects import Bucket, Part, PartFacts, StoredObject, Upload, etag_of, etag_of_parts
from smbench.emulator.site import Site

PART_MIN_BYTES = 5 * 1024 * 1024  # of every part but the last
PART_NUMBER_MAX = 10_000
_TYPES = {"COMPOSITE", "FULL_OBJECT"}


def create(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """CreateMultipartUpload: a new upload with the headers that the object will have.

    Raises:
        ServiceError: a checksum that S3 does not know, or not of this type.
    """
    content_type = request.headers.get("content-type", "binary/octet-stream")
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").lower()
    if algorithm and algorithm not in SIZES_BYTES:
        raise ServiceError("InvalidRequest", "Checksum algorithm provided is unsupported.")
    kind = _checksum_type(request, algorithm)
    upload = Upload(
        key,
        site.new_id().replace("-", ""),
        site.now_ns,
        content_type,
        stored_headers(request, site),
        algorithm,
        kind,
        tags_of_header(request.headers.get("x-amz-tagging", ""), TAGS_MAX),
    )
    bucket.uploads[upload.upload_id] = upload
    headers = encryption.described(upload.headers)
    if algorithm:
        headers += [("x-amz-checksum-algorithm", algorithm.upper()), ("x-amz-checksum-type", upload.checksum_type)]
    inner = f"<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload.upload_id}</UploadId>"
    return _document("InitiateMultipartUploadResult", inner, headers)


def _checksum_type(request: HttpRequest, algorithm: str) -> str:
    """COMPOSITE or FULL_OBJECT; empty without an algorithm. Only a whole's CRC can be made of those of its parts."""
    asked = request.headers.get("x-amz-checksum-type", "").upper()
    if not algorithm:
        if asked:
            text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise ServiceError("InvalidRequest", text)
        return ""
    kind = asked or ("FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE")
    possible = {"crc64nvme": {"FULL_OBJECT"}, "crc32": _TYPES, "crc32c": _TYPES}.get(algorithm, {"COMPOSITE"})
    if kind not in _TYPES:
        raise ServiceError("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    if kind not in possible:
        text = f"The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
        raise ServiceError("InvalidRequest", text)
    return kind


def upload_part(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """Store or replace a part. Raises ServiceError: no such upload, a number not in 1 to 10,000, a wrong checksum."""
    upload = _upload(request, bucket, key)
    part = _store(request, upload, request.body, checked_checksums(request), site)
    return HttpResponse(200, [("ETag", part.etag), *encryption.described(upload.headers), *part.checksums.items()])


def copy_part(
    request: HttpRequest, bucket: Bucket, key: str, site: Site, bucket_of: Callable[[str], Bucket]
) -> HttpResponse:
    """UploadPartCopy: a part out of an object. Raises ServiceError: as `upload_part`, or about the source."""
    upload = _upload(request, bucket, key)
    source, original = copying.find_source(request, bucket_of, site)
    part = _store(request, upload, copying.source_range(request, original), {}, site)
    result = copying.result("CopyPartResult", part.etag, part.modified_ns, checksums_of(part.checksums), site)
    answer = copying.reply(result, upload.headers)
    answer.headers += tuple(copying.source_version(source, original))
    return answer


def _store(request: HttpRequest, upload: Upload, body: bytes, checksums: dict[str, str], site: Site) -> Part:
    """Keep a part, with the checksum of its upload's algorithm where it came without."""
    number = whole(request.query.get("partNumber", "")) or 0
    if not 1 <= number <= PART_NUMBER_MAX:
        raise ServiceError(
            "InvalidArgument", f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive"
        )
    if upload.checksum_algorithm and not checksums and (made := checksum(upload.checksum_algorithm, body)):
        checksums = {CHECKSUM + upload.checksum_algorithm: made}
    part = Part(body, etag_of(body), site.now_ns, checksums)
    upload.parts[number] = part
    return part


def complete(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """Join the chosen parts into the object. Raises ServiceError: a part unknown, out of order or too small."""
    document = read_xml(request.body)
    upload = _upload(request, bucket, key)
    check_conditions(request, bucket, key, site)
    numbered = _chosen(upload, document)
    parts = [part for _, part in numbered]
    for part in parts[:-1]:
        if len(part.body) < PART_MIN_BYTES:
            raise ServiceError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    body = b"".join(part.body for part in parts)
    if request.headers.get("x-amz-mp-object-size", str(len(body))) != str(len(body)):
        text = "The provided 'x-amz-mp-object-size' header value does not match what was computed"
        raise ServiceError("InvalidRequest", text)
    checksums = _checksums(request, upload, parts, body)
    etag = etag_of_parts([part.etag for part in parts])
    headers = upload.headers | {CHECKSUM + name: value for name, value in checksums.items()}
    stored = StoredObject(key, len(body), etag, site.now_ns, body, None, upload.content_type, headers)
    bucket.put(stored)
    bucket.parts_of[key, stored.version] = tuple(
        PartFacts(number, len(part.body), checksums_of(part.checksums)) for number, part in numbered
    )
    if upload.tags:
        bucket.tags_of[key, stored.version] = upload.tags
    del bucket.uploads[upload.upload_id]
    location = f"{site.url}/{bucket.name}/{key}"
    inner = f"<Location>{escape(location)}</Location><Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key>"
    inner += f"<ETag>{escape(etag)}</ETag>{checksum_elements(checksums)}"
    described = [*encryption.described(headers), *versions.write_header(bucket, stored)]
    return _document("CompleteMultipartUploadResult", inner, described)


def _checksums(request: HttpRequest, upload: Upload, parts: list[Part], body: bytes) -> dict[str, str]:
    """The object's checksum by algorithm: of its bytes, or of its parts' checksums; empty where there is none.

    Raises:
        ServiceError: BadDigest, when the client says another; InvalidRequest, when it says another type.
    """
    algorithm = upload.checksum_algorithm
    if not algorithm:
        return {}
    if request.headers.get("x-amz-checksum-type", upload.checksum_type).upper() != upload.checksum_type:
        text = (
            f"The upload was created using the {upload.checksum_type} checksum mode. "
            "The complete request must use the same checksum mode."
        )
        raise ServiceError("InvalidRequest", text)
    if upload.checksum_type == "FULL_OBJECT":
        made = checksum(algorithm, body)
    else:
        digests = [part.checksums.get(CHECKSUM + algorithm) for part in parts]
        joined = b"".join(base64.b64decode(digest) for digest in digests if digest)
        made = checksum(algorithm, joined) if all(digests) else None
    sent = request.headers.get(CHECKSUM + algorithm)
    if made is None:
        return {algorithm: sent} if sent else {}
    if sent is not None and sent.partition("-")[0] != made:
        raise ServiceError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    return {algorithm: made if upload.checksum_type == "FULL_OBJECT" else f"{made}-{len(parts)}"}


def _chosen(upload: Upload, document: Element) -> list[tuple[int, Part]]:
    parts: list[tuple[int, Part]] = []
    last_number = 0
    for element in document.iterfind("{*}Part"):
        text = (element.findtext("{*}PartNumber") or "").strip()
        number = whole(text) or 0
        if number <= last_number:
            raise ServiceError(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. "
                "The parts list must be specified in order by part number.",
            )
        last_number = number
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != (element.findtext("{*}ETag") or "").strip().strip('"'):
            raise ServiceError(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag.",
                details={"UploadId": upload.upload_id, "PartNumber": text},
            )
        parts.append((number, part))
    if not parts:
        raise ServiceError("MalformedXML", "You must specify at least one part")
    return parts


def abort(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """Forget an upload and its parts. Raises ServiceError: no such upload."""
    del bucket.uploads[_upload(request, bucket, key).upload_id]
    return HttpResponse(204)


def list_parts(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """ListParts: a page after a part's number. Raises ServiceError: no such upload, a number that is none."""
    upload, query = _upload(request, bucket, key), request.query
    after, n_max = number_of(query, "part-number-marker", 0), number_of(query, "max-parts", 1000)
    listed = [one for one in sorted(upload.parts.items()) if one[0] > after]
    shown = listed[: min(n_max, 1000)]
    last = shown[-1][0] if shown else after
    is_more = "true" if len(listed) > len(shown) else "false"
    elements = "".join(
        f"<Part><PartNumber>{number}</PartNumber><LastModified>{stamp(site, part.modified_ns)}</LastModified>"
        f"<ETag>{escape(part.etag)}</ETag><Size>{len(part.body)}</Size>"
        f"{checksum_elements(checksums_of(part.checksums), typed=False)}</Part>"
        for number, part in shown
    )
    head = f"<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload.upload_id}</UploadId>"
    page = f"<PartNumberMarker>{after}</PartNumberMarker><NextPartNumberMarker>{last}</NextPartNumberMarker>"
    page += f"<MaxParts>{n_max}</MaxParts><IsTruncated>{is_more}</IsTruncated>"
    return _document("ListPartsResult", f"{head}{page}{elements}{chosen_of(upload)}")


def _upload(request: HttpRequest, bucket: Bucket, key: str) -> Upload:
    upload = bucket.uploads.get(request.query.get("uploadId", ""))
    if upload is None or upload.key != key:
        raise ServiceError(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed.",
            404,
            details={"UploadId": request.query.get("uploadId", "")},
        )
    return upload


def _document(name: str, inner: str, headers: list[tuple[str, str]] | None = None) -> HttpResponse:
    return xml_reply(f'<{name} xmlns="{NAMESPACE}">{inner}</{name}>', 200, headers)
