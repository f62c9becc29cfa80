"""S3's multipart uploads: parts come in any order, and become one object when they are named in order."""

from xml.etree.ElementTree import Element

from smbench.emulator.protocol.codecs import ServiceError, xml_reply
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.s3.headers import checked_checksums, stored_headers
from smbench.emulator.s3.listings import NAMESPACE, stamp
from smbench.emulator.s3.objects import Bucket, Part, StoredObject, Upload, etag_of, etag_of_parts
from smbench.emulator.site import Site

PART_MIN_BYTES = 5 * 1024 * 1024  # of every part but the last
PART_NUMBER_MAX = 10_000


def create(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """CreateMultipartUpload: a new upload with the headers that the object will have."""
    content_type = request.headers.get("content-type", "binary/octet-stream")
    upload = Upload(key, site.new_id().replace("-", ""), site.now_ns, content_type, stored_headers(request))
    bucket.uploads[upload.upload_id] = upload
    algorithm = request.headers.get("x-amz-checksum-algorithm")
    headers = [("x-amz-checksum-algorithm", algorithm)] if algorithm else []
    inner = f"<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload.upload_id}</UploadId>"
    return _document("InitiateMultipartUploadResult", inner, headers)


def upload_part(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """Store or replace a part. Raises ServiceError: no such upload, a number not in 1 to 10,000, a wrong checksum."""
    upload = _upload(request, bucket, key)
    text = request.query.get("partNumber", "")
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= PART_NUMBER_MAX:
        raise ServiceError(
            "InvalidArgument", f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive"
        )
    part = Part(request.body, etag_of(request.body), site.now_ns, checked_checksums(request))
    upload.parts[number] = part
    return HttpResponse(200, [("ETag", part.etag), *part.checksums.items()])


def complete(request: HttpRequest, document: Element, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """Join the chosen parts into the object. Raises ServiceError: a part unknown, out of order or too small."""
    upload = _upload(request, bucket, key)
    parts = _chosen(upload, document)
    for part in parts[:-1]:
        if len(part.body) < PART_MIN_BYTES:
            raise ServiceError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    body = b"".join(part.body for part in parts)
    etag = etag_of_parts([part.etag for part in parts])
    bucket.put(StoredObject(key, len(body), etag, site.now_ns, body, None, upload.content_type, upload.headers))
    del bucket.uploads[upload.upload_id]
    location = f"{site.url}/{bucket.name}/{key}"
    inner = f"<Location>{escape(location)}</Location><Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key>"
    return _document("CompleteMultipartUploadResult", f"{inner}<ETag>{escape(etag)}</ETag>")


def _chosen(upload: Upload, document: Element) -> list[Part]:
    parts: list[Part] = []
    last_number = 0
    for element in document.iterfind("{*}Part"):
        text = (element.findtext("{*}PartNumber") or "").strip()
        number = int(text) if text.isascii() and text.isdecimal() else 0
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
        parts.append(part)
    if not parts:
        raise ServiceError("MalformedXML", "You must specify at least one part")
    return parts


def abort(request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
    """Forget an upload and its parts. Raises ServiceError: no such upload."""
    del bucket.uploads[_upload(request, bucket, key).upload_id]
    return HttpResponse(204)


def list_parts(request: HttpRequest, bucket: Bucket, key: str, site: Site) -> HttpResponse:
    """ListParts, on one page: an upload has at most 10,000."""
    upload = _upload(request, bucket, key)
    told = "".join(
        f"<Part><PartNumber>{number}</PartNumber><LastModified>{stamp(site, part.modified_ns)}</LastModified>"
        f"<ETag>{escape(part.etag)}</ETag><Size>{len(part.body)}</Size></Part>"
        for number, part in sorted(upload.parts.items())
    )
    head = f"<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload.upload_id}</UploadId>"
    page = f"<MaxParts>{PART_NUMBER_MAX}</MaxParts><IsTruncated>false</IsTruncated>"
    return _document("ListPartsResult", f"{head}{page}{told}<StorageClass>STANDARD</StorageClass>")


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
