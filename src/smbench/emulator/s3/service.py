"""The emulated S3: buckets and objects in memory, path style, with AWS's own errors."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import unquote
from xml.etree import ElementTree

from smbench.emulator.protocol.codecs import ServiceError, not_implemented, xml_reply
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.protocol.query import escape
from smbench.emulator.protocol.shapes import service_shapes
from smbench.emulator.s3 import listings, multipart
from smbench.emulator.s3.headers import (
    byte_range,
    checked_checksums,
    is_unmodified,
    precondition_failed,
    stored_headers,
)
from smbench.emulator.s3.objects import NO_HEADERS, Bucket, StoredObject, etag_of_name
from smbench.emulator.site import Site, http_date

KEY_MAX_BYTES = 1024
_BUCKET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_DELETE_MAX = 1000
_NEUTRAL = {"x-id", "list-type", "uploads", "uploadId", "partNumber", "delete", "location"}


class S3:
    """The service, and the door for the emulator's other parts: `put`, `put_lazy`, `get`, `exists`."""

    service = "s3"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._buckets: dict[str, Bucket] = {}
        self._on_bucket: dict[tuple[str, str], Callable[[HttpRequest, str], HttpResponse]] = {
            ("PUT", ""): self._create_bucket,
            ("HEAD", ""): self._head_bucket,
            ("DELETE", ""): self._delete_bucket,
            ("GET", ""): self._list_objects,
            ("GET", "location"): self._get_bucket_location,
            ("GET", "uploads"): self._list_multipart_uploads,
            ("POST", "delete"): self._delete_objects,
        }
        self._on_object: dict[tuple[str, str], Callable[[HttpRequest, Bucket, str], HttpResponse]] = {
            ("PUT", ""): self._put_object,
            ("GET", ""): self._get_object,
            ("HEAD", ""): self._get_object,
            ("DELETE", ""): self._delete_object,
            ("POST", "uploads"): self._create_multipart_upload,
            ("PUT", "uploadId"): self._upload_part,
            ("POST", "uploadId"): self._complete_multipart_upload,
            ("DELETE", "uploadId"): self._abort_multipart_upload,
            ("GET", "uploadId"): self._list_parts,
        }

    # for the other services

    def create_bucket(self, name: str) -> None:
        """Make a bucket unless it exists."""
        if name not in self._buckets:
            self._buckets[name] = Bucket(name, self._site.now_ns, self._site.region)

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "binary/octet-stream",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> StoredObject:
        """Store bytes.

        Raises:
            ServiceError: NoSuchBucket.
        """
        stored = StoredObject(key, len(body), "", self._site.now_ns, body, None, content_type, headers)
        self._bucket(bucket).put(stored)
        return stored

    def put_lazy(
        self,
        bucket: str,
        key: str,
        size_bytes: int,
        make: Callable[[], bytes],
        *,
        content_type: str = "binary/octet-stream",
    ) -> StoredObject:
        """Store an object whose bytes are made when somebody reads them; `make` gives the same each time.

        Raises:
            ServiceError: NoSuchBucket.
        """
        etag = etag_of_name(f"{bucket}/{key}/{size_bytes}")
        stored = StoredObject(key, size_bytes, etag, self._site.now_ns, None, make, content_type)
        self._bucket(bucket).put(stored)
        return stored

    def has_bucket(self, name: str) -> bool:
        """Whether there is a bucket of this name."""
        return name in self._buckets

    def get(self, bucket: str, key: str) -> bytes | None:
        """An object's bytes; None when there is no such object or bucket."""
        found = self._buckets.get(bucket)
        stored = None if found is None else found.objects.get(key)
        return None if stored is None else stored.read()

    def exists(self, bucket: str, key: str) -> bool:
        """Whether a bucket holds a key; False where there is no such bucket."""
        found = self._buckets.get(bucket)
        return found is not None and key in found.objects

    # routing

    def rest(self, request: HttpRequest) -> HttpResponse:
        """Answer one request.

        Raises:
            ServiceError: AWS's own, or 501 for an operation the emulator does not know.
        """
        name, _, key = request.path[1:].partition("/")
        level = "object" if key else "bucket" if name else "service"
        sub = _subresource(request, level)
        if not name and request.method == "GET":
            return listings.buckets(self._buckets.values(), self._site)
        if key:
            act = self._on_object.get((request.method, sub))
            if act is None:
                raise not_implemented("s3", _operation_name(request.method, level, sub))
            if len(key.encode()) > KEY_MAX_BYTES:
                raise ServiceError("KeyTooLongError", "Your key is too long")
            return act(request, self._bucket(name), key)
        on_bucket = self._on_bucket.get((request.method, sub))
        if on_bucket is None or not name:
            raise not_implemented("s3", _operation_name(request.method, level, sub))
        return on_bucket(request, name)

    def _bucket(self, name: str) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404, details={"BucketName": name})
        return bucket

    # buckets

    def _create_bucket(self, request: HttpRequest, name: str) -> HttpResponse:
        if not _BUCKET_NAME.fullmatch(name) or ".." in name:
            raise ServiceError("InvalidBucketName", "The specified bucket is not valid.", details={"BucketName": name})
        if name in self._buckets and self._site.region != "us-east-1":  # us-east-1 forgives, as it always has
            raise ServiceError(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                409,
                details={"BucketName": name},
            )
        if request.body:
            read_xml(request.body)
        self.create_bucket(name)
        return HttpResponse(200, [("Location", f"/{name}")])

    def _head_bucket(self, request: HttpRequest, name: str) -> HttpResponse:
        self._bucket(name)
        return HttpResponse(200, [("x-amz-bucket-region", self._site.region), ("Content-Type", "application/xml")])

    def _delete_bucket(self, request: HttpRequest, name: str) -> HttpResponse:
        if self._bucket(name).objects:
            raise ServiceError(
                "BucketNotEmpty", "The bucket you tried to delete is not empty", 409, details={"BucketName": name}
            )
        del self._buckets[name]
        return HttpResponse(204)

    def _get_bucket_location(self, request: HttpRequest, name: str) -> HttpResponse:
        self._bucket(name)
        region = "" if self._site.region == "us-east-1" else self._site.region
        return xml_reply(f'<LocationConstraint xmlns="{listings.NAMESPACE}">{region}</LocationConstraint>')

    def _list_objects(self, request: HttpRequest, name: str) -> HttpResponse:
        return listings.objects(self._bucket(name), request.query, self._site)

    def _list_multipart_uploads(self, request: HttpRequest, name: str) -> HttpResponse:
        return listings.uploads(self._bucket(name), self._site)

    def _delete_objects(self, request: HttpRequest, name: str) -> HttpResponse:
        bucket, document = self._bucket(name), read_xml(request.body)
        keys = [element.findtext("{*}Key") for element in document.iterfind("{*}Object")]
        if not 0 < len(keys) <= _DELETE_MAX or None in keys:
            raise _malformed()
        is_quiet = (document.findtext("{*}Quiet") or "").strip() == "true"
        for key in keys:
            bucket.delete(key or "")
        told = "" if is_quiet else "".join(f"<Deleted><Key>{escape(key or '')}</Key></Deleted>" for key in keys)
        return xml_reply(f'<DeleteResult xmlns="{listings.NAMESPACE}">{told}</DeleteResult>')

    # objects

    def _put_object(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        if "x-amz-copy-source" in request.headers:
            return self._copy_object(request, bucket, key)
        existing = bucket.objects.get(key)
        if request.headers.get("if-none-match") == "*" and existing is not None:
            raise precondition_failed("If-None-Match")
        if "if-match" in request.headers:
            if existing is None:
                raise no_such_key(key)
            is_unmodified(request, existing.etag, self._site.utc_ns(existing.modified_ns))
        checksums = checked_checksums(request)
        content_type = request.headers.get("content-type", "binary/octet-stream")
        headers = (stored_headers(request) | checksums) or NO_HEADERS
        stored = self.put(bucket.name, key, request.body, content_type=content_type, headers=headers)
        reply = [("ETag", stored.etag), ("x-amz-server-side-encryption", "AES256"), *checksums.items()]
        if checksums:
            reply.append(("x-amz-checksum-type", "FULL_OBJECT"))
        return HttpResponse(200, reply)

    def _copy_object(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        source = unquote(request.headers["x-amz-copy-source"]).removeprefix("/").partition("?")[0]
        source_name, _, source_key = source.partition("/")
        original = self._bucket(source_name).objects.get(source_key)
        if original is None:
            raise no_such_key(source_key)
        is_replaced = request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
        if (bucket.name, key) == (source_name, source_key) and not is_replaced:
            raise ServiceError(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes.",
            )
        checksums = {name: value for name, value in original.headers.items() if name.startswith("x-amz-checksum-")}
        kept = {**(stored_headers(request) if is_replaced else original.headers), **checksums}
        sent_type = request.headers.get("content-type", "binary/octet-stream")
        content_type = sent_type if is_replaced else original.content_type
        stored = self.put(bucket.name, key, original.read(), content_type=content_type, headers=kept)
        modified = listings.stamp(self._site, stored.modified_ns)
        told = f"<LastModified>{modified}</LastModified><ETag>{escape(stored.etag)}</ETag>"
        return xml_reply(f'<CopyObjectResult xmlns="{listings.NAMESPACE}">{told}</CopyObjectResult>')

    def _get_object(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        stored = bucket.objects.get(key)
        if stored is None:
            raise no_such_key(key)
        modified_utc_ns = self._site.utc_ns(stored.modified_ns)
        headers = [
            ("ETag", stored.etag),
            ("Last-Modified", http_date(modified_utc_ns)),
            ("Accept-Ranges", "bytes"),
            ("x-amz-server-side-encryption", "AES256"),
        ]
        if is_unmodified(request, stored.etag, modified_utc_ns):
            return HttpResponse(304, headers)
        headers.append(("Content-Type", stored.content_type))
        chosen = byte_range(request.headers["range"], stored.size_bytes) if "range" in request.headers else None
        shows_checksums = chosen is None and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
        headers += [
            (name, value)
            for name, value in stored.headers.items()
            if shows_checksums or not name.startswith("x-amz-checksum-")
        ]
        start, end = chosen or (0, stored.size_bytes - 1)
        if chosen is not None:
            headers.append(("Content-Range", f"bytes {start}-{end}/{stored.size_bytes}"))
        if request.method == "HEAD":
            headers.append(("Content-Length", str(end + 1 - start)))
            return HttpResponse(200 if chosen is None else 206, headers)
        body = stored.read()
        return HttpResponse(200, headers, body) if chosen is None else HttpResponse(206, headers, body[start : end + 1])

    def _delete_object(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        bucket.delete(key)
        return HttpResponse(204)

    # multipart

    def _create_multipart_upload(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        return multipart.create(request, bucket, key, self._site)

    def _upload_part(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        if "x-amz-copy-source" in request.headers:
            raise not_implemented("s3", "UploadPartCopy")
        return multipart.upload_part(request, bucket, key, self._site)

    def _complete_multipart_upload(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        return multipart.complete(request, read_xml(request.body), bucket, key, self._site)

    def _abort_multipart_upload(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        return multipart.abort(request, bucket, key)

    def _list_parts(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        return multipart.list_parts(request, bucket, key, self._site)


def read_xml(body: bytes) -> ElementTree.Element:
    """A request's document.

    Raises:
        ServiceError: MalformedXML; also for a document type, whose entities can be made to explode.
    """
    if b"<!" in body:
        raise _malformed()
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise _malformed() from None


def no_such_key(key: str) -> ServiceError:
    """S3's 404 for an object, to be raised."""
    return ServiceError("NoSuchKey", "The specified key does not exist.", 404, details={"Key": key})


def _malformed() -> ServiceError:
    return ServiceError(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )


def _subresource(request: HttpRequest, level: str) -> str:
    """The part of the query that chooses the operation.

    Raises:
        ServiceError: 501 for one the emulator does not know: ignoring it would be a silent success.
    """
    query = request.query
    if not query:
        return ""
    for name in query:
        if name not in _NEUTRAL and (request.method, level, name) in _operations():
            raise not_implemented("s3", _operation_name(request.method, level, name))
    if "uploadId" in query:
        return "uploadId"
    if query.get("versionId", "null") != "null":
        raise not_implemented("s3", f"{_operation_name(request.method, level, '')} of a version")
    if "partNumber" in query:
        raise not_implemented("s3", f"{_operation_name(request.method, level, '')} of one part")
    return next((name for name in ("uploads", "delete", "location") if name in query), "")


@cache
def _operations() -> dict[tuple[str, str, str], str]:
    """AWS's operations by method, level and subresource; the plain ones under an empty subresource."""
    names: dict[tuple[str, str, str], str] = {}
    model = service_shapes("s3").model
    for name in sorted(model.operation_names, reverse=True):
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        level = "object" if "{Key+}" in path else "bucket" if "{Bucket}" in path else "service"
        names[http["method"], level, query.partition("&")[0].partition("=")[0]] = name
    return names


def _operation_name(method: str, level: str, subresource: str) -> str:
    return _operations().get((method, level, subresource), f"{method} {level} {subresource}".strip())
